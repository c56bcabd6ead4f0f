#!/bin/sh
# Generates the Python stubs into BUILD_FOLDER/python and runs python_scheduler.py on them.
#   examples/run_python.sh BUILD_FOLDER [--master ADDRESS] [--count N]
# Exit code 77: this machine has no grpc for Python.
set -eu
if [ $# -lt 1 ]; then
  echo "usage: $0 BUILD_FOLDER [--master ADDRESS] [--count N]" >&2
  exit 2
fi
source_dir=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1/python"
out=$(cd "$1/python" && pwd)
shift
# The distribution's own: its protobuf is of the same release as its protoc.
python=/usr/bin/python3
if ! "$python" -c 'import google.protobuf, grpc' 2>/dev/null; then
  echo "skipped: python3-grpcio or python3-protobuf is not installed" >&2
  exit 77
fi
protoc -I"$source_dir/proto" --python_out="$out" --grpc_python_out="$out" \
  --plugin=protoc-gen-grpc_python="$(command -v grpc_python_plugin)" \
  "$source_dir"/proto/proffer/v1/*.proto
export PYTHONPATH=$out PYTHONDONTWRITEBYTECODE=1
exec "$python" "$source_dir/examples/python_scheduler.py" "$@"
