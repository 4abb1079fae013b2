// The fixed data structure (CI 73h of wired M-Bus): two counters, EN 13757-3, annex on the fixed structure.
#include "data.h"

namespace mbus {

namespace {

/// Units that differ by their power of ten stand side by side.
struct UnitRow {
  uint8_t first, last;
  Quantity quantity;
  Unit unit;
  int exponent;  // of the first
  double factor;
};

constexpr UnitRow kRows[] = {
    {0x02, 0x0A, Quantity::kEnergy, Unit::kWh, 0, 1},
    {0x0B, 0x13, Quantity::kEnergy, Unit::kJ, 3, 1},
    {0x14, 0x1C, Quantity::kPower, Unit::kW, 0, 1},
    {0x1D, 0x25, Quantity::kPower, Unit::kW, 3, 1.0 / 3600},  // J/h
    {0x26, 0x2E, Quantity::kVolume, Unit::kM3, -6, 1},
    {0x2F, 0x37, Quantity::kVolumeFlow, Unit::kM3h, -6, 1},
    {0x38, 0x38, Quantity::kExternalTemperature, Unit::kC, -3, 1},
    {0x39, 0x39, Quantity::kHca, Unit::kHca, 0, 1},
};

/// The counter's unit, 6 bits.
Meaning unitOf(uint8_t code) {
  for (const UnitRow& row : kRows) {
    if (code >= row.first && code <= row.last) {
      return {row.quantity, row.unit, row.exponent + code - row.first, row.factor, 0};
    }
  }
  return {Quantity::kCounter, Unit::kNone, 0, 1, 0};
}

}  // namespace

Result parseFixed(const uint8_t* bytes, size_t length, Record* out, size_t capacity) {
  Result result;
  if (length != 16 || capacity < 2) {
    result.stop = Stop::kBadFixed;
    return result;
  }
  const bool binary = bytes[5] & 0x80;
  const bool stored = bytes[5] & 0x40;
  Meaning meaning = unitOf(bytes[6] & 0x3F);
  for (uint32_t i = 0; i < 2; i++) {
    const uint8_t code = bytes[6 + i] & 0x3F;
    // 3Eh of the second counter: the same unit, historic.
    if (i == 1 && code != 0x3E) meaning = unitOf(code);
    Record& record = out[i];
    record = Record{};
    record.function = stored || code == 0x3E ? Function::kStored : Function::kActual;
    record.quantity = static_cast<uint32_t>(meaning.quantity);
    record.unit = static_cast<uint32_t>(meaning.unit);
    record.exponent = meaning.exponent;
    record.start = record.vibStart = 6 + i;
    record.headerEnd = record.start + 1;
    record.dataStart = 8 + 4 * i;
    record.dataLength = 4;
    const uint8_t* data = bytes + record.dataStart;
    if (binary) setUnsigned(data, 4, meaning, record);
    else setDecimal(data, 4, false, meaning, record);
  }
  result.count = 2;
  return result;
}

}  // namespace mbus
