#!/bin/bash
# The command line against a real cluster of `proffer dev`: what a user does in the first minutes,
# what they see, and that nothing is left afterwards. Usage: cli_test.sh DIRECTORY_OF_PROGRAMS
set -u
bin=$1
work=$(mktemp -d /tmp/pfcliXXXXXX)
export HOME=$work/home XDG_RUNTIME_DIR=$work/run TZ=UTC
unset PROFFER_MASTER
mkdir -m 700 "$HOME" "$XDG_RUNTIME_DIR"
PATH=$bin:$PATH
failures=0
dev=
# Numbers that no other process sleeps for.
long=$((900000 + $$))

finish() {
  [ -n "$dev" ] && kill -9 "$dev" 2>/dev/null
  proffer dev -d >/dev/null 2>&1  # Removes what a dead one left.
  proffer dev stop >/dev/null 2>&1
  rm -rf "$work"
}
trap finish EXIT

fail() {
  echo "FAILED: $*"
  sed 's/^/  | /' "$work/out" "$work/err"
  failures=$((failures + 1))
}
# expect CODE COMMAND...: runs it; its output is in $work/out and $work/err.
expect() {
  local code=$1
  shift
  timeout 60 "$@" >"$work/out" 2>"$work/err" </dev/null
  local got=$?
  [ $got -eq "$code" ] || fail "$*: exit code $got, expected $code"
}
said() { grep -qE -- "$1" "$work/$2" || fail "expected \"$1\" in $2"; }
nothing_sleeps() { ! pgrep -f "sleep $long" >/dev/null; }
start_dev() {
  mkfifo "$work/banner"
  proffer dev "$@" >"$work/banner" 2>"$work/dev.err" &
  dev=$!
  # Ready when the banner is there. The pipe stays open so that later lines find a reader.
  exec 7<"$work/banner"
  rm "$work/banner"
  local line
  banner=
  while IFS= read -r -t 60 -u 7 line; do
    banner+="$line"$'\n'
    case $line in *Ctrl-C*) return ;; esac
  done
  fail "proffer dev did not become ready: $banner"
  exit 1
}
# The signal is sent, and the process that got it has ended.
stop_dev() {
  kill "-$1" "$dev"
  wait "$dev"
  dev_code=$?
  dev=
  exec 7<&-
}

echo "--- without a cluster"
expect 8 proffer status
said 'start a cluster with `proffer dev`' err
expect 125 proffer run -- true

echo "--- dev"
start_dev --agents 2
[ "$(printf '%s' "$banner" | wc -l)" -le 15 ] || fail "the banner has more than 15 lines"
case $banner in
  *"cpu and memory are enforced"* | *"counted, not enforced"*) ;;
  *) fail "the banner hides what is not enforced" ;;
esac
expect 0 proffer ls agents -o name
[ "$(cat "$work/out")" = $'a1\na2' ] || fail "agents: $(cat "$work/out")"
expect 0 proffer status
said 'all is well' out
expect 0 proffer dev status
said 'runs as process [0-9]+, in use' out

echo "--- run"
expect 0 proffer run -- echo hi
[ "$(cat "$work/out")" = hi ] || fail "run did not print hi"
said 'proffer: run-.* finished on a[12]: exit 0' err
expect 3 proffer run -q -- sh -c 'echo out; echo err >&2; exit 3'
said '^out$' out
said '^err$' err
[ "$(wc -l <"$work/err")" = 1 ] || fail "run -q says more than the command"
expect 137 proffer run -- sh -c 'kill -9 $$'
said 'signal 9 \(KILL\)' err
expect 0 proffer run --env A=b --ports 2 --on hostname==a2 -- sh -c 'echo $HOST $A $PORT0 $PORT1'
said '^a2 b 3[0-9]{4} 3[0-9]{4}$' out
expect 125 proffer run -- /no/such/program
said 'ended FAILED' err
expect 125 proffer run --on rack==r9 --timeout 1500ms -- true
said 'found no place within 1s' err
said '2 of 2 agents fail at: constraint' err
expect 125 proffer run --cpus 999 --timeout 1500ms -- true
said 'would fit if cpus' err
expect 143 proffer run --timeout 200ms -- sleep "$long"
said 'ran out of its time' err
# A megabyte comes whole.
expect 0 proffer run -q -- sh -c 'yes 0123456789abcde | head -c 1048576'
[ "$(wc -c <"$work/out")" = 1048576 ] || fail "of 1048576 bytes came $(wc -c <"$work/out")"

echo "--- run and Ctrl-C"
mkfifo "$work/started"
proffer run --name slow -- sh -c 'trap "echo bye; exit 7" TERM; echo up; while :; do read x; done' \
  >"$work/started" 2>"$work/err" </dev/null &
slow=$!
exec 8<"$work/started"
read -r -t 60 -u 8 line
[ "$line" = up ] || fail "slow did not start"
kill -INT $slow
wait $slow
[ $? -eq 7 ] || fail "Ctrl-C: not the code of the command"
read -r -t 60 -u 8 line
[ "$line" = bye ] || fail "Ctrl-C: the last words are missing"
exec 8<&-

echo "--- run -d, looking at it, killing it"
expect 0 proffer run -d --name web -- sh -c "echo one; echo two; echo oops >&2; exec sleep $long"
[ "$(cat "$work/out")" = web ] || fail "run -d printed $(cat "$work/out")"
expect 0 proffer ls tasks
said '^web +RUNNING +a[12] +web' out
expect 0 proffer logs web
said '^two$' out
said '^oops$' err
expect 0 proffer logs --stdout --tail 1 we
[ "$(cat "$work/out")" = two ] || fail "--tail 1 gave $(cat "$work/out")"
expect 0 proffer status web
said 'RUNNING' out
expect 0 proffer why web
expect 0 proffer status
said 'all is well' out
expect 0 proffer run -d --name web2 -- sleep "$long"
expect 4 proffer logs w
said 'task web2 of framework web2' err
expect 3 proffer kill nobody
expect 0 proffer kill web2
timeout 60 proffer logs -f web >"$work/followed" 2>&1 &
follower=$!

echo "--- a master that dies is started again, and tasks do not notice"
expect 0 proffer events --tail 5
before=$(pgrep -f "sleep $long" | head -1)
kill -9 "$(cut -d' ' -f1 "$XDG_RUNTIME_DIR/proffer-dev/1/master.pid")"
IFS= read -r -t 60 -u 7 line
case $line in *"the master ended (signal 9); started again"*) ;; *) fail "dev said: $line" ;; esac
# Until it answers, and the agents are back.
for ((i = 0; i < 3000; ++i)); do
  proffer ls agents -o name 2>/dev/null | grep -q a2 &&
    proffer ls tasks 2>/dev/null | grep -q 'web .*RUNNING' && break
done
expect 0 proffer run -- echo again
said again out
[ "$(pgrep -f "sleep $long" | head -1)" = "$before" ] || fail "the task did not live on"
wait $follower
expect 0 proffer kill web
said 'framework web is being ended' out
timeout 60 proffer logs -f web >/dev/null 2>&1
nothing_sleeps || fail "kill left a process"

echo "--- Ctrl-C leaves nothing"
expect 0 proffer run -d --name leaky -- sh -c "
  setsid sh -c 'sleep $long & sleep $long' & env -i setsid sleep $long & trap '' TERM; sleep $long"
stop_dev INT
[ $dev_code -eq 0 ] || fail "dev ended with $dev_code"
nothing_sleeps || fail "Ctrl-C left a process of a task"
pgrep -f "$work" >/dev/null && fail "Ctrl-C left a daemon: $(pgrep -af "$work")"
[ "$(ls "$XDG_RUNTIME_DIR/proffer-dev")" = lock ] || fail "Ctrl-C left files"
[ -e "$HOME/.proffer/context" ] && fail "Ctrl-C left the context"
expect 8 proffer status

echo "--- what kill -9 leaves is removed by the next one"
expect 0 proffer dev --detach --agents 1
expect 0 proffer run -d --name leaky -- sh -c "env -i setsid sleep $long & exec sleep $long"
kill -9 "$(cut -d' ' -f1 "$XDG_RUNTIME_DIR/proffer-dev/1/dev.pid")"
nothing_sleeps && fail "the task died too early for this test"
expect 0 proffer dev --detach --agents 1
said 'removed what a former dev cluster had left' out
nothing_sleeps || fail "the next dev left a process of the last one"
expect 0 proffer run -- true
expect 0 proffer dev stop
pgrep -f "$work" >/dev/null && fail "dev stop left a daemon"

echo "--- state that is kept is gone on from"
expect 0 proffer dev -d --agents 1 --keep "$work/kept"
expect 0 proffer ls agents -o jsonl
first=$(grep -o '"agent_id":"[^"]*"' "$work/out")
expect 0 proffer weight eng 2.5
expect 0 proffer dev stop
expect 0 proffer dev -d --agents 1 --keep "$work/kept"
expect 0 proffer ls agents -o jsonl
[ "$(grep -o '"agent_id":"[^"]*"' "$work/out")" = "$first" ] || fail "the agent has another id"
expect 0 proffer ls roles
said '^eng +2.5' out
expect 0 proffer dev stop

if [ $failures -gt 0 ]; then
  echo "$failures failures"
  exit 1
fi
echo "all as expected"
