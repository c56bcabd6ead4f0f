#!/usr/bin/env bash
# Builds and runs tests/chaos: real clusters in networks of their own, broken in every way.
#   scripts/chaos.sh --runs N [--seed S] [--minutes M] [--faults_ms MS]
# Needs root and nftables. Exit 0 only without violations; one line a run; a line for the campaign
# in docs/chaos-ledger.tsv. PROFFER_LEDGER names another file.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh release proffer-chaos
commit=$(git rev-parse --short HEAD)
git diff --quiet HEAD -- src include proto tests || commit+="+"
ledger="${PROFFER_LEDGER-docs/chaos-ledger.tsv}"
# Without --seed each campaign sees other runs.
seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
exec build/release/bin/proffer-chaos --seed "$seed" --commit "$commit" --ledger "$ledger" "$@"
