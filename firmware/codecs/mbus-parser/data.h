// The data field of a record: types A to J of EN 13757-3, annex A, and variable length.
#ifndef HEARTH_MBUS_DATA_H
#define HEARTH_MBUS_DATA_H

#include "parser.h"
#include "vif.h"

namespace mbus {

/// Where the walk over a payload stands; the only way to its bytes.
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
  /// The next `count` bytes as the data of the record; null where there are fewer.
  const uint8_t* take(size_t count, Record& record) {
    if (count > left()) return nullptr;
    const uint8_t* data = bytes + at;
    record.dataStart = static_cast<uint32_t>(at);
    record.dataLength = static_cast<uint32_t>(count);
    at += count;
    return data;
  }
};

/// What follows DIB and VIB; `field` is the low nibble of the DIF.
Stop readData(Cursor& in, uint8_t field, const Meaning& meaning, Record& record);

/// Type C.
void setUnsigned(const uint8_t* data, size_t length, const Meaning& meaning, Record& record);

/// Type A, BCD; `negative` where a sign stands elsewhere. Invalid where a digit is none.
void setDecimal(const uint8_t* data, size_t length, bool negative, const Meaning& meaning, Record& record);

}  // namespace mbus

#endif
