// Fuzzing of the parser core alone. With clang: libFuzzer. With g++ (HEARTH_FUZZ_MAIN): a seeded driver that
// mutates the corpus, so that a run can be repeated. Both under ASan and UBSan; see scripts/fuzz-mbus-parser.sh.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "parser.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// What must hold for every record, whatever the bytes were.
void check(const mbus::Result& result, const mbus::Record* records, size_t capacity, size_t size) {
  require(result.count <= capacity && result.count <= mbus::kMaxRecords);
  for (size_t i = 0; i < result.count; i++) {
    const mbus::Record& r = records[i];
    require(r.quantity < mbus::kQuantityCount && r.unit < mbus::kUnitCount);
    require(r.start <= r.headerEnd && r.vibStart <= r.headerEnd && r.headerEnd <= size);
    require(static_cast<size_t>(r.dataStart) + r.dataLength <= size);
    require(static_cast<size_t>(r.nameStart) + r.nameLength <= size);
    require(std::isfinite(r.value));
    // Each record begins after the one before: no byte is read twice, so that time is bounded by the length.
    require(i == 0 || r.start > records[i - 1].start);
  }
}

void run(const uint8_t* data, size_t size) {
  static mbus::Record records[mbus::kMaxRecords];
  // A copy of exactly this size, so that one byte too far is seen.
  std::unique_ptr<uint8_t[]> bytes(new uint8_t[size]);
  if (size > 0) std::memcpy(bytes.get(), data, size);
  check(mbus::parseVariable(bytes.get(), size, records, mbus::kMaxRecords), records, mbus::kMaxRecords, size);
  check(mbus::parseVariable(bytes.get(), size, records, 2), records, 2, size);
  check(mbus::parseFixed(bytes.get(), size, records, mbus::kMaxRecords), records, mbus::kMaxRecords, size);
}

}  // namespace

#ifndef HEARTH_FUZZ_MAIN

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  run(data, size);
  return 0;
}

#else

namespace {

uint64_t state;

uint32_t random32() {  // xorshift64*
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return static_cast<uint32_t>((state * 0x2545F4914F6CDD1DULL) >> 32);
}

constexpr size_t kRoom = 600;
// Bytes that mean something: extension chains, special DIFs, variable lengths, extension tables.
const uint8_t kTelling[] = {0x0D, 0x0F, 0x1F, 0x2F, 0x7F, 0x80, 0x8B, 0xBF, 0xC1, 0xC9, 0xD1, 0xE3, 0xEF,
                            0xF0, 0xF4, 0xF5, 0xF6, 0xF7, 0xFB, 0xFC, 0xFD, 0xFE, 0xFF, 0x7C, 0x6D, 0x6C};
const uint8_t kSeed[] = {0x0C, 0x78, 0x23, 0x15, 0x01, 0x09, 0x0D, 0x7C, 0x08, 0x44, 0x49, 0x20, 0x2E, 0x74, 0x73,
                         0x75, 0x63, 0x0A, 0x35, 0x35, 0x37, 0x36, 0x37, 0x30, 0x41, 0x4C, 0x39, 0x30, 0x04, 0x6D,
                         0x1A, 0x0E, 0xCD, 0x13, 0x04, 0x93, 0x7F, 0, 0, 0, 0, 0x8D, 0x04, 0xEE, 0x1F, 0x04, 0x72,
                         0xFE, 0x01, 0x00, 0x05, 0x2B, 0x00, 0x00, 0x80, 0x3F, 0x0F, 0x00, 0x1F};

size_t mutate(uint8_t* bytes) {
  size_t size = sizeof kSeed;
  std::memcpy(bytes, kSeed, size);
  if (random32() % 4 == 0) {
    size = random32() % kRoom;
    for (size_t i = 0; i < size; i++) bytes[i] = static_cast<uint8_t>(random32());
  }
  for (uint32_t n = random32() % 12; n > 0 && size > 0; n--) {
    const size_t at = random32() % size;
    switch (random32() % 4) {
      case 0: bytes[at] ^= static_cast<uint8_t>(1u << (random32() % 8)); break;
      case 1: bytes[at] = kTelling[random32() % sizeof kTelling]; break;
      case 2: size = at; break;
      default:
        if (size < kRoom) {
          std::memmove(bytes + at + 1, bytes + at, size - at);
          bytes[at] = kTelling[random32() % sizeof kTelling];
          size++;
        }
    }
  }
  return size;
}

}  // namespace

int main(int argc, char** argv) {
  const uint64_t runs = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1000000;
  const uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  state = seed * 0x9E3779B97F4A7C15ULL + 1;
  static uint8_t bytes[kRoom];
  for (uint64_t i = 0; i < runs; i++) run(bytes, mutate(bytes));
  std::printf("%llu executions from seed %llu without a finding\n", static_cast<unsigned long long>(runs),
              static_cast<unsigned long long>(seed));
  return 0;
}

#endif
