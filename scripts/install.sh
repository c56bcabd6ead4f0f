#!/usr/bin/env bash
# Installs the Debian packages that building, testing and running Proffer needs.
# Does nothing, quickly, when all are there. Needs root only when something is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  cmake ninja-build g++ ccache mold git
  libgrpc++-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libabsl-dev
  libgoogle-glog-dev libgflags-dev libleveldb-dev libsnappy-dev libcli11-dev
  libyaml-cpp-dev prometheus-cpp-dev zlib1g-dev libre2-dev libzookeeper-mt-dev
  libgtest-dev libgmock-dev libbenchmark-dev
  python3 python3-grpcio python3-protobuf
  default-jre-headless libzookeeper-java # ZooKeeper servers, for tests; starts nothing.
)
# Only what scripts/test.sh --all adds: a second compiler, the linters, what chaos cuts networks
# with, and the virtual machine that has nothing but cgroup v2, with Debian's own kernel (not
# installed: only taken from its package).
guest_kernel=
if [[ "${1:-}" == "--all" ]]; then
  packages+=(clang-14 clang-format-14 clang-tidy-14)
  packages+=(iproute2 nftables)
  packages+=(qemu-system-x86 busybox-static cpio)
  packages+=(prometheus)  # For promtool.
  guest_kernel=build/guest/vmlinuz
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
    missing+=("$package")
done
wants_kernel=false
[[ -z $guest_kernel || -r $guest_kernel ]] || wants_kernel=true
[[ ${#missing[@]} -eq 0 ]] && ! $wants_kernel && exit 0

as_root=()
[[ $(id -u) -eq 0 ]] || as_root=(sudo)
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q
if [[ ${#missing[@]} -gt 0 ]]; then
  echo "installing: ${missing[*]}"
  "${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
fi

if $wants_kernel; then
  # The package one asks for is empty and names the one that has the newest kernel.
  package=$(apt-cache depends linux-image-cloud-amd64 |
    sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
  [[ -n $package ]] || {
    echo "linux-image-cloud-amd64 names no kernel; the tests in a guest will be skipped" >&2
    exit 0
  }
  echo "fetching the kernel of $package into $guest_kernel"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  chmod 755 "$work" # apt downloads as a user of its own.
  [[ $(id -u) -ne 0 ]] || chown _apt "$work"
  (cd "$work" && apt-get download -q "$package")
  dpkg-deb --fsys-tarfile "$work"/*.deb | tar -x -C "$work" ./boot
  mkdir -p "${guest_kernel%/*}"
  mv "$work"/boot/vmlinuz-* "$guest_kernel"
fi
