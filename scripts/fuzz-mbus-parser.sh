#!/bin/sh
# Fuzzes the M-Bus parser under ASan and UBSan.
#   fuzz-mbus-parser.sh [EXECUTIONS] [SEED]   one slice; with clang it is libFuzzer and keeps its corpus in
#                                             build/fuzz-corpus, so that slices add up; else a seeded driver by g++
#   fuzz-mbus-parser.sh total                 executions of all slices so far
#   fuzz-mbus-parser.sh coverage              what the corpus reaches, by llvm-cov (clang only)
# A finding is left in build/fuzz-findings; its bytes then belong into test/codecs/mbus-parser.test.ts.
set -eu
cd "$(dirname "$0")/../firmware/codecs/mbus-parser"
corpus=build/fuzz-corpus
log=build/fuzz-executions
sources="fuzz.cc parser.cc vif.cc"
flags="-std=c++17 -O2 -g -Wall -Wextra -fno-omit-frame-pointer"
sanitize="address,undefined -fno-sanitize-recover=all"
mkdir -p "$corpus" build/fuzz-findings

clang=
for version in "" -21 -20 -19 -18 -17 -16 -15 -14; do # as Debian names them
  if command -v "clang++$version" >/dev/null 2>&1; then
    clang=clang++$version
    break
  fi
done

case ${1:-} in
  total)
    awk '{ sum += $1 } END { printf "%d executions in %d slices without a finding\n", sum, NR }' "$log"
    exit ;;
  coverage)
    # shellcheck disable=SC2086
    "$clang" $flags -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping $sources -o build/fuzz-coverage
    LLVM_PROFILE_FILE=build/fuzz.profraw build/fuzz-coverage -runs=0 "$corpus" 2>/dev/null
    "llvm-profdata$version" merge -o build/fuzz.profdata build/fuzz.profraw
    exec "llvm-cov$version" report build/fuzz-coverage -instr-profile=build/fuzz.profdata parser.cc vif.cc ;;
esac

runs=${1:-1000000}
seed=${2:-1}
if [ -n "$clang" ]; then
  binary=build/fuzz-libfuzzer
  if [ ! -x "$binary" ] || [ -n "$(find . -maxdepth 1 \( -name '*.cc' -o -name '*.h' \) -newer "$binary")" ]; then
    # shellcheck disable=SC2086
    "$clang" $flags -fsanitize=fuzzer,$sanitize $sources -o "$binary"
  fi
  "$binary" -runs="$runs" -seed="$seed" -max_len="${HEARTH_FUZZ_BYTES:-512}" -verbosity=0 -print_final_stats=1 \
    -artifact_prefix=build/fuzz-findings/ "$corpus" 2>build/fuzz.log || { cat build/fuzz.log >&2; exit 1; }
  done=$(sed -n 's/^stat::number_of_executed_units: *//p' build/fuzz.log)
else
  # shellcheck disable=SC2086
  g++ $flags -fsanitize=$sanitize -DHEARTH_FUZZ_MAIN $sources -o build/fuzz
  build/fuzz "$runs" "$seed"
  done=$runs
fi
echo "$done" >>"$log"
echo "$done executions from seed $seed without a finding"
