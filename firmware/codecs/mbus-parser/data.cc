#include "data.h"

#include <cmath>
#include <cstring>

namespace mbus {

uint64_t littleEndian(const uint8_t* bytes, size_t length) {
  uint64_t value = 0;
  for (size_t i = 0; i < length && i < 8; i++) value |= static_cast<uint64_t>(bytes[i]) << (8 * i);
  return value;
}

namespace {

double powerOfTen(int exponent) {
  static const double table[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  return exponent <= 22 ? table[exponent] : std::pow(10.0, exponent);
}

/// raw × 10^exponent, rounded once where the power is exact.
double scaled(double raw, int exponent) {
  return exponent < 0 ? raw / powerOfTen(-exponent) : raw * powerOfTen(exponent);
}

/// A moment as one exact number: ((((year·16 + month)·32 + day)·32 + hour)·64 + minute)·64 + second.
double packTime(unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute, unsigned second) {
  return ((((year * 16.0 + month) * 32 + day) * 32 + hour) * 64 + minute) * 64 + second;
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

void setInvalid(Record& record) {
  record.kind = Kind::kInvalid;
  record.quality = Quality::kInvalid;
}

void setTime(Record& record, Kind kind, bool valid, double packed) {
  if (!valid) return setInvalid(record);
  record.kind = kind;
  record.value = packed;
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

void setInteger(const uint8_t* data, size_t length, const Meaning& meaning, Record& record) {
  if (isDate(record, meaning) && time(data, length, record)) return;
  if (record.modifiers & kUnsigned) return setUnsigned(data, length, meaning, record);
  setNumber(record, meaning, static_cast<double>(signedInteger(data, length)));
  // A bare number may be one without a sign (states, counts).
  if (meaning.unit != Unit::kNone && isNoValue(data, length)) record.quality = Quality::kInvalid;
}

void setReal(const uint8_t* data, const Meaning& meaning, Record& record) {
  const uint32_t bits = static_cast<uint32_t>(littleEndian(data, 4));
  float real;
  std::memcpy(&real, &bits, sizeof real);
  if (std::isfinite(real)) setNumber(record, meaning, static_cast<double>(real));
  else setInvalid(record);
}

/// Data field 1…7 and 9…Eh: length in bytes. 0 and 8 have none; Dh says it itself.
size_t fixedLength(uint8_t field) {
  static const uint8_t lengths[] = {0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, 0, 6, 0};
  return lengths[field & 15];
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
  const uint8_t* data = in.take(length, record);
  if (!data) return Stop::kCutData;
  record.kind = lvar <= 0xBF || length == 0 ? Kind::kText : Kind::kBinary;
  const bool number = lvar >= 0xC0 && lvar <= 0xD9;
  if (number && length > 0) setDecimal(data, length, lvar >= 0xD0, meaning, record);
  if (record.modifiers & (kCompactProfile | kCompactRegister | kInverseProfile)) record.kind = Kind::kBinary;
  return Stop::kEnd;
}

}  // namespace

void setUnsigned(const uint8_t* data, size_t length, const Meaning& meaning, Record& record) {
  setNumber(record, meaning, static_cast<double>(littleEndian(data, length)));
}

void setDecimal(const uint8_t* data, size_t length, bool negative, const Meaning& meaning, Record& record) {
  double raw;
  if (bcd(data, length, raw)) setNumber(record, meaning, negative ? -raw : raw);
  else setInvalid(record);
}

Stop readData(Cursor& in, uint8_t field, const Meaning& meaning, Record& record) {
  if (field == 13) return readVariableData(in, meaning, record);
  const size_t length = fixedLength(field);
  const uint8_t* data = in.take(length, record);
  if (!data) return Stop::kCutData;
  if (length == 0) return Stop::kEnd;
  if (field == 5) setReal(data, meaning, record);
  else if (field < 8) setInteger(data, length, meaning, record);
  else setDecimal(data, length, false, meaning, record);
  return Stop::kEnd;
}

}  // namespace mbus
