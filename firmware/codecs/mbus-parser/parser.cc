#include "parser.h"

#include "data.h"
#include "vif.h"

namespace mbus {

namespace {

constexpr uint8_t kExtended = 0x80;  // the extension bit of DIF, DIFE, VIF, VIFE

Stop readDib(Cursor& in, uint8_t dif, Record& record) {
  record.storage = (dif >> 6) & 1;
  record.function = static_cast<Function>((dif >> 4) & 3);
  uint8_t dife = dif;
  for (size_t n = 0; dife & kExtended; n++) {
    if (n == kMaxExtensions) return Stop::kTooManyDife;
    if (!in.next(dife)) return Stop::kCutHeader;
    record.storage |= static_cast<uint64_t>(dife & 0x0F) << (1 + 4 * n);
    record.tariff |= static_cast<uint32_t>((dife >> 4) & 3) << (2 * n);
    record.subunit |= static_cast<uint32_t>((dife >> 6) & 1) << n;
  }
  return Stop::kEnd;
}

/// The VIFEs after the true VIF; those behind a manufacturer specific one (FFh) have no general meaning.
Stop readVife(Cursor& in, uint8_t last, size_t used, Meaning& meaning, Record& record) {
  bool extended = false;
  while (last & kExtended) {
    if (used++ == kMaxExtensions) return Stop::kTooManyVife;
    if (!in.next(last)) return Stop::kCutHeader;
    const uint8_t code = last & 0x7F;
    if (record.modifiers & kManufacturer) continue;
    if (extended) {
      combineExtended(code, record);
      extended = false;
    } else if (code == 0x7C) {
      extended = true;
    } else if (code == 0x7F) {
      record.modifiers |= kManufacturer;
    } else {
      combine(code, meaning, record);
    }
  }
  return Stop::kEnd;
}

/// A text in the VIB (7Ch/FCh): its length and characters stand between the VIF and its VIFEs.
Stop readName(Cursor& in, Record& record) {
  uint8_t length;
  if (!in.next(length)) return Stop::kCutHeader;
  if (length > in.left()) return Stop::kTextTooLong;
  record.nameStart = static_cast<uint32_t>(in.at);
  record.nameLength = length;
  in.at += length;
  return Stop::kEnd;
}

/// A percentage is the one unit that occurs in texts of sensors and can be named safely.
void nameUnit(const Cursor& in, const Record& record, Meaning& meaning) {
  const uint8_t* name = in.bytes + record.nameStart;
  for (uint32_t i = 0; i + 3 <= record.nameLength; i++) {
    if (name[i] == 'H' && name[i + 1] == 'R' && name[i + 2] == '%') {
      meaning = {Quantity::kHumidity, Unit::kPercent, 0, 1, 0};
      return;
    }
  }
}

Stop readVib(Cursor& in, Meaning& meaning, Record& record) {
  uint8_t vif;
  if (!in.next(vif)) return Stop::kCutHeader;
  uint8_t last = vif;
  size_t used = 0;
  record.vif = vif & 0x7F;
  if (vif == 0xFB || vif == 0xFD) {
    if (!in.next(last)) return Stop::kCutHeader;
    used = 1;
    record.vif = (static_cast<uint32_t>(vif) << 8) | (last & 0x7F);
    if (record.vif == 0xFD7D && (last & kExtended)) {
      if (!in.next(last)) return Stop::kCutHeader;
      used = 2;
      record.vif = 0xFDFD00 | (last & 0x7F);
      meaning = thirdExtension(last & 0x7F);
    } else {
      meaning = vif == 0xFB ? firstExtension(last & 0x7F) : secondExtension(last & 0x7F);
    }
  } else {
    meaning = primary(vif & 0x7F);
    if ((vif & 0x7F) == 0x7F) record.modifiers |= kManufacturer;
    if ((vif & 0x7F) == 0x7C) {
      const Stop stop = readName(in, record);
      if (stop != Stop::kEnd) return stop;
      nameUnit(in, record, meaning);
    }
  }
  return readVife(in, last, used, meaning, record);
}

Stop readRecord(Cursor& in, uint8_t dif, Record& record) {
  Stop stop = readDib(in, dif, record);
  if (stop != Stop::kEnd) return stop;
  record.vibStart = static_cast<uint32_t>(in.at);
  Meaning meaning;
  stop = readVib(in, meaning, record);
  if (stop != Stop::kEnd) return stop;
  record.headerEnd = static_cast<uint32_t>(in.at);
  record.quantity = static_cast<uint32_t>(meaning.quantity);
  record.unit = static_cast<uint32_t>(meaning.unit);
  record.exponent = meaning.exponent;
  return readData(in, dif & 15, meaning, record);
}

/// DIF 0Fh and 1Fh: what follows is the manufacturer's.
void readRest(Cursor& in, uint8_t dif, Record& record) {
  record.function = dif == 0x1F ? Function::kMore : Function::kMfct;
  record.kind = Kind::kBinary;
  record.quantity = static_cast<uint32_t>(Quantity::kManufacturerSpecific);
  record.modifiers = kManufacturer;
  record.vibStart = record.headerEnd = static_cast<uint32_t>(in.at);
  in.take(in.left(), record);
}

}  // namespace

Result parseVariable(const uint8_t* bytes, size_t length, Record* out, size_t capacity) {
  Result result;
  if (length > kMaxPayload) {
    result.stop = Stop::kOversized;
    return result;
  }
  Cursor in{bytes, length};
  uint8_t dif;
  while (in.next(dif)) {
    if (dif == 0x2F) continue;  // idle filler
    const uint32_t start = static_cast<uint32_t>(in.at - 1);
    if (result.count == capacity || result.count == kMaxRecords) {
      result.stop = Stop::kTooManyRecords;
      result.stoppedAt = start;
      return result;
    }
    Record& record = out[result.count];
    record = Record{};
    record.start = start;
    if (dif == 0x0F || dif == 0x1F) {
      readRest(in, dif, record);
    } else {
      const Stop stop = readRecord(in, dif, record);
      if (stop != Stop::kEnd) {
        result.stop = stop;
        result.stoppedAt = start;
        return result;
      }
    }
    result.count++;
  }
  return result;
}

}  // namespace mbus
