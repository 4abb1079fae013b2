// The M-Bus application layer, EN 13757-3:2018: payload bytes in, data records out. Plain C++17 without Node, so
// that it can be fuzzed alone. No allocation, no exception, no global state that changes; every read is bounded.
#ifndef HEARTH_MBUS_PARSER_H
#define HEARTH_MBUS_PARSER_H

#include <cstddef>
#include <cstdint>

namespace mbus {

constexpr size_t kMaxRecords = 256;
constexpr size_t kMaxExtensions = 10;  // DIFE and VIFE, EN 13757-3, 6.3.2 and 6.4
constexpr size_t kMaxPayload = 4096;

/// Why the walk over the records stopped.
enum class Stop : int32_t {
  kEnd = 0,
  kCutHeader = 1,     // the payload ends within a DIB or VIB
  kCutData = 2,       // the payload ends within the data of a record
  kTooManyDife = 3,
  kTooManyVife = 4,
  kTextTooLong = 5,   // the text of a plain-text VIF runs past the end
  kBadLength = 6,     // reserved LVAR
  kTooManyRecords = 7,
  kOversized = 8,
  kBadFixed = 9,      // fixed data structure of another length
};

enum class Function : int32_t { kInst, kMax, kMin, kError, kMfct, kMore, kActual, kStored };

/// What `value` and the data bytes are.
enum class Kind : int32_t {
  kNothing,   // no data field
  kNumber,    // value
  kDate,      // value: packed, see packTime in data.cc
  kMinute,    // date and time to the minute
  kSecond,    // date and time to the second
  kClock,     // time of day
  kText,      // data bytes, last character first
  kBinary,    // data bytes
  kInvalid,   // the meter marks it as invalid, or it cannot be
};

enum class Quality : int32_t { kGood, kDoubtful, kInvalid };

/// The modifications by combinable VIFE that change the meaning of a value, as bits.
enum Modifier : uint32_t {
  kBackward = 1,        // accumulation of negative contributions only (3Ch)
  kForward = 2,         // accumulation of positive contributions only (3Bh)
  kCompactProfile = 4,  // 1Fh
  kCompactRegister = 8, // 1Eh
  kInverseProfile = 16, // 13h
  kManufacturer = 32,   // manufacturer specific VIF or VIFE
  kDerived = 64,        // a limit, an exceed count, a duration of, a rate: no longer the plain quantity
  kFuture = 128,        // 7Eh
  kDateOf = 256,        // date or time of an event
  kAverage = 512,       // 12h
  kUncorrected = 1024,  // value as measured, before a correction (3Ah)
  kUnsigned = 2048,     // data of type C (FCh 11h)
};

/// One row of what JavaScript reads: every field in 4 or 8 bytes at a fixed place, see FIELD of index.ts.
struct Record {
  double value = 0;        // in `unit`, without prefix
  uint64_t storage = 0;    // 41 bits
  Function function = Function::kInst;
  Kind kind = Kind::kNothing;
  Quality quality = Quality::kGood;
  uint32_t quantity = 0;   // index into quantityNames
  uint32_t unit = 0;       // index into unitNames
  uint32_t phase = 0;      // VIFE FCh: 1…3 L1…L3, 4 neutral, 5…7 L1-L2, L2-L3, L3-L1, 8…11 Q1…Q4
  uint32_t tariff = 0;     // 20 bits
  uint32_t subunit = 0;    // 10 bits
  uint32_t modifiers = 0;
  int32_t exponent = 0;    // value = raw × 10^exponent; the entries of a compact profile share it
  uint32_t vif = 0;        // VIF, or FBh/FDh <<8 | code; without extension bits
  uint32_t start = 0;      // DIB
  uint32_t vibStart = 0;
  uint32_t headerEnd = 0;  // end of the VIB
  uint32_t dataStart = 0;  // first data byte after LVAR
  uint32_t dataLength = 0;
  uint32_t nameStart = 0;  // text of a plain-text VIF, last character first
  uint32_t nameLength = 0;
};
static_assert(sizeof(Record) == 88 && alignof(Record) <= 8, "JavaScript reads this layout");

/// How many records were read, and where and why the walk stopped.
struct Result {
  size_t count = 0;
  Stop stop = Stop::kEnd;
  uint32_t stoppedAt = 0;
};

/// Variable data structure: the bytes after the header of the transport layer.
Result parseVariable(const uint8_t* bytes, size_t length, Record* out, size_t capacity);

/// Fixed data structure (CI 73h of wired M-Bus): the 16 bytes after CI; two counters.
Result parseFixed(const uint8_t* bytes, size_t length, Record* out, size_t capacity);

extern const char* const kQuantityNames[];
extern const size_t kQuantityCount;
extern const char* const kUnitNames[];
extern const size_t kUnitCount;

}  // namespace mbus

#endif
