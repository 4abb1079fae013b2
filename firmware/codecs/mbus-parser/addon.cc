// The border to JavaScript. One call per payload; the records are written into an array that the caller lends, so that
// no object crosses. Nothing is kept between calls, nothing throws but a TypeError on misuse.
#include <node_api.h>

#include "parser.h"

namespace {

constexpr size_t kFields = sizeof(mbus::Record) / sizeof(int32_t);

napi_value misuse(napi_env env) {
  napi_throw_type_error(env, "USAGE", "parse(Uint8Array, fixed: boolean, Int32Array aligned to 8 bytes)");
  return nullptr;
}

struct View {
  void* data = nullptr;
  size_t length = 0;  // elements
};

/// Fails on what is no typed array.
bool view(napi_env env, napi_value value, napi_typedarray_type wanted, View& out) {
  napi_typedarray_type type;
  if (napi_get_typedarray_info(env, value, &type, &out.length, &out.data, nullptr, nullptr) != napi_ok) return false;
  return type == wanted && (out.data != nullptr || out.length == 0);
}

/// Count in the lowest 9 bits, stop in the next 4, where it stopped in the 13 above.
int32_t packed(const mbus::Result& result) {
  static_assert(mbus::kMaxRecords < 1 << 9 && mbus::kMaxPayload < 1 << 13, "the fields are wide enough");
  return static_cast<int32_t>(result.count | static_cast<uint32_t>(result.stop) << 9 | result.stoppedAt << 13);
}

/// parse(bytes, fixed, rows): writes the records into rows, 22 numbers each; gives the packed result.
napi_value parse(napi_env env, napi_callback_info info) {
  size_t argc = 3;
  napi_value argv[3];
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, nullptr) != napi_ok || argc < 3) return misuse(env);
  View bytes, rows;
  bool fixed = false;
  if (!view(env, argv[0], napi_uint8_array, bytes) || napi_get_value_bool(env, argv[1], &fixed) != napi_ok ||
      !view(env, argv[2], napi_int32_array, rows) || reinterpret_cast<uintptr_t>(rows.data) % 8 != 0) {
    return misuse(env);
  }
  auto* records = static_cast<mbus::Record*>(rows.data);
  const size_t capacity = rows.length / kFields;
  const auto* data = static_cast<const uint8_t*>(bytes.data);
  const mbus::Result result = fixed ? mbus::parseFixed(data, bytes.length, records, capacity)
                                    : mbus::parseVariable(data, bytes.length, records, capacity);
  napi_value verdict;
  return napi_create_int32(env, packed(result), &verdict) == napi_ok ? verdict : nullptr;
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
