#!/usr/bin/env bash
# clang-tidy with the allow-list of .clang-tidy over our sources, or over the files named.
#   scripts/tidy.sh [FILE...]
set -euo pipefail
cd "$(dirname "$0")/.."
[[ -f build/clang/compile_commands.json ]] || cmake --preset clang -Wno-dev >/dev/null
files=("$@")
[[ ${#files[@]} -gt 0 ]] || mapfile -t files < <(git ls-files \
  'src/**/core/*.cc' 'src/allocator/*.cc' 'src/common/values/*.cc' 'src/common/base/*.cc')
printf '%s\n' "${files[@]}" | xargs -P2 -n4 clang-tidy-14 --quiet -p build/clang 2>/dev/null
