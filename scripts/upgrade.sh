#!/usr/bin/env bash
# Upgrades a cluster under load from another commit to this tree, one daemon at a time, and back.
#   scripts/upgrade.sh [REV]     REV: any commit; default: the one before this
# Builds REV once, in build/rev-<hash>. Exit 0: nothing was lost, nothing started twice.
set -euo pipefail
cd "$(dirname "$0")/.."
rev=$(git rev-parse --short "${1:-HEAD~1}")
tree="build/rev-$rev"
daemons=(proffer-master proffer-agent proffer-launcher)
[[ -d "$tree" ]] || git worktree add --detach "$tree" "$rev" >/dev/null
echo "== build: $rev"
"$tree/scripts/build.sh" release "${daemons[@]}"
echo "== build: this tree"
scripts/build.sh release upgrade_test "${daemons[@]}"
echo "== from $rev to this tree and back"
PROFFER_OTHER_BIN="$PWD/$tree/build/release/bin" build/release/tests/cluster/upgrade_test
