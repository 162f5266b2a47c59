# SPDX-License-Identifier: BSD-2-Clause
# Words for the checks of tests/kernels/run, besides those of tests/live/lib.sh: what a recording of
# the workloads lock and sleeper must say.

# All other words speak of this recording: its file and its threads.
use() { # NAME
	run=$1
	file=$1.dcam
	[ -e $1.lock ] || return 0 # it was not even begun: is_recorded says why
	rounds=$(truth waits $1.lock)
	holder=$(truth holder.tid $1.lock)
	waiter=$(truth waiter.tid $1.lock)
	sleeper=$(truth sleeper.tid $1.sleeper)
}

is_recorded() { # HOOK, as record names it
	local -A names=([kick]=irq_work_entry [exit]=sched_exit_tp [kprobe]=finish_task_switch
		[degraded]=sched_switch)
	complaint=$(head -n 1 $run.messages)
	[ "$(cat $run.status)" = 0 ] || return 1
	equal "$(meta $file evidence_hook)" ${names[$1]}
}

count_waits() { # CONDITION
	value $file "select count(*) from wait where $1"
}

# At least 95 % of the waits of a condition have what is wanted; and there are nearly as many as known:
# on a slow machine a thread may come too late to wait.
most_waits() { # CONDITION WANTED KNOWN
	local all
	all=$(count_waits "$1")
	at_least "$all" $(($3 * 9 / 10))
	at_least "$(count_waits "($1) and ($2)")" "$(awk -v all="$all" 'BEGIN { print all * 0.95 }')"
}

has_evidence() {
	most_waits "tid in ($holder, $sleeper) and waited_ns >= 2000000" has_evidence $((rounds * 2))
	most_waits "tid = $waiter and waited_ns >= 2000000" has_evidence $rounds
}

# Both threads of the lock nap for 0.1 ms until it is the other's turn, and do not always oversleep.
has_evidence_of_short_waits() {
	most_waits "tid in ($holder, $waiter, $sleeper)" has_evidence $((rounds * 3))
	at_least "$(count_waits "tid in ($holder, $waiter) and has_evidence and waited_ns < 1000000")" 1
}

# Waits for the mutex, naps while holding it, naps of the sleeper: that is where the time went.
futex_waits="syscall = 'futex' and blocked_ns > 5000000 and tid ="
naps="syscall = 'clock_nanosleep' and blocked_ns > 15000000 and tid ="

has_kernel_stacks() {
	most_waits "$futex_waits $waiter" "stack(kernel_stack) like '%;do_futex;futex_wait;%'" $rounds
	most_waits "$naps $holder" "stack(kernel_stack) like '%;hrtimer_nanosleep%'" $rounds
	most_waits "$naps $sleeper" "stack(kernel_stack) like '%;hrtimer_nanosleep%'" $rounds
}

has_user_stacks() {
	most_waits "$futex_waits $waiter" "stack(user_stack) like '%;waiter;want_the_lock;%'" $rounds
	most_waits "$naps $holder" "stack(user_stack) like '%;holder;hold_the_lock;sleep_ns;%'" $rounds
	most_waits "$naps $sleeper" "stack(user_stack) like '%main;take_a_nap;sleep_ns;%'" $rounds
}

names_the_holder() {
	most_waits "$futex_waits $waiter" "owner_tid = $holder" $rounds
	most_waits "$futex_waits $waiter" "waker_tid = $holder" $rounds
	most_waits "$futex_waits $waiter" "stack(waker_kernel_stack) like '%;futex_wake;%'" $rounds
	most_waits "$futex_waits $waiter" "stack(waker_user_stack) like '%;hold_the_lock;%'" $rounds
}

# Totals of each thread are what the kernel counted, with grace for what it did before and after it
# counted itself. Of the two parts of its life only the larger is compared: here a CPU may stop for
# milliseconds between the kernel's reading of the clock and ours.
agree() {
	local role tid other_ns truth=$run.truth
	cat $run.lock $run.sleeper >$truth
	for role in holder waiter sleeper; do
		tid=$(truth $role.tid $truth)
		other_ns=$(($(value $file "select end_ns - start_ns from thread where tid = $tid") -
			$(truth $role.lived_ns $truth)))
		near "$(value $file "select switches from thread where tid = $tid")" \
			"$(truth $role.switches $truth)" 0.05 10
		near "$(value $file "select blocked_ns + runnable_ns from thread where tid = $tid")" \
			$(($(truth $role.lived_ns $truth) - $(truth $role.on_cpu_ns $truth))) 0.05 $other_ns
	done
}

# The kernel skips a program that is running on that CPU already (reason 2), such as that of a lock which
# an interrupt spins for, and while one on a kprobe runs, that of a sample. Nothing else is lost, and nothing
# at all of the switch log.
nothing_lost_but_skipped() { # HOOK
	local samples=0
	[ $1 != kprobe ] || samples=$(value $file "select count(*) from event_sample")
	equal "$(value $file "select sum(events) from event_loss where reason not in (2, 6) or log = 0")" 0
	at_most "$(value $file "select sum(events) from event_loss where reason = 2")" $((3 + samples / 20))
}

has_samples() {
	equal "$(cat burner.status)" 0
	at_least "$(value burner.dcam "select count(*) from sample where tid = $(truth burner.tid burner.truth)
		and stack(user_stack) like '%main;burn_%'")" 50
	cp burner.truth truth
	agrees burner.dcam burner
}

is_filtered() {
	file=comm.dcam
	equal "$(cat comm.status)" 0
	most_waits "tid = $(truth sleeper.tid comm.truth) and waited_ns > 15000000" has_evidence 20
	equal "$(count_waits "has_evidence and comm not like 'slee%'")" 0
}

# The workload has no frame pointers: only the innermost frame is sure.
has_frames() {
	file=fp.dcam
	equal "$(cat fp.status)" 0
	most_waits "tid = $(truth sleeper.tid fp.truth) and waited_ns > 15000000" \
		"stack(user_stack) like '%clock_nanosleep'" 20
}

has_spans() {
	equal "$(cat span.status)" 0
	equal "$(value span.dcam "select count(*) from span where name = 'nap' and returned and depth = 1 and
		duration_ns >= 20000000 and tid = $(truth sleeper.tid span.truth)")" 20
	equal "$(value span.dcam "select count(*) from span where name = 'main' and returned and depth = 0")" 1
}
