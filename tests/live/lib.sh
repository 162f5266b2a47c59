# SPDX-License-Identifier: BSD-2-Clause
# The words that live tests are written in. Checks leave a sentence in $complaint and return 1.

# ---- what happened ----

# A value that the workload wrote down: truth KEY [FILE].
truth() {
	sed -n "s/^$1=//p" "${2:-$D/truth}" | tail -n 1 | grep .
}

# ---- what the recording says ----

# One line per row of a query with one column: rows FILE SQL.
rows() {
	"$DASHCAM" query "$1" "$2" --json | sed 's/^{"[^"]*": *//; s/}$//; s/^"\(.*\)"$/\1/'
}

# The one number of a query, 0 where SQL says null.
value() {
	local result
	result=$(rows "$@")
	[ "$result" = null ] || [ -z "$result" ] && result=0
	echo "$result"
}

# The value of a fact that the recording states about itself: meta FILE NAME.
meta() {
	rows "$1" "select value from meta where name = '$2'"
}

# All folded stacks of a thread's waits, with how long each was: wait_stacks FILE TID.
wait_stacks() {
	rows "$1" "select stack(user_stack) || ' ' || waited_ns from wait where tid = $2"
}

# Part (0..1) of a thread's waiting that meets a condition: share FILE TID CONDITION.
share() {
	value "$1" "select sum(case when $3 then waited_ns else 0 end) * 1.0 / sum(waited_ns)
		from wait where tid = $2"
}

# ---- what explain says ----

# Asks for the cause; answer gives parts of what is said: explain FILE [OPTIONS].
explain() {
	"$DASHCAM" explain "$@" --json >"$D/answer.json"
}

# Asks for the cause of a thread's longest wait alone, whatever else happened to it on a busy machine:
# explain_wait FILE TID [CONDITION].
explain_wait() {
	local wait="from wait where tid = $2 and ${3:-1} order by blocked_ns desc limit 1"

	explain "$1" --tid "$2" --from "$(at_second "$(value "$1" "select start_ns $wait")")" \
		--to "$(at_second "$(value "$1" "select start_ns + blocked_ns $wait")")"
}

# An expression of Python: "whole" is the answer of explain, "first" its first finding.
answer() {
	python3 -c 'import json, sys, types
whole = json.load(open(sys.argv[1]), object_hook=lambda pairs: types.SimpleNamespace(**pairs))
first = whole.findings[0] if whole.findings else None
print(eval(sys.argv[2]))' "$D/answer.json" "$1" 2>/dev/null || echo "no $1"
}

# A moment of the recording's clock, in ns, as --from and --to take it.
at_second() {
	echo "@$(($1 / 1000000000)).$(printf %09d $(($1 % 1000000000)))"
}

# ---- cases, recorded with less ----

# Runs a case with what the options of tests/cases/run say (--without, --less): with_less OPTIONS... PATTERN.
with_less() {
	BUILD=$(dirname "$PROGRAMS") "$LIVE/../cases/run" --verbose "$@" >>"$D/out" 2>&1 || true
}

# None of COUNT answers at least was wrong.
is_never_wrong() { # COUNT
	lacks "$(cat "$D/out")" '^FAIL|Traceback'
	at_least "$(grep -c '^ok case' "$D/out")" "$1"
}

# The calls of a recording as `report calls` shows them, without times and threads: listing FILE [OPTIONS].
listing() {
	"$DASHCAM" report calls "$@" | sed -n '1d; /^$/q; s/^ *\([0-9.]\+ [a-z]\+ \)\? *[0-9]\+  //p'
}

# A text of several lines as it stands in a test, whose lines begin with a tab.
no_tabs() {
	tr -d '\t' <<<"$1"
}

# ---- checks ----

equal() { # GOT WANT
	[ "$1" = "$2" ] && return 0
	complaint="got '$1', expected '$2'"
	return 1
}

# Within a ratio of what is expected: near GOT WANT RATIO [UNIT-OF-GRACE: an absolute amount besides].
near() {
	awk -v got="$1" -v want="$2" -v ratio="$3" -v grace="${4:-0}" 'BEGIN {
		off = got - want; if (off < 0) off = -off
		exit !(got != "" && want != "" && off <= ratio * want + grace) }' && return 0
	complaint="got '$1', expected '$2' within $(awk -v r="$3" 'BEGIN { print r * 100 }') %"
	return 1
}

at_least() { # GOT WANT
	awk -v got="$1" -v want="$2" 'BEGIN { exit !(got != "" && got + 0 >= want + 0) }' && return 0
	complaint="got '$1', expected at least '$2'"
	return 1
}

at_most() { # GOT WANT
	awk -v got="$1" -v want="$2" 'BEGIN { exit !(got != "" && got + 0 <= want + 0) }' && return 0
	complaint="got '$1', expected at most '$2'"
	return 1
}

# contains TEXT REGULAR-EXPRESSION
contains() {
	grep -Eq -- "$2" <<<"$1" && return 0
	complaint="'$2' is not in: $(head -c 600 <<<"$1")"
	return 1
}

lacks() { # TEXT REGULAR-EXPRESSION
	grep -Eq -- "$2" <<<"$1" || return 0
	complaint="'$2' is in: $(grep -E -m 3 -- "$2" <<<"$1" | head -c 600)"
	return 1
}

# The exit status of a command that may fail; its output goes to $D/out.
status_of() {
	local status=0
	"$@" >"$D/out" 2>&1 || status=$?
	echo $status
}

# The command must fail with status 1 and one or few lines that say why; not crash, not print nothing.
fails_with_a_sentence() {
	local status
	status=$(status_of "$@")
	cat "$D/out"
	if [ "$status" = 1 ] && [ "$(wc -l <"$D/out")" -le 6 ] &&
		grep -q '[a-z][a-z]* [a-z]' "$D/out" && ! grep -q 'Sanitizer\|runtime error' "$D/out"; then
		return 0
	fi
	complaint="status $status, output: $(head -c 300 "$D/out")"
	return 1
}

# A recording that ended properly: no torn tail.
is_whole() {
	equal "$(meta_of_file "$1" torn)" false
}

is_torn() {
	equal "$(meta_of_file "$1" torn)" true
}

# "true" or "false": whether `info` says that the file is torn.
meta_of_file() {
	"$DASHCAM" info "$1" >"$D/info" || true
	if grep -Eqi 'torn|cut short|not finished|incomplete' "$D/info"; then
		echo true
	else
		echo false
	fi
}

# Nothing was lost, but for evidence of waits whose thread took its CPU unseen (reason 6) and disk requests
# that ended so (8): that is the machine's doing, and may be one wait in a hundred.
nothing_lost() {
	equal "$(value "$1" "select sum(events) from event_loss where reason not in (6, 8)")" 0
	at_most "$(value "$1" "select sum(events) from event_loss where reason = 6")" \
		"$(value "$1" "select 5 + count(*) / 100 from event_wait")"
}

# How many records of the switch log are in the file. All that was ever put into that log, lost or not,
# is the fact switch_log_events, which the recorder writes from the log's own position at the end.
kept_switch_log() {
	value "$1" "select (select count(*) from event_switch) + (select count(*) from event_waking) +
		(select count(*) from event_resume)"
}

# Each thread's time is on-CPU + runnable + blocked + unknown, within 0.1 % (and 10 us) of its life.
adds_up() {
	local wrong
	wrong=$(rows "$1" "select tid || ' ' || comm || ': ' || (end_ns - start_ns) || ' is not ' ||
		(on_cpu_ns + runnable_ns + blocked_ns + unknown_ns) from thread where tid != 0 and
		abs(on_cpu_ns + runnable_ns + blocked_ns + unknown_ns - (end_ns - start_ns)) >
		(end_ns - start_ns) / 1000 + 10000 limit 3")
	equal "$wrong" ""
}

# The totals of a thread agree with what the kernel counted: agrees FILE ROLE [RATIO, default 0.05].
# Grace is given for what the thread did after it wrote that down. Run-queue time may be more than the
# kernel's, which counts from the middle of a wake-up (1 us) and, if that came from another CPU, from when
# the interrupt for it was taken; a recording counts from the moment the waker said so.
agrees() {
	local tid ratio=${3:-0.05} switches lived_ns after_ns
	tid=$(truth "$2.tid")
	switches=$(truth "$2.switches")
	lived_ns=$(truth "$2.lived_ns")
	after_ns=$(($(value "$1" "select end_ns - start_ns from thread where tid = $tid") - lived_ns))
	[ $after_ns -gt 0 ] || after_ns=0
	near "$(value "$1" "select switches from thread where tid = $tid")" "$switches" 0.01 5
	near "$(value "$1" "select on_cpu_ns from thread where tid = $tid")" "$(truth "$2.on_cpu_ns")" \
		"$ratio" $((1000000 + after_ns))
	near "$(value "$1" "select runnable_ns from thread where tid = $tid")" "$(truth "$2.runnable_ns")" "$ratio" \
		$((1000000 + after_ns + switches * 1500 + lived_ns / 50))
}

# ---- doing ----

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
	local end=$((SECONDS + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ $SECONDS -ge $end ]; then
			complaint="it did not come true: $*"
			return 1
		fi
		sleep 0.05
	done
}

# Starts a recording of the whole machine in the background and waits until it has begun; its pid is in
# $recorder, its messages in FILE.messages: start_recording FILE [OPTIONS].
start_recording() {
	local file=$1
	shift
	"$DASHCAM" record -o "$file" "$@" >"$file.messages" 2>&1 &
	recorder=$!
	wait_for 20 is_recording "$file"
}

# The first chunk of events is in the file: hooks are attached and logs are being read.
is_recording() {
	[ -s "$1" ] && [ "$(value "$1" "select count(*) from event_switch")" -gt 0 ]
}

# Ends the recording with SIGINT as a person would and gives its exit status in $status.
stop_recording() {
	kill -INT "$recorder"
	status=0
	wait "$recorder" || status=$?
}

# Has a process nothing to do but to wait for its input?
reads_a_pipe() { # PID
	[ "$(cat "/proc/$1/wchan")" = anon_pipe_read ] || [ "$(cat "/proc/$1/wchan")" = pipe_read ]
}

# A port that nobody listens on.
free_port() {
	local port
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		port=$((10000 + RANDOM % 20000)) # as servers have, not one of those given out to clients
		if ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			echo $port
			return 0
		fi
	done
	return 1
}

is_listening() { # PORT
	(: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# A server of one's own on a free port, and a unix socket in $D/run. start_postgres sets $port.
start_postgres() {
	postgres_bin=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb | tail -n 1)")
	port=$(free_port)
	install -d -o postgres -m 700 data
	install -d -o postgres -m 755 run
	runuser -u postgres -- $postgres_bin/initdb -D $D/data -A trust >init.log
	# a session that waits for a lock looks for a deadlock after a second: its wait would be two
	runuser -u postgres -- $postgres_bin/postgres -D $D/data -p $port -k $D/run \
		-c listen_addresses=127.0.0.1 -c deadlock_timeout=30s >postgres.log 2>&1 &
	postgres_runner=$!
	wait_for 20 test -S run/.s.PGSQL.$port
	wait_for 10 sql $D/run -c 'select 1'
}

stop_postgres() {
	kill "$(head -n 1 data/postmaster.pid)"
	wait $postgres_runner || true
}

# psql, bare values only: sql HOST [OPTIONS].
sql() {
	local host=$1
	shift
	runuser -u postgres -- $postgres_bin/psql -h "$host" -p $port -Atq "$@" postgres
}

# ---- what has to be put back ----

# Has a command run when the test's bash ends, however that is; the last one first: at_exit COMMAND.
at_exit() {
	undo="$1; ${undo:-}"
	trap 'eval "$undo"' EXIT
}

# A group of a controller of cgroup version 1, removed in the end; its directory is in $group:
# make_cgroup CONTROLLER. Who is in it must have ended by then.
make_cgroup() {
	group=/sys/fs/cgroup/$1/dashcam-test-$$
	mkdir "$group"
	at_exit "wait_for 5 rmdir $group"
}
