#!/bin/sh
# Fuzzes the M-Bus parser under ASan and UBSan.
#   fuzz-mbus-parser.sh [EXECUTIONS] [SEED]   one slice; with clang it is libFuzzer and keeps its corpus, so that slices
#                                             add up; else a seeded driver by g++
#   fuzz-mbus-parser.sh total                 executions of all slices of the parser as it is now
#   fuzz-mbus-parser.sh coverage              what the corpus reaches, by llvm-cov (clang only)
# All is kept in HEARTH_FUZZ_DIR (default: ~/.cache/hearth-fuzz). A finding is left in findings/ there; its bytes then
# belong into test/codecs/mbus.test.ts.
set -eu
cd "$(dirname "$0")/../firmware/codecs/mbus-parser"
kept=${HEARTH_FUZZ_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/hearth-fuzz}
corpus=$kept/corpus
# Executions of another parser prove nothing of this one.
parser="parser.cc data.cc fixed.cc vif.cc"
sources="fuzz.cc $parser"
# shellcheck disable=SC2086
version=$(cat $sources ./*.h | sha256sum | cut -c1-12)
log=$kept/executions-$version
flags="-std=c++17 -O2 -g -Wall -Wextra -fno-omit-frame-pointer"
sanitize="address,undefined -fno-sanitize-recover=all"
mkdir -p "$corpus" "$kept/findings"
touch "$log"

clang=
for suffix in "" -21 -20 -19 -18 -17 -16 -15 -14; do # as Debian names them
  if command -v "clang++$suffix" >/dev/null 2>&1; then
    clang=clang++$suffix
    break
  fi
done

case ${1:-} in
  total)
    awk '{ sum += $1 } END { printf "%d executions in %d slices without a finding\n", sum, NR }' "$log"
    exit ;;
  coverage)
    # shellcheck disable=SC2086
    "$clang" $flags -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping $sources -o "$kept/coverage"
    LLVM_PROFILE_FILE=$kept/profraw "$kept/coverage" -runs=0 "$corpus" 2>/dev/null
    "llvm-profdata$suffix" merge -o "$kept/profdata" "$kept/profraw"
    exec "llvm-cov$suffix" report "$kept/coverage" -instr-profile="$kept/profdata" $parser ;;
esac

runs=${1:-1000000}
seed=${2:-1}
if [ -n "$clang" ]; then
  binary=$kept/libfuzzer-$version
  if [ ! -x "$binary" ]; then
    # shellcheck disable=SC2086
    "$clang" $flags -fsanitize=fuzzer,$sanitize $sources -o "$binary"
  fi
  "$binary" -runs="$runs" -seed="$seed" -max_len="${HEARTH_FUZZ_BYTES:-512}" -verbosity=0 -print_final_stats=1 \
    -artifact_prefix="$kept/findings/" "$corpus" 2>"$kept/log" || { cat "$kept/log" >&2; exit 1; }
  done=$(sed -n 's/^stat::number_of_executed_units: *//p' "$kept/log")
else
  # shellcheck disable=SC2086
  g++ $flags -fsanitize=$sanitize -DHEARTH_FUZZ_MAIN $sources -o "$kept/driver"
  "$kept/driver" "$runs" "$seed"
  done=$runs
fi
echo "$done" >>"$log"
echo "$done executions from seed $seed without a finding"
