// The border to JavaScript. One call per payload; the records come back as rows of one Float64Array that the
// caller lends, so that no object crosses. Nothing is kept between calls, nothing throws but a TypeError on misuse.
#include <node_api.h>

#include "parser.h"

namespace {

constexpr size_t kStride = 20;

void writeRow(const mbus::Record& r, double* row) {
  const double fields[kStride] = {
      static_cast<double>(r.function), static_cast<double>(r.storage), static_cast<double>(r.tariff),
      static_cast<double>(r.subunit), static_cast<double>(r.quantity), static_cast<double>(r.unit),
      static_cast<double>(r.kind), static_cast<double>(r.quality), r.value, static_cast<double>(r.modifiers),
      static_cast<double>(r.phase), static_cast<double>(r.exponent), static_cast<double>(r.vif),
      static_cast<double>(r.start), static_cast<double>(r.vibStart), static_cast<double>(r.headerEnd),
      static_cast<double>(r.dataStart), static_cast<double>(r.dataLength), static_cast<double>(r.nameStart),
      static_cast<double>(r.nameLength)};
  for (size_t i = 0; i < kStride; i++) row[i] = fields[i];
}

napi_value misuse(napi_env env) {
  napi_throw_type_error(env, "USAGE", "parse(Uint8Array, fixed: boolean, Float64Array, Int32Array)");
  return nullptr;
}

struct View {
  void* data = nullptr;
  size_t length = 0;  // elements
};

bool view(napi_env env, napi_value value, napi_typedarray_type wanted, View& out) {
  bool is = false;
  if (napi_is_typedarray(env, value, &is) != napi_ok || !is) return false;
  napi_typedarray_type type;
  if (napi_get_typedarray_info(env, value, &type, &out.length, &out.data, nullptr, nullptr) != napi_ok) return false;
  return type == wanted && (out.data != nullptr || out.length == 0);
}

/// parse(bytes, fixed, rows, verdict): fills rows; verdict becomes [count, stop, stoppedAt].
napi_value parse(napi_env env, napi_callback_info info) {
  size_t argc = 4;
  napi_value argv[4];
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, nullptr) != napi_ok || argc < 4) return misuse(env);
  View bytes, rows, verdict;
  bool fixed = false;
  if (!view(env, argv[0], napi_uint8_array, bytes) || napi_get_value_bool(env, argv[1], &fixed) != napi_ok ||
      !view(env, argv[2], napi_float64_array, rows) || !view(env, argv[3], napi_int32_array, verdict) ||
      verdict.length < 3) {
    return misuse(env);
  }
  mbus::Record records[mbus::kMaxRecords];
  const size_t room = rows.length / kStride;
  const size_t capacity = room < mbus::kMaxRecords ? room : mbus::kMaxRecords;
  const auto* data = static_cast<const uint8_t*>(bytes.data);
  const mbus::Result result = fixed ? mbus::parseFixed(data, bytes.length, records, capacity)
                                    : mbus::parseVariable(data, bytes.length, records, capacity);
  auto* row = static_cast<double*>(rows.data);
  for (size_t i = 0; i < result.count; i++) writeRow(records[i], row + i * kStride);
  auto* out = static_cast<int32_t*>(verdict.data);
  out[0] = static_cast<int32_t>(result.count);
  out[1] = static_cast<int32_t>(result.stop);
  out[2] = static_cast<int32_t>(result.stoppedAt);
  return nullptr;
}

bool setNames(napi_env env, napi_value exports, const char* key, const char* const* names, size_t count) {
  napi_value list;
  if (napi_create_array_with_length(env, count, &list) != napi_ok) return false;
  for (size_t i = 0; i < count; i++) {
    napi_value name;
    if (napi_create_string_utf8(env, names[i], NAPI_AUTO_LENGTH, &name) != napi_ok) return false;
    if (napi_set_element(env, list, static_cast<uint32_t>(i), name) != napi_ok) return false;
  }
  return napi_set_named_property(env, exports, key, list) == napi_ok;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function;
  if (napi_create_function(env, "parse", NAPI_AUTO_LENGTH, parse, nullptr, &function) != napi_ok) return nullptr;
  if (napi_set_named_property(env, exports, "parse", function) != napi_ok) return nullptr;
  if (!setNames(env, exports, "quantities", mbus::kQuantityNames, mbus::kQuantityCount)) return nullptr;
  if (!setNames(env, exports, "units", mbus::kUnitNames, mbus::kUnitCount)) return nullptr;
  return exports;
}
