#!/usr/bin/env bash
# Installs the Debian packages that building, testing and running Proffer needs.
# Does nothing, quickly, when all are there. Needs root only when something is missing.
set -euo pipefail

packages=(
  cmake ninja-build g++ ccache mold git
  libgrpc++-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libabsl-dev
  libgoogle-glog-dev libgflags-dev libleveldb-dev libsnappy-dev libcli11-dev
  libyaml-cpp-dev zlib1g-dev libre2-dev
  libgtest-dev libgmock-dev libbenchmark-dev
  python3 python3-grpcio python3-protobuf
)
# Only what scripts/test.sh --all adds: a second compiler and the linters.
if [[ "${1:-}" == "--all" ]]; then
  packages+=(clang-14 clang-format-14 clang-tidy-14)
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
    missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

echo "installing: ${missing[*]}"
as_root=()
[[ $(id -u) -eq 0 ]] || as_root=(sudo)
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q
"${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
