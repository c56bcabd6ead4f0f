#!/usr/bin/env bash
# Runs tests in a small virtual machine that has nothing but cgroup v2, as Debian 12 does: Debian's
# own kernel in QEMU, without KVM, and a file system in memory that has the programs of a build
# directory at their own paths.
#   run_guest.sh BUILD_DIRECTORY 'PROGRAM [ARGUMENT...]'...
# PROGRAM is relative to the build directory. Ends with 0 if all of them did, with the code of the
# last that did not, and with 77 if there is no QEMU or no kernel (scripts/install.sh --all).
#   PROFFER_GUEST_KERNEL    another kernel image
#   PROFFER_GUEST_SECONDS   the longest the machine may run (600)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
kernel=${PROFFER_GUEST_KERNEL:-$here/../../../build/guest/vmlinuz}
seconds=${PROFFER_GUEST_SECONDS:-600}
[[ $# -ge 2 ]] || {
  echo "usage: run_guest.sh BUILD_DIRECTORY 'PROGRAM [ARGUMENT...]'..." >&2
  exit 2
}
build=$(cd "$1" && pwd)
shift

skip() {
  echo "skipped: $1; scripts/install.sh --all gets it"
  exit 77
}
for tool in qemu-system-x86_64 busybox cpio; do
  command -v $tool >/dev/null || skip "there is no $tool on this machine"
done
[[ -r $kernel ]] || skip "there is no kernel for the guest at $kernel"
ldd "$(command -v busybox)" >/dev/null 2>&1 && skip "busybox on this machine is not the static one"

# What tests and their tasks run, beside the programs themselves.
tools=(
  awk basename bash cat chmod chown chrt cp cut date dd df dirname dmesg echo env expr false find
  findmnt getent grep head hostname id kill ln ls mkdir mkfifo mknod mktemp mount mv nice nohup
  nproc nsenter od pgrep pkill prlimit printf ps pwd readlink realpath rm rmdir sed seq setpriv
  setsid sh sleep sort stat sync tail taskset tee test timeout touch tr true truncate umount uname
  uniq unshare wc xargs yes
)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root"/{usr/bin,usr/sbin,usr/lib,usr/lib64,guest,proc,sys,dev,run,root,etc,var/tmp}
mkdir -m 1777 "$root/tmp"
chmod 1777 "$root/var/tmp"
chmod 700 "$root/root"
for link in bin sbin lib lib64; do ln -s usr/$link "$root/$link"; done

files=("$(command -v busybox)")
for tool in "${tools[@]}"; do
  # `type -P`, because some of them are builtins of this shell too.
  path=$(type -P "$tool") || continue
  files+=("$path")
done
programs=("$build"/bin/proffer-launcher "$build"/bin/proffer-launcher-failpoints)
for command in "$@"; do programs+=("$build/${command%% *}"); done
# Static programs have none, which ldd calls a failure.
libraries=$( (ldd "${files[@]}" "${programs[@]}" 2>/dev/null || true) |
  grep -o '/[^ :]*\.so[^ :]*' | sort -u)
for file in "${files[@]}" $libraries; do
  mkdir -p "$root${file%/*}"
  cp -L "$file" "$root$file"
done
for program in "${programs[@]}"; do
  mkdir -p "$root${program%/*}"
  # The guest has to hold it in memory, and reads it at a crawl.
  strip --strip-debug -o "$root$program" "$program"
done

printf '%s\n' "$@" >"$root/guest/commands"
echo "$build" >"$root/guest/directory"
cat >"$root/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
END
cat >"$root/etc/group" <<'END'
root:x:0:
daemon:x:1:
tty:x:5:
nogroup:x:65534:
END
echo '127.0.0.1 localhost guest' >"$root/etc/hosts"
cp "$here/init" "$root/init"
chmod 755 "$root/init"
# Not compressed: the guest would take longer to unpack it than QEMU takes to hand it over.
(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$work/initramfs"
rm -rf "$root"
echo "guest: $(($(stat -c %s "$work/initramfs") >> 20)) MiB of programs, made in $SECONDS s"

# A panic, or a machine without its first process, ends QEMU too: without the last line.
timeout --foreground -k 10 "$seconds" qemu-system-x86_64 \
  -M pc -accel tcg,thread=multi -cpu qemu64 -smp 2 -m 1G \
  -nodefaults -no-user-config -no-reboot -display none -serial stdio \
  -kernel "$kernel" -initrd "$work/initramfs" \
  -append "console=ttyS0 quiet loglevel=3 panic=-1 reboot=t rdinit=/init mitigations=off" \
  </dev/null 2>&1 | tr -d '\r' | tee "$work/console" || true

last=$(grep -oE 'guest: THE END, CODE [0-9]+' "$work/console" | tail -1 || true)
if [[ -z $last ]]; then
  echo "guest: it ended before its tests did (after $SECONDS s; it may run for $seconds s)" >&2
  exit 1
fi
echo "guest: all of it took $SECONDS s"
exit "${last##* }"
