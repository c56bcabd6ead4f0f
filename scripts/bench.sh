#!/usr/bin/env bash
# Builds the release preset and runs benchmarks: a table on the screen, JSON in a file.
#   scripts/bench.sh [NAME...] [--json FILE]
# NAME is a part of a benchmark's name, for instance "allocator" or "e2e/latency".
set -euo pipefail
cd "$(dirname "$0")/.."
benches=(allocator_bench master_bench e2e_bench agents_bench failover_bench neighbour_bench
         abuse_bench)
scripts/build.sh release "${benches[@]}" proffer proffer-{master,agent,launcher} >/dev/null
for bench in "${benches[@]}"; do
  "build/release/bin/$bench" "$@"
done
