#!/usr/bin/env bash
# Configures and builds a preset (default: release). Quick when nothing changed.
#   scripts/build.sh [PRESET] [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
preset="${1:-release}"
shift || true
# Two checkouts share compiled files, whatever their paths.
export CCACHE_BASEDIR="${CCACHE_BASEDIR:-$PWD}" CCACHE_NOHASHDIR=1
log="/tmp/proffer-configure-$$.log"
[[ -f "build/$preset/build.ninja" ]] || cmake --preset "$preset" -Wno-dev >"$log" 2>&1 || {
  cat "$log"
  exit 1
}
rm -f "$log"
NINJA_STATUS="[%f/%t %es] " exec ninja -C "build/$preset" "$@"
