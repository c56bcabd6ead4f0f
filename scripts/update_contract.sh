#!/usr/bin/env bash
# Publishes the protos of today: from now on nothing in them may be removed or changed.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p tests/data/contract
protoc -Iproto --include_imports --descriptor_set_out=tests/data/contract/v1.descriptor.pb \
  proto/proffer/v1/*.proto
