#!/usr/bin/env bash
# From nothing to a running cluster: installs what is missing, builds, starts a master and three
# agents on this machine, lets two frameworks compete for them with real work, checks the results,
# and cleans up. Exit code 0 only if everything was right.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh
scripts/build.sh release proffer proffer-master proffer-agent proffer-launcher compress
bin="$PWD/build/release/bin"

# A home of its own, so that your context file stays what it is.
home="$(mktemp -d /tmp/proffer-quickstart.XXXXXX)"
export HOME="$home"
export PATH="$bin:$PATH"
# As root tasks run in containers, which have a /tmp of their own: what they leave for us lies
# elsewhere.
results="$home/out"
[[ $EUID -ne 0 ]] || results="$(mktemp -d /var/lib/proffer-quickstart.XXXXXX)"
mkdir -p "$results"
unset PROFFER_MASTER
dev=0
clean_up() {
  if [[ $dev -ne 0 ]]; then
    kill -INT "$dev" 2>/dev/null || true
    wait "$dev" 2>/dev/null || true
  fi
  rm -rf "$home" "$results"
}
trap clean_up EXIT

echo
proffer dev --agents 3 >"$home/dev.log" 2>&1 &
dev=$!
# `proffer dev` writes the context file when the cluster is ready.
for _ in $(seq 200); do
  [[ -f "$home/.proffer/context" ]] && break
  kill -0 "$dev" 2>/dev/null || break
  sleep 0.05
done
cat "$home/dev.log"
[[ -f "$home/.proffer/context" ]] || {
  echo "the cluster did not start; see above" >&2
  exit 1
}
master="$(sed -n 's/^master=//p' "$home/.proffer/context")"

echo
echo '$ proffer run -- sh -c "echo hello from a task"'
proffer run -- sh -c 'echo hello from a task'

echo
echo '$ proffer weight heavy 2'
proffer weight heavy 2

mapfile -t files < <(find /usr/share -type f -size +60k -size -4000k -readable \
  ! -name '*"*' ! -name "*'*" 2>/dev/null | sort | head -400)
echo
echo "compressing and hashing ${#files[@]} files of /usr/share as tasks of two frameworks"
compress --master="$master" --out="$results" --weights=1,2 "${files[@]}"

echo
echo '$ proffer status'
proffer status

stopped=$dev
kill -INT "$dev"
wait "$dev" && code=0 || code=$?
dev=0
# Whatever the cluster started carries this home in its environment.
left=0
for process in /proc/[0-9]*; do
  [[ "${process#/proc/}" == "$$" || "${process#/proc/}" == "$BASHPID" ]] && continue
  if { tr '\0' '\n' <"$process/environ" | grep -qx "HOME=$home"; } 2>/dev/null; then
    name="$(cat "$process/comm" 2>/dev/null || true)"
    [[ "$name" == proffer* ]] && left=$((left + 1))
  fi
done
groups="$(find /sys/fs/cgroup -maxdepth 2 -name "proffer-dev-$stopped-*" 2>/dev/null | wc -l)"
if [[ $left -ne 0 || $groups -ne 0 ]]; then
  echo "$left processes and $groups cgroups of the cluster are left behind" >&2
  exit 1
fi
echo
echo "all is well: the cluster is stopped, nothing is left behind"
exit "$code"
