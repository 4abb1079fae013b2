#!/bin/sh
# Fuzzes the M-Bus parser under ASan and UBSan: fuzz-mbus-parser.sh [EXECUTIONS] [SEED]. With clang it is libFuzzer
# and keeps its corpus in build/fuzz-corpus, so that slices add up; without, a seeded driver built by g++.
set -eu
cd "$(dirname "$0")/../firmware/codecs/mbus-parser"
runs=${1:-1000000}
seed=${2:-1}
mkdir -p build/fuzz-corpus
sources="fuzz.cc parser.cc vif.cc"
flags="-std=c++17 -O1 -g -Wall -Wextra -fno-omit-frame-pointer -fno-sanitize-recover=all"
if command -v clang++ >/dev/null 2>&1; then
  # shellcheck disable=SC2086
  clang++ $flags -fsanitize=fuzzer,address,undefined $sources -o build/fuzz
  exec build/fuzz -runs="$runs" -seed="$seed" -max_len=1024 build/fuzz-corpus
fi
# shellcheck disable=SC2086
g++ $flags -fsanitize=address,undefined -DHEARTH_FUZZ_MAIN $sources -o build/fuzz
exec build/fuzz "$runs" "$seed"
