#include "parser.h"

#include <cmath>
#include <cstring>

#include "vif.h"

namespace mbus {

namespace {

constexpr uint8_t kExtended = 0x80;  // the extension bit of DIF, DIFE, VIF, VIFE

struct Cursor {
  const uint8_t* bytes;
  size_t length;
  size_t at = 0;

  size_t left() const { return length - at; }
  bool next(uint8_t& byte) {
    if (at >= length) return false;
    byte = bytes[at++];
    return true;
  }
};

double powerOfTen(int exponent) {
  static const double table[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  return exponent <= 22 ? table[exponent] : std::pow(10.0, exponent);
}

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

// ---------- data fields ----------

uint64_t littleEndian(const uint8_t* bytes, size_t length) {
  uint64_t value = 0;
  for (size_t i = 0; i < length && i < 8; i++) value |= static_cast<uint64_t>(bytes[i]) << (8 * i);
  return value;
}

/// Type B marks "no value" by the one negative number that has no positive (EN 13757-3, annex A).
bool isNoValue(const uint8_t* bytes, size_t length) {
  for (size_t i = 0; i + 1 < length; i++) {
    if (bytes[i] != 0) return false;
  }
  return bytes[length - 1] == 0x80;
}

int64_t signedInteger(const uint8_t* bytes, size_t length) {
  uint64_t value = littleEndian(bytes, length);
  if (length < 8 && (value >> (8 * length - 1))) value |= ~uint64_t{0} << (8 * length);
  int64_t out;
  std::memcpy(&out, &value, sizeof out);
  return out;
}

/// Type A. An F in the highest digit is a minus sign; any other letter is an error display (annex B).
bool bcd(const uint8_t* bytes, size_t length, double& value) {
  double sum = 0;
  bool negative = false;
  for (size_t i = length; i-- > 0;) {
    const unsigned high = bytes[i] >> 4;
    const unsigned low = bytes[i] & 15;
    if (i == length - 1 && high == 15) negative = true;
    else if (high > 9) return false;
    if (low > 9) return false;
    sum = sum * 100 + (negative && i == length - 1 ? 0 : high * 10) + low;
  }
  value = negative ? -sum : sum;
  return true;
}

bool leap(unsigned year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

bool validDate(unsigned year, unsigned month, unsigned day) {
  static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  return day <= days[month - 1] + (month == 2 && leap(year) ? 1u : 0u);
}

void setTime(Record& record, Kind kind, bool valid, double packed) {
  record.kind = valid ? kind : Kind::kInvalid;
  record.value = valid ? packed : 0;
  if (!valid) record.quality = Quality::kInvalid;
}

/// Two bytes as in types F, G and I: 3 low bits of the year above the day, 4 high bits above the month.
struct Day {
  unsigned year, month, day;
  explicit Day(const uint8_t* b) : year((b[0] >> 5) | ((b[1] & 0xF0) >> 1)), month(b[1] & 15), day(b[0] & 31) {}
  bool valid() const { return year <= 99 && validDate(2000 + year, month, day); }
};

void typeG(const uint8_t* b, Record& record) {
  const Day d(b);
  setTime(record, Kind::kDate, d.valid(), packTime(2000 + d.year, d.month, d.day, 0, 0, 0));
}

/// A time that the meter marks as invalid (IV) is what its clock shows, and nothing to rely on.
void setClockTime(Record& record, Kind kind, bool real, bool marked, double packed) {
  setTime(record, kind, real, packed);
  if (real && marked) record.quality = Quality::kDoubtful;
}

/// Two bits above the hour count the centuries from 1900; years 0 to 80 without them are 2000 to 2080 (annex A).
void typeF(const uint8_t* b, Record& record) {
  const Day d(b + 2);
  const unsigned minute = b[0] & 63;
  const unsigned hour = b[1] & 31;
  const unsigned hundreds = (b[1] >> 5) & 3;
  const unsigned century = hundreds == 0 && d.year <= 80 ? 2000 : 1900 + 100 * hundreds;
  const bool real = d.valid() && minute < 60 && hour < 24;
  setClockTime(record, Kind::kMinute, real, b[0] & 0x80, packTime(century + d.year, d.month, d.day, hour, minute, 0));
}

void typeI(const uint8_t* b, Record& record) {
  const Day d(b + 3);
  const unsigned second = b[0] & 63;
  const unsigned minute = b[1] & 63;
  const unsigned hour = b[2] & 31;
  const bool real = d.valid() && second < 60 && minute < 60 && hour < 24;
  setClockTime(record, Kind::kSecond, real, b[1] & 0x80, packTime(2000 + d.year, d.month, d.day, hour, minute, second));
}

void typeJ(const uint8_t* b, Record& record) {
  const unsigned second = b[0] & 63;
  const unsigned minute = b[1] & 63;
  const unsigned hour = b[2] & 31;
  setTime(record, Kind::kClock, second < 60 && minute < 60 && hour < 24, packTime(0, 0, 0, hour, minute, second));
}

bool isDate(const Record& record, const Meaning& meaning) {
  if (record.modifiers & kDateOf) return true;
  switch (meaning.quantity) {
    case Quantity::kDate:
    case Quantity::kDateTime:
    case Quantity::kTariffStart:
    case Quantity::kBatteryChange: return true;
    default: return false;
  }
}

bool time(const uint8_t* data, size_t length, Record& record) {
  switch (length) {
    case 2: typeG(data, record); return true;
    case 3: typeJ(data, record); return true;
    case 4: typeF(data, record); return true;
    case 6: typeI(data, record); return true;
    default: return false;
  }
}

void setNumber(Record& record, const Meaning& meaning, double raw) {
  record.kind = Kind::kNumber;
  record.value = scaled(raw, meaning.exponent) * meaning.factor + meaning.offset;
}

void setInvalid(Record& record) {
  record.kind = Kind::kInvalid;
  record.quality = Quality::kInvalid;
}

/// Data field 1…7 and 9…Eh: length in bytes. 0 and 8 have none; Dh says it itself.
size_t fixedLength(uint8_t field) {
  static const uint8_t lengths[] = {0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, 0, 6, 0};
  return lengths[field & 15];
}

void readFixedData(const uint8_t* data, uint8_t field, const Meaning& meaning, Record& record) {
  const size_t length = record.dataLength;
  if (length == 0) return;
  const bool integer = field < 8 && field != 5;
  if (integer && isDate(record, meaning) && time(data, length, record)) return;
  if (integer && (record.modifiers & kUnsigned)) {
    setNumber(record, meaning, static_cast<double>(littleEndian(data, length)));
  } else if (integer) {
    setNumber(record, meaning, static_cast<double>(signedInteger(data, length)));
    // A bare number may be one without a sign (states, counts).
    if (meaning.unit != Unit::kNone && isNoValue(data, length)) record.quality = Quality::kInvalid;
  } else if (field == 5) {
    const uint32_t bits = static_cast<uint32_t>(littleEndian(data, 4));
    float real;
    std::memcpy(&real, &bits, sizeof real);
    if (std::isfinite(real)) setNumber(record, meaning, static_cast<double>(real));
    else setInvalid(record);
  } else {
    double raw;
    if (bcd(data, length, raw)) setNumber(record, meaning, raw);
    else setInvalid(record);
  }
}

/// LVAR, EN 13757-3 table 5: the length of what follows, false where reserved.
bool variableLength(uint8_t lvar, size_t& length) {
  if (lvar <= 0xBF) length = lvar;
  else if (lvar <= 0xC9) length = lvar - 0xC0;
  else if (lvar >= 0xD0 && lvar <= 0xD9) length = lvar - 0xD0;
  else if (lvar >= 0xE0 && lvar <= 0xEF) length = lvar - 0xE0;
  else if (lvar >= 0xF0 && lvar <= 0xF4) length = 4u * (lvar - 0xEC);
  else if (lvar == 0xF5) length = 48;
  else if (lvar == 0xF6) length = 64;
  else return false;
  return true;
}

Stop readVariableData(Cursor& in, const Meaning& meaning, Record& record) {
  uint8_t lvar;
  if (!in.next(lvar)) return Stop::kCutData;
  size_t length = 0;
  if (!variableLength(lvar, length)) return Stop::kBadLength;
  if (length > in.left()) return Stop::kCutData;
  record.dataStart = static_cast<uint32_t>(in.at);
  record.dataLength = static_cast<uint32_t>(length);
  const uint8_t* data = in.bytes + in.at;
  in.at += length;
  record.kind = lvar <= 0xBF ? Kind::kText : Kind::kBinary;
  if (length == 0) record.kind = Kind::kText;
  const bool number = lvar >= 0xC0 && lvar <= 0xD9;
  double raw;
  if (number && length > 0) {
    if (bcd(data, length, raw)) setNumber(record, meaning, lvar >= 0xD0 ? -raw : raw);
    else setInvalid(record);
  }
  if (record.modifiers & (kCompactProfile | kCompactRegister | kInverseProfile)) record.kind = Kind::kBinary;
  return Stop::kEnd;
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
  const uint8_t field = dif & 15;
  if (field == 13) return readVariableData(in, meaning, record);
  const size_t length = fixedLength(field);
  if (length > in.left()) return Stop::kCutData;
  record.dataStart = static_cast<uint32_t>(in.at);
  record.dataLength = static_cast<uint32_t>(length);
  readFixedData(in.bytes + in.at, field, meaning, record);
  in.at += length;
  return Stop::kEnd;
}

/// DIF 0Fh and 1Fh: what follows is the manufacturer's.
void readRest(Cursor& in, uint8_t dif, Record& record) {
  record.function = dif == 0x1F ? Function::kMore : Function::kMfct;
  record.kind = Kind::kBinary;
  record.quantity = static_cast<uint32_t>(Quantity::kManufacturerSpecific);
  record.modifiers = kManufacturer;
  record.vibStart = record.headerEnd = record.dataStart = static_cast<uint32_t>(in.at);
  record.dataLength = static_cast<uint32_t>(in.left());
  in.at = in.length;
}

}  // namespace

double packTime(unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute, unsigned second) {
  return ((((year * 16.0 + month) * 32 + day) * 32 + hour) * 64 + minute) * 64 + second;
}

double scaled(double raw, int exponent) {
  return exponent < 0 ? raw / powerOfTen(-exponent) : raw * powerOfTen(exponent);
}

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

// ---------- fixed data structure ----------

namespace {

struct FixedUnit {
  Quantity quantity;
  Unit unit;
  int exponent;
  double factor;
};

/// Table of the units of the fixed data structure (EN 13757-3, annex on the fixed structure), 6 bits.
FixedUnit fixedUnit(unsigned code) {
  if (code >= 0x02 && code <= 0x0A) return {Quantity::kEnergy, Unit::kWh, static_cast<int>(code) - 2, 1};
  if (code >= 0x0B && code <= 0x13) return {Quantity::kEnergy, Unit::kJ, static_cast<int>(code) - 0x0B + 3, 1};
  if (code >= 0x14 && code <= 0x1C) return {Quantity::kPower, Unit::kW, static_cast<int>(code) - 0x14, 1};
  if (code >= 0x1D && code <= 0x25) return {Quantity::kPower, Unit::kW, static_cast<int>(code) - 0x1D + 3, 1.0 / 3600};
  if (code >= 0x26 && code <= 0x2E) return {Quantity::kVolume, Unit::kM3, static_cast<int>(code) - 0x26 - 6, 1};
  if (code >= 0x2F && code <= 0x37) return {Quantity::kVolumeFlow, Unit::kM3h, static_cast<int>(code) - 0x2F - 6, 1};
  if (code == 0x38) return {Quantity::kExternalTemperature, Unit::kC, -3, 1};
  if (code == 0x39) return {Quantity::kHca, Unit::kHca, 0, 1};
  return {Quantity::kCounter, Unit::kNone, 0, 1};
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
  FixedUnit unit = fixedUnit(bytes[6] & 0x3F);
  for (size_t i = 0; i < 2; i++) {
    const unsigned code = bytes[6 + i] & 0x3F;
    // 3Eh of the second counter: the same unit, historic.
    if (i == 1 && code != 0x3E) unit = fixedUnit(code);
    Record& record = out[i];
    record = Record{};
    record.function = stored || code == 0x3E ? Function::kStored : Function::kActual;
    record.quantity = static_cast<uint32_t>(unit.quantity);
    record.unit = static_cast<uint32_t>(unit.unit);
    record.exponent = unit.exponent;
    record.start = record.vibStart = 6 + static_cast<uint32_t>(i);
    record.headerEnd = record.start + 1;
    record.dataStart = static_cast<uint32_t>(8 + 4 * i);
    record.dataLength = 4;
    const Meaning meaning{unit.quantity, unit.unit, unit.exponent, unit.factor, 0};
    double raw = static_cast<double>(littleEndian(bytes + record.dataStart, 4));
    if (binary || bcd(bytes + record.dataStart, 4, raw)) setNumber(record, meaning, raw);
    else setInvalid(record);
  }
  result.count = 2;
  return result;
}

}  // namespace mbus
