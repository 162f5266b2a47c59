#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The demonstration: records a producer and a consumer that share a lock, then a real program, and has both
# explained. Leaves recordings, a flame graph and a Perfetto trace in demo/.
# Run as root: sudo make demo. Takes about 15 seconds once it is built.
set -eu

cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}
out=demo
dashcam=$BUILD/dashcam

if [ "$(id -u)" != 0 ]; then
	echo "Recording needs root: sudo make demo" >&2
	exit 1
fi

# A heading, and one sentence that says what to look at.
show() { # TITLE SENTENCE COMMAND...
	printf '\n\033[1m== %s\033[0m\n%s\n' "$1" "$2"
	shift 2
	printf '\033[2m$ %s\033[0m\n\n' "$*"
	"$@"
}

# Colours are for terminals.
[ -t 1 ] || show() {
	printf '\n== %s\n%s\n$ %s\n\n' "$1" "$2" "${*:3}"
	"${@:3}"
}

tools/install-packages build
echo "Building."
make --no-print-directory -s -j"$(nproc)" BUILD="$BUILD" all "$BUILD/programs/demo_lock" >/dev/null
mkdir -p $out
# What is recorded runs as the one who called sudo, and writes here.
[ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" $out
rm -f $out/demo.dcam $out/calls.dcam $out/real.dcam $out/truth

echo "Recording a producer and a consumer for 5 seconds."
$dashcam record -o $out/demo.dcam --rate 199 -- "$BUILD/programs/demo_lock" $out/truth 5

truth() { sed -n "s/^$1=//p" $out/truth; }
producer=$(truth producer.tid)
consumer=$(truth consumer.tid)
printf '\nWhat the program says of itself: the producer slept %d ms because it wanted to, and waited %d ms for the lock.\n' \
	$(($(truth slept_ns) / 1000000)) $(($(truth waited_ns) / 1000000))

show "Why was the producer slow?" "A fifth of its time it did not want to sleep: who had the lock, and what did that one do?" \
	$dashcam explain $out/demo.dcam --comm producer
show "Threads" "Where the time of both went." \
	$dashcam report threads $out/demo.dcam --tid "$producer" --tid "$consumer"
show "The longest waits" "What the explanation stands on: each wait with its object, its owner, and who ended it." \
	$dashcam report waits $out/demo.dcam --tid "$producer" --limit 2

echo
echo "Recording every call of some of its functions, and of the C library's mutexes, for a second."
$dashcam record -q -o $out/calls.dcam -F '*_item' -F 'pthread_mutex_*lock@libc.so.6' -- "$BUILD/programs/demo_lock" $out/truth 1
show "The functions" "How often each was called, and how long it took." \
	$dashcam report functions $out/calls.dcam
show "Why was a call slow?" "A traced function is a span: what did its calls wait for?" \
	$dashcam explain $out/calls.dcam --span deliver_item

$dashcam export flamegraph $out/demo.dcam --tid "$producer" -o $out/flamegraph.svg
$dashcam export perfetto $out/demo.dcam -o $out/trace.pftrace

# A real program that reads, writes, syncs and talks: the first of these that is installed.
real_program() {
	local python
	python=$(PATH=/usr/bin:$PATH command -v python3 || true)
	if command -v sqlite3 >/dev/null; then
		rm -f $out/real.db
		real_name=sqlite3
		real=(sqlite3 $out/real.db "pragma journal_mode = delete; create table t(a, b);"
			"with recursive n(i) as (select 1 union all select i + 1 from n where i < 300000)
			insert into t select i, hex(randomblob(40)) from n;"
			"create index i on t(b);" "update t set b = b || 'x' where a % 7 = 0;" "select count(*) from t;")
	elif [ -n "$python" ]; then
		real_name=python3
		real=("$python" -c "
import os, zlib
data = os.urandom(1 << 20) * 4
for i in range(20):
    with open('$out/real.db', 'wb') as file:
        file.write(zlib.compress(data, 6))
        os.fsync(file.fileno())")
	else
		return 1
	fi
}

if real_program; then
	printf '\nRecording %s: it fills a table, builds an index, and syncs to disk.\n' "$real_name"
	$dashcam record -o $out/real.dcam --min-wait 100us --rate 499 -- "${real[@]}" >/dev/null
	show "What was the biggest problem?" "Asked without a target; the functions are of a program nobody prepared." \
		$dashcam explain $out/real.dcam
	show "The files it waited for" "The database, its journal, and how long they took." \
		$dashcam report files $out/real.dcam --comm "$real_name*"
	rm -f $out/real.db
fi

# What sudo made belongs to the one who called it.
[ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" $out

cat <<EOF

The files:
  $out/demo.dcam        the recording (also $out/calls.dcam, $out/real.dcam)
  $out/flamegraph.svg   waits of the producer; open it in a browser
  $out/trace.pftrace    the time line; open it at https://ui.perfetto.dev
Go on with: $dashcam explain $out/demo.dcam --comm producer --chain, $dashcam report --list,
$dashcam query $out/demo.dcam "select * from wait limit 5"
EOF
