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

# The homeowner's page. Node 24 of the packages where there is one, else the machine's.
PATH="$PWD/node_modules/.bin:$PATH" node scripts/build-page.ts --if-stale
