#!/usr/bin/env bash
# Builds and runs tests/chaos: real clusters in network namespaces of their own, broken in every way.
#   scripts/chaos.sh --runs N [--seed S] [--minutes M] [--faults_ms MS]
# Needs root. Exit 0 only without violations; one line a run; a line for docs/chaos-ledger.tsv.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh release proffer-chaos
commit=$(git rev-parse --short HEAD)
git diff --quiet HEAD -- src include proto tests || commit+="+"
ledger=docs/chaos-ledger.tsv
# Another name than the default seed: without --seed each campaign sees other runs.
seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
exec build/release/bin/proffer-chaos --seed "$seed" --commit "$commit" --ledger "$ledger" "$@"
