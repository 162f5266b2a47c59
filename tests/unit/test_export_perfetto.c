/* SPDX-License-Identifier: BSD-2-Clause */
/* Perfetto traces: what a viewer understands of them, beside the recording they come from */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

#include "base/error.h"
#include "base/memory.h"
#include "export/export.h"
#include "support/perfetto_reader.h"
#include "support/synth.h"

static const struct export_options everything = {.filter = {.to_ns = UINT64_MAX}};

struct trace {
	char *bytes;
	size_t size;
	struct perfetto_reading reading;
};

/* Exports a model as a trace and reads it; a viewer must have nothing to complain about. */
static void trace_of_model(struct trace *ret, struct model *model,
			   const struct export_options *options)
{
	FILE *out = open_memstream(&ret->bytes, &ret->size);

	assert_int_equal(export_perfetto.run(model, options, out), 0);
	fclose(out);
	perfetto_read(&ret->reading, ret->bytes, ret->size);
	assert_string_equal(ret->reading.problems.size ? ret->reading.problems.data : "", "");
}

static void trace_of(struct trace *ret, const char *recording, const struct export_options *options)
{
	struct model *model = synth_model(recording);

	trace_of_model(ret, model, options);
	synth_model_free(model);
}

static void trace_release(struct trace *trace)
{
	perfetto_reading_release(&trace->reading);
	free(trace->bytes);
}

static const char *text_of(const struct buffer *buffer)
{
	return buffer->size ? buffer->data : "";
}

static void expect_sched(const char *recording, const char *expected)
{
	struct trace trace;

	trace_of(&trace, recording, &everything);
	assert_string_equal(text_of(&trace.reading.sched), expected);
	trace_release(&trace);
}

/* ---- scheduling ---- */

/* The first switch of each CPU is in full, or it would be dropped; the waking is on the waker's
 * CPU. */
static void test_switches_and_wakings(void **state)
{
	(void)state;
	expect_sched("thread 10 10 main\n"
		     "thread 11 11 worker\n"
		     "0 cpu1 switch idle > 11\n"
		     "50 cpu0 switch idle > 10\n"
		     "100 cpu0 switch 10:S > idle next_prio=140\n"
		     "150 cpu1 waking 10 by 11 target_cpu=0\n"
		     "155.5 cpu0 switch idle > 10 next_prio=97\n"
		     "160 cpu1 switch 11:D > idle\n"
		     "170 cpu1 waking 11 by idle target_cpu=1\n"
		     "175 cpu1 switch idle > 11\n",

		     "0 cpu1 switch 0:R > 11 worker prio 120 full\n"
		     "50 cpu0 switch 0:R > 10 main prio 120 full\n"
		     "100 cpu0 switch 10:S > 0 swapper prio 140\n"
		     "150 cpu1 waking 10 by 11 on cpu0\n"
		     "155.500 cpu0 switch 0:R > 10 main prio 97\n"
		     "160 cpu1 switch 11:D > 0 swapper prio 120\n"
		     "170 cpu1 waking 11 by 0 on cpu1 in interrupt\n"
		     "175 cpu1 switch 0:R > 11 worker prio 120\n");
}

/* The kernel's bits become those that its tracepoint prints. */
static void test_states(void **state)
{
	(void)state;
	expect_sched("thread 10 10 a\n"
		     "thread 11 11 b\n"
		     "1 cpu0 switch 11 > 10\n"
		     "2 cpu0 switch 10:R > 11\n"         /* preempted */
		     "3 cpu0 switch 11:R > 10 flags=1\n" /* sched_yield */
		     "4 cpu0 switch 10:0x101 > 11\n"     /* interruptible, by fatal signals too */
		     "5 cpu0 switch 11:0x102 > 10\n"     /* killable */
		     "6 cpu0 switch 10:0x402 > 11\n"     /* idle kernel thread */
		     "7 cpu0 switch 11:0x104 > 10\n"     /* stopped */
		     "8 cpu0 switch 10:0x8 > 11\n"       /* traced */
		     "9 cpu0 switch 11:0x1000 > 10\n"    /* on a sleeping spinlock */
		     "10 cpu0 switch 10:0x8000 > 11\n"   /* frozen */
		     "11 cpu0 switch 11:0x2001 > 10\n"   /* sleeping, may be frozen */
		     "12 cpu0 switch 10:0x40 > 11\n"     /* parked */
		     "13 cpu0 switch 11:0x3 > 10\n",     /* of several bits the highest */

		     "1 cpu0 switch 11:R+ > 10 a prio 120 full\n"
		     "2 cpu0 switch 10:R+ > 11 b prio 120\n"
		     "3 cpu0 switch 11:R > 10 a prio 120\n"
		     "4 cpu0 switch 10:S > 11 b prio 120\n"
		     "5 cpu0 switch 11:D > 10 a prio 120\n"
		     "6 cpu0 switch 10:I > 11 b prio 120\n"
		     "7 cpu0 switch 11:T > 10 a prio 120\n"
		     "8 cpu0 switch 10:t > 11 b prio 120\n"
		     "9 cpu0 switch 11:D > 10 a prio 120\n"
		     "10 cpu0 switch 10:D > 11 b prio 120\n"
		     "11 cpu0 switch 11:S > 10 a prio 120\n"
		     "12 cpu0 switch 10:P > 11 b prio 120\n"
		     "13 cpu0 switch 11:D > 10 a prio 120\n");
}

/* A thread's end is told after its last switch, or a viewer would make a new thread of that. */
static void test_lives(void **state)
{
	(void)state;
	expect_sched("thread 10 10 main\n"
		     "0 cpu0 switch idle > 10\n"
		     "10 cpu0 fork 10 > 12 pid=10 comm=kid\n"
		     "11 cpu0 waking 12 by 10 flags=1\n"
		     "20 cpu0 fork 10 > 13 pid=13 parent_pid=10 comm=main\n"
		     "30 cpu0 switch 10:R > 12\n"
		     "40 cpu0 rename 12 worker pid=10\n"
		     "50 cpu0 exit 12 pid=10\n"
		     "51 cpu0 switch 12:D > 10\n"
		     "52 cpu0 switch 10:S > 12\n"
		     "60 cpu0 switch 12:0x80 > 13\n"
		     "70 cpu0 exec 13 ls pid=13\n"
		     "80 cpu0 switch 13:S > idle\n",

		     "0 cpu0 switch 0:R > 10 main prio 120 full\n"
		     "10 cpu0 born 12 kid of 10 as thread\n"
		     "11 cpu0 waking 12 by 10 on cpu0 full\n"
		     "20 cpu0 born 13 main of 10 as process\n"
		     "30 cpu0 switch 10:R+ > 12 kid prio 120\n"
		     "40 cpu0 rename 12 kid > worker\n"
		     "51 cpu0 switch 12:D > 10 main prio 120\n"
		     "52 cpu0 switch 10:S > 12 worker prio 120\n"
		     "60 cpu0 switch 12:X > 13 main prio 120\n"
		     "60.001 cpu0 end 12 worker\n"
		     "70 cpu0 rename 13 main > ls\n"
		     "80 cpu0 switch 13:S > 0 swapper prio 120\n");
}

static const char gap_recording[] = "thread 10 10 a\n"
				    "thread 11 11 b\n"
				    "0 cpu0 switch idle > 10\n"
				    "10 cpu0 switch 10:S > 11\n"
				    "90 cpu0 waking 10 by 11\n"
				    "95 cpu0 switch 11:S > 10\n"
				    "99 cpu0 loss 20..80 events=7\n";

/* Thread 11 ran before and after the gap: it must not seem to have run through it. */
static void test_gap(void **state)
{
	struct trace trace;

	(void)state;
	trace_of(&trace, gap_recording, &everything);
	assert_string_equal(text_of(&trace.reading.sched),
			    "0 cpu0 switch 0:R > 10 a prio 120 full\n"
			    "10 cpu0 switch 10:S > 11 b prio 120\n"
			    "20 cpu0 switch 11:invalid > 2147483647 (not recorded) prio 120 full\n"
			    "20 cpu0 lost\n"
			    "80 cpu0 switch 2147483647:S > 11 b prio 120 full\n"
			    "90 cpu0 waking 10 by 11 on cpu0\n"
			    "95 cpu0 switch 11:S > 10 a prio 120\n");
	assert_string_equal(text_of(&trace.reading.slices),
			    "cpu0 0..10 a 10 S\n"
			    "cpu0 10..20 b 11 invalid\n"
			    "cpu0 20..80 (not recorded) 2147483647 S\n"
			    "cpu0 80..95 b 11 S\n"
			    "cpu0 95.. a 10 ?\n");
	assert_string_equal(text_of(&trace.reading.tracks),
			    "0 track 1 'recorder'\n"
			    "20 on 1 instant 'lost 7 events' until_ns=1000080000 cpu=0 log=0 "
			    "reason='the log was overwritten before it was read'\n");
	trace_release(&trace);
}

/* Gaps that touch an event, that follow each other, that nothing follows, and of all CPUs. */
static void test_gaps_at_edges(void **state)
{
	(void)state;
	expect_sched("meta cpus 2\n"
		     "thread 10 10 a\n"
		     "0 cpu0 switch idle > 10\n"
		     "0 cpu1 switch idle > 11\n"
		     "30 cpu0 switch 10:S > idle\n"
		     "40 cpu0 switch idle > 10\n"
		     "50 cpu0 loss 0..20 events=1\n"
		     "50 cpu0 loss 20..30 events=1\n"
		     "60 cpu0 loss 45..50 events=1 cpu=65535\n",

		     "0 cpu0 switch 0:R > 10 a prio 120 full\n"
		     "0 cpu0 switch 10:invalid > 2147483647 (not recorded) prio 120 full\n"
		     "0 cpu0 lost\n"
		     "0 cpu1 switch 0:R > 11 ? prio 120 full\n"
		     "29.999 cpu0 switch 2147483647:S > 10 a prio 120 full\n"
		     "29.999 cpu0 lost\n"
		     "30 cpu0 switch 10:S > 0 swapper prio 120\n"
		     "40 cpu0 switch 0:R > 10 a prio 120\n"
		     "45 cpu0 switch 10:invalid > 2147483647 (not recorded) prio 120 full\n"
		     "45 cpu0 lost\n"
		     "45 cpu1 switch 11:invalid > 2147483647 (not recorded) prio 120 full\n"
		     "45 cpu1 lost\n");
}

/* Losses that leave no hole in time say so, but do not tear the scheduling apart. */
static void test_other_losses_are_no_gaps(void **state)
{
	(void)state;
	expect_sched("thread 10 10 a\n"
		     "0 cpu0 switch idle > 10\n"
		     "60 cpu0 switch 10:S > idle\n"
		     "70 cpu0 loss 10..50 events=3 reason=2\n"
		     "70 cpu0 loss 10..50 events=3 log=1\n",

		     "0 cpu0 switch 0:R > 10 a prio 120 full\n"
		     "60 cpu0 switch 10:S > 0 swapper prio 120\n");
}

/* Switches that were not seen: a thread is found running, or somebody else wakes than should run.
 */
static void test_unseen_switches(void **state)
{
	(void)state;
	expect_sched("thread 10 10 a\n"
		     "thread 11 11 b\n"
		     "0 cpu0 switch idle > 10\n"
		     "40 cpu0 waking 12 by 11\n"
		     "50 cpu0 resume 11 ran 20\n"
		     "50 cpu0 switch 11:S > 10\n"
		     "60 cpu0 resume 0 ran 0\n"
		     "60 cpu0 switch idle > 10\n",

		     "0 cpu0 switch 0:R > 10 a prio 120 full\n"
		     "30 cpu0 switch 10:S > 11 b prio 120 full\n"
		     "40 cpu0 waking 12 by 11 on cpu0 full\n"
		     "50 cpu0 switch 11:S > 10 a prio 120\n"
		     "59.999 cpu0 switch 10:S > 0 swapper prio 120 full\n"
		     "60 cpu0 switch 0:R > 10 a prio 120\n");
}

/* In time between the switch-out and the switch-in, on the CPU of the latter. */
static void test_blocked_function(void **state)
{
	(void)state;
	expect_sched(
		"thread 10 10 a\n"
		"stack io kernel schedule io_schedule folio_wait_bit ext4_sync_file\n"
		"stack spin kernel preempt_schedule_irq work\n"
		"0 cpu0 switch idle > 10\n"
		"0 cpu1 switch idle > 11\n"
		"10 cpu0 switch 10:D > idle\n"
		"50 cpu0 waking 10 by idle\n"
		"60 cpu1 switch 11:S > 10\n"
		"60 cpu1 wait 10 pid=10 blocked=40 runnable=10 prev_state=D kernel_stack=io\n"
		"70 cpu1 switch 10:R > 11\n"
		"90 cpu1 switch 11:S > 10\n"
		"90 cpu1 wait 10 pid=10 blocked=0 runnable=20 prev_state=R kernel_stack=spin\n",

		"0 cpu0 switch 0:R > 10 a prio 120 full\n"
		"0 cpu1 switch 0:R > 11 ? prio 120 full\n"
		"10 cpu0 switch 10:D > 0 swapper prio 120\n"
		"50 cpu0 waking 10 by 0 on cpu0 in interrupt\n"
		"59.999 cpu1 blocked 10 in folio_wait_bit\n"
		"60 cpu1 switch 11:S > 10 a prio 120\n"
		"70 cpu1 switch 10:R+ > 11 ? prio 120\n"
		"90 cpu1 switch 11:S > 10 a prio 120\n");
}

/* ---- filters ---- */

static const char filter_recording[] = "thread 10 10 mine\n"
				       "thread 20 20 other\n"
				       "thread 21 20 third\n"
				       "0 cpu0 switch idle > 10\n"
				       "10 cpu0 switch 10:S > 20\n"
				       "20 cpu0 waking 21 by 20\n"
				       "30 cpu0 switch 20:S > 21\n"
				       "40 cpu0 waking 10 by 21\n"
				       "50 cpu0 switch 21:S > 10\n"
				       "55 cpu0 waking 20 by 10\n"
				       "60 cpu0 switch 10:R > idle\n"
				       "70 cpu0 fork 20 > 22 pid=20 comm=more\n"
				       "80 cpu0 switch idle > 22\n";

static void test_filter_leaves_no_false_slices(void **state)
{
	const char *const comms[] = {"mi*"};
	struct export_options options = everything;
	struct trace trace;

	(void)state;
	options.filter.comms = comms;
	options.filter.comm_count = 1;
	trace_of(&trace, filter_recording, &options);
	assert_string_equal(text_of(&trace.reading.slices),
			    "cpu0 0..10 mine 10 S\n"
			    "cpu0 10..50 (not recorded) 2147483647 S\n"
			    "cpu0 50..60 mine 10 R+\n"
			    "cpu0 60..80 swapper 0 R\n"
			    "cpu0 80.. (not recorded) 2147483647 ?\n");
	assert_string_equal(text_of(&trace.reading.sched),
			    "0 cpu0 switch 0:R > 10 mine prio 120 full\n"
			    "10 cpu0 switch 10:S > 2147483647 (not recorded) prio 120\n"
			    "40 cpu0 waking 10 by 2147483647 on cpu0\n"
			    "50 cpu0 switch 2147483647:S > 10 mine prio 120\n"
			    "60 cpu0 switch 10:R+ > 0 swapper prio 120\n"
			    "80 cpu0 switch 0:R > 2147483647 (not recorded) prio 120\n");
	assert_string_equal(text_of(&trace.reading.tree),
			    "0 process 10 of 0 'mine' name only\n"
			    "0 thread 10 'mine' in 10\n"
			    "0 process 2147483647 of 0 '(not recorded)' name only\n"
			    "0 thread 2147483647 '(not recorded)' in 2147483647\n");
	trace_release(&trace);
}

static void test_filter_by_time(void **state)
{
	struct export_options options = everything;
	struct trace trace;

	(void)state;
	options.filter.from_ns = SYNTH_US(30);
	options.filter.to_ns = SYNTH_US(55);
	trace_of(&trace, filter_recording, &options);
	assert_string_equal(text_of(&trace.reading.sched),
			    "30 cpu0 switch 20:S > 21 third prio 120 full\n"
			    "40 cpu0 waking 10 by 21 on cpu0\n"
			    "50 cpu0 switch 21:S > 10 mine prio 120\n"
			    "55 cpu0 waking 20 by 10 on cpu0\n");
	trace_release(&trace);
}

/* What happened to threads before the range is known in it. */
static void test_lives_before_the_range(void **state)
{
	struct export_options options = everything;
	struct trace trace;

	(void)state;
	options.filter.from_ns = SYNTH_US(15);
	trace_of(&trace,
		 "thread 10 10 main ppid=1 cmdline='/bin/main x'\n"
		 "thread 11 10 helper\n"
		 "thread 12 12 gone\n"
		 "0 cpu0 switch idle > 10\n"
		 "5 cpu0 rename 11 worker pid=10\n"
		 "6 cpu0 fork 10 > 20 pid=20 parent_pid=10 comm=main\n"
		 "7 cpu0 fork 10 > 30 pid=30 parent_pid=10 comm=main\n"
		 "8 cpu0 exec 30 ls pid=30 cmdline='/bin/ls -l'\n"
		 "9 cpu0 fork 30 > 31 pid=30 parent_pid=30 comm=kid\n"
		 "10 cpu0 exit 12 pid=12\n"
		 "20 cpu0 switch 10:S > 11\n"
		 "30 cpu0 switch 11:S > 30\n"
		 "40 cpu0 switch 30:S > 31\n",
		 &options);
	assert_string_equal(text_of(&trace.reading.sched),
			    "20 cpu0 switch 10:S > 11 worker prio 120 full\n"
			    "30 cpu0 switch 11:S > 30 ls prio 120\n"
			    "40 cpu0 switch 30:S > 31 kid prio 120\n");
	assert_string_equal(text_of(&trace.reading.tree),
			    "15 process 10 of 1 '/bin/main' 'x'\n"
			    "15 thread 10 'main' in 10\n"
			    "15 thread 11 'worker' in 10\n"
			    "15 process 20 of 10 '/bin/main' 'x'\n"
			    "15 thread 20 'main' in 20\n"
			    "15 process 30 of 10 '/bin/ls' '-l'\n"
			    "15 thread 30 'ls' in 30\n"
			    "15 thread 31 'kid' in 30\n"
			    "15 process 2147483647 of 0 '(not recorded)' name only\n"
			    "15 thread 2147483647 '(not recorded)' in 2147483647\n");
	trace_release(&trace);
}

/* ---- waits and samples ---- */

static const char wait_recording[] =
	"thread 10 10 main\n"
	"thread 11 10 helper\n"
	"stack lock kernel schedule futex_wait_queue futex_wait do_syscall_64\n"
	"stack app user lock_it^work@a.c:7 main@a.c:10\n"
	"stack wake kernel futex_wake do_syscall_64\n"
	"stack unlock user unlock_it main@a.c:10\n"
	"file log /var/log/x\n"
	"0 cpu0 switch idle > 10\n"
	"0 cpu1 switch idle > 11\n"
	"10 cpu0 switch 10:S > idle\n"
	"50 cpu1 waking 10 by 11 target_cpu=0\n"
	"60 cpu0 switch idle > 10\n"
	"60 cpu0 wait 10 pid=10 blocked=40 runnable=10 prev_state=S syscall=futex args=1,2 "
	"kernel_stack=lock user_stack=app waker_tid=11 waker_pid=10 waker_kernel_stack=wake "
	"waker_user_stack=unlock futex_owner_tid=11 futex_address=0x7f10 descriptor=-1\n"
	"70 cpu0 switch 10:D > idle\n"
	"80 cpu1 waking 10 by idle target_cpu=0\n"
	"80 cpu0 switch idle > 10\n"
	"80 cpu0 wait 10 pid=10 blocked=10 runnable=0 prev_state=D syscall=read args=3 "
	"object=log object_kind=1 descriptor=3 kernel_stack=lock user_stack=app flags=8\n"
	"85 cpu0 sample 10 pid=10 period=10 user_stack=app\n"
	"86 cpu1 sample 11 pid=10 period=10 user_stack=unlock kernel_stack=wake flags=1\n";

#define WAITING "[main@a.c:10;work@a.c:7;lock_it;do_syscall_64;futex_wait;futex_wait_queue]"

static void test_waits_are_slices(void **state)
{
	struct trace trace;

	(void)state;
	trace_of(&trace, wait_recording, &everything);
	assert_string_equal(
		text_of(&trace.reading.tracks),
		"10 track 18 thread 10/10 'main'\n"
		"10 track 19 'waits' in 18\n"
		"10 on 19 begin 'futex' " WAITING
		" blocked_ns=40000 runnable_ns=10000 state='sleeping' "
		"blocked_function='futex_wait_queue' syscall='futex' syscall_number=202 "
		"syscall_args=0x1,0x2,0x0,0x0,0x0,0x0, object='futex 0x7f10' futex=0x7f10 "
		"futex_owner='helper 11' waker='helper 11'\n"
		"50 track 20 thread 10/11 'helper'\n"
		"50 track 21 'waits' in 20\n"
		"50 on 21 instant 'wakes main' arrow 1 begins "
		"[main@a.c:10;unlock_it;do_syscall_64;futex_wake]\n"
		"50 on 19 begin 'run queue' arrow 1 ends\n"
		"60 on 19 end\n"
		"60 on 19 end\n"
		"70 on 19 begin 'read /var/log/x' " WAITING
		" blocked_ns=10000 runnable_ns=0 state='uninterruptible sleep' "
		"blocked_function='futex_wait_queue' syscall='read' syscall_number=0 "
		"syscall_args=0x3,0x0,0x0,0x0,0x0,0x0, object='/var/log/x' descriptor=3 "
		"waker='an interrupt'\n"
		"80 on 19 begin 'run queue'\n"
		"80 on 19 end\n"
		"80 on 19 end\n");
	trace_release(&trace);
}

/* With the waker filtered out its stack is kept beside the wait, since no arrow can lead to it. */
static void test_waker_that_is_not_shown(void **state)
{
	uint32_t tid = 10;
	struct export_options options = everything;
	struct trace trace;

	(void)state;
	options.filter.tids = &tid;
	options.filter.tid_count = 1;
	trace_of(&trace, wait_recording, &options);
	assert_non_null(strstr(text_of(&trace.reading.tracks),
			       " waker='helper 11' "
			       "waker_stack='main;unlock_it;do_syscall_64;futex_wake'\n"
			       "50 on 19 begin 'run queue'\n"));
	assert_null(strstr(text_of(&trace.reading.tracks), "track 21"));
	assert_null(strstr(text_of(&trace.reading.samples), "10/11"));
	trace_release(&trace);
}

/* The thread that an interrupt stopped is not to blame, so no arrow comes from it. */
static void test_woken_by_an_interrupt(void **state)
{
	struct export_options options = everything;
	struct trace trace;

	(void)state;
	options.filter.from_ns = SYNTH_US(81); /* without the wait that ended before */
	trace_of(&trace,
		 "thread 10 10 main\n"
		 "thread 11 11 busy\n"
		 "0 cpu0 switch idle > 10\n"
		 "0 cpu1 switch idle > 11\n"
		 "10 cpu0 switch 10:S > idle\n"
		 "20 cpu1 waking 10 by 11\n"
		 "21 cpu0 switch idle > 10\n"
		 "21 cpu0 wait 10 pid=10 blocked=10 runnable=1 prev_state=S syscall=-1\n"
		 "70 cpu0 switch 10:S > idle\n"
		 "80 cpu1 waking 10 by 11\n"
		 "90 cpu0 switch idle > 10\n"
		 "90 cpu0 wait 10 pid=10 blocked=10 runnable=10 prev_state=S syscall=nanosleep "
		 "flags=8 waker_tid=11\n",
		 &options);
	assert_string_equal(text_of(&trace.reading.tracks),
			    "70 track 18 thread 10/10 'main'\n"
			    "70 track 19 'waits' in 18\n"
			    "70 on 19 begin 'nanosleep' blocked_ns=10000 runnable_ns=10000 "
			    "state='sleeping' syscall='nanosleep' syscall_number=35 "
			    "syscall_args=0x0,0x0,0x0,0x0,0x0,0x0, "
			    "waker='an interrupt while busy 11 ran'\n"
			    "80 on 19 begin 'run queue'\n"
			    "90 on 19 end\n"
			    "90 on 19 end\n");
	trace_release(&trace);
}

static void test_samples(void **state)
{
	struct export_options options = everything;
	struct trace trace;

	(void)state;
	trace_of(&trace, wait_recording, &options);
	assert_string_equal(text_of(&trace.reading.samples),
			    "sequence 3 is dashcam.oncpu: CPU time, unit 1\n"
			    "85 sequence 3 10/10 cpu0 mode 1 weight 10000 "
			    "[main@a.c:10;work@a.c:7;lock_it]\n"
			    "86 sequence 3 10/11 cpu1 mode 2 weight 10000 "
			    "[main@a.c:10;unlock_it;do_syscall_64;futex_wake]\n"
			    "sequence 4 is dashcam.offcpu: off-CPU time, unit 1\n"
			    "60 sequence 4 10/10 weight 50000 " WAITING "\n"
			    "80 sequence 4 10/10 weight 10000 " WAITING "\n");
	trace_release(&trace);

	options.old_samples = true;
	trace_of(&trace, wait_recording, &options);
	assert_string_equal(text_of(&trace.reading.samples),
			    "85 perf 10/10 cpu0 mode 2 [main@a.c:10;work@a.c:7;lock_it]\n"
			    "86 perf 10/11 cpu1 mode 1 "
			    "[main@a.c:10;unlock_it;do_syscall_64;futex_wake]\n");
	trace_release(&trace);
}

/* ---- the machine ---- */

static void test_machine_and_processes(void **state)
{
	struct trace trace;

	(void)state;
	trace_of(&trace,
		 "meta host box\n"
		 "meta kernel 6.18.1\n"
		 "meta kernel_version '#1 SMP'\n"
		 "meta machine x86_64\n"
		 "meta min_wait_ns 1000\n"
		 "hook sched_exit 'no early resume' status=3\n"
		 "hook sched_switch 'switches' status=1\n"
		 "thread 10 10 main ppid=1 cmdline='/bin/main -v x' start=0\n"
		 "thread 11 10 helper\n"
		 "thread 2 2 kthreadd flags=1\n"
		 "0 cpu0 clock\n"
		 "0 cpu0 switch idle > 10\n"
		 "5 cpu0 exec 10 other pid=10 cmdline='/bin/other -w'\n",
		 &everything);
	assert_string_equal(text_of(&trace.reading.machine),
			    "system 'Linux' '#1 SMP' '6.18.1' 'x86_64' 1 cpus\n"
			    "clocks, primary 6: 6=1000000000 3=1000000000 1=1700000001000000000\n"
			    "dashcam.lost_events 0\n"
			    "dashcam.evidence_from_ns 1000\n"
			    "dashcam.hooks_missing 'sched_exit'\n"
			    "dashcam.host 'box'\n"
			    "dashcam.kernel '6.18.1'\n"
			    "dashcam.kernel_version '#1 SMP'\n"
			    "dashcam.machine 'x86_64'\n"
			    "dashcam.min_wait_ns '1000'\n");
	assert_string_equal(text_of(&trace.reading.tree),
			    "0 process 10 of 1 '/bin/main' '-v' 'x'\n"
			    "0 thread 10 'main' in 10\n"
			    "0 thread 11 'helper' in 10\n"
			    "0 process 2 of 0 'kthreadd' kernel name only\n"
			    "0 thread 2 'kthreadd' in 2\n"
			    "0 process 2147483647 of 0 '(not recorded)' name only\n"
			    "0 thread 2147483647 '(not recorded)' in 2147483647\n"
			    "5 process 10 of 1 '/bin/other' '-w'\n");
	trace_release(&trace);
}

/* ---- many events ---- */

#define MANY      20000
#define MANY_CPUS 3

/* A random but possible history; what a viewer should say of it is written down beside it. */
static void make_history(struct synth *synth, struct buffer *expected)
{
	uint32_t running[MANY_CPUS] = {0};
	bool is_known[MANY_CPUS] = {false};
	unsigned int seed = 1;

	for (unsigned int i = 0; i < MANY; i++) {
		unsigned int cpu = (unsigned int)rand_r(&seed) % MANY_CPUS;
		uint32_t tid = 100 + (uint32_t)(rand_r(&seed) % 40) * MANY_CPUS + cpu;

		if (is_known[cpu] && rand_r(&seed) % 3 == 0) {
			synth_printf(synth, "%u cpu%u waking %u by %u target_cpu=%u\n", i, cpu, tid,
				     running[cpu], cpu);
			buffer_printf(expected, "%u cpu%u waking %u by %u on cpu%u%s\n", i, cpu,
				      tid, running[cpu], cpu, running[cpu] ? "" : " in interrupt");
			continue;
		}
		tid = tid == running[cpu] ? 0 : tid;
		synth_printf(synth, "%u cpu%u switch %u:S > %u\n", i, cpu, running[cpu], tid);
		buffer_printf(expected, "%u cpu%u switch %u:%s > %u %s%.0u prio 120%s\n", i, cpu,
			      running[cpu], running[cpu] ? "S" : "R", tid, tid ? "t" : "swapper",
			      tid, is_known[cpu] ? "" : " full");
		running[cpu] = tid;
		is_known[cpu] = true;
	}
}

static void test_every_event_once(void **state)
{
	struct synth *synth = synth_new();
	struct buffer expected = {0};
	struct recording *recording;
	struct model_options options = {0};
	struct model *model;
	struct trace trace;

	(void)state;
	for (unsigned int tid = 100; tid < 100 + 40 * MANY_CPUS; tid++)
		synth_printf(synth, "thread %u %u t%u\n", tid, tid, tid);
	make_history(synth, &expected);
	recording = synth_to_memory(synth);
	assert_int_equal(model_new(&model, recording, &options), 0);
	trace_of_model(&trace, model, &everything);
	assert_string_equal(text_of(&trace.reading.sched), expected.data);
	assert_int_equal(trace.reading.full, MANY_CPUS);
	/* 20,000 events need several bundles of each CPU, and few bytes each. */
	assert_true(trace.size < MANY * 13);
	trace_release(&trace);
	buffer_release(&expected);
	model_free(model);
	recording_close(recording);
	synth_free(synth);
}

/* ---- hostile and unlucky ---- */

static void test_hostile_names(void **state)
{
	struct trace trace;

	(void)state;
	trace_of(&trace,
		 "thread 10 10 '\xff\xfe name'\n"
		 "thread 11 11 0123456789abcdef\n"
		 "stack s kernel schedule '\xc3('\n"
		 "0 cpu0 switch idle > 10\n"
		 "1 cpu0 switch 10:S > 11\n"
		 "2 cpu65534 switch idle > 11\n"
		 "3 cpu2000 waking 10 by 11\n"
		 "5 cpu0 switch 11:S > 10\n"
		 "5 cpu0 wait 10 pid=10 blocked=4 prev_state=S syscall=-1 kernel_stack=s\n",
		 &everything);
	assert_string_equal(text_of(&trace.reading.sched),
			    "0 cpu0 switch 0:R > 10 \xef\xbf\xbd\xef\xbf\xbd name prio 120 full\n"
			    "1 cpu0 switch 10:S > 11 0123456789abcde prio 120\n"
			    "4.999 cpu0 blocked 10 in \xef\xbf\xbd(\n"
			    "5 cpu0 switch 11:S > 10 \xef\xbf\xbd\xef\xbf\xbd name prio 120\n");
	assert_non_null(strstr(text_of(&trace.reading.tracks), "begin 'blocked in \xef\xbf\xbd('"));
	trace_release(&trace);
}

static void test_full_disk(void **state)
{
	struct model *model = synth_model(wait_recording);
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	setvbuf(full, NULL, _IONBF, 0);
	assert_int_equal(export_perfetto.run(model, &everything, full), -ENOSPC);
	assert_string_equal(fail_text(), "writing the trace: No space left on device");
	fail_clear();
	fclose(full);
	synth_model_free(model);
}

/* Another reader than ours: protoc from Debian's protobuf-compiler. */
static void test_protoc_reads_it(void **state)
{
	struct trace trace;
	FILE *protoc;

	(void)state;
	if (system("command -v protoc >/dev/null")) {
		print_message("protoc is not installed (package protobuf-compiler)\n");
		skip();
	}
	trace_of(&trace, wait_recording, &everything);
	protoc = popen("protoc --decode_raw >/dev/null", "w");
	assert_int_equal(fwrite(trace.bytes, 1, trace.size, protoc), trace.size);
	assert_int_equal(pclose(protoc), 0);
	trace_release(&trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_switches_and_wakings),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_lives),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_gaps_at_edges),
		cmocka_unit_test(test_other_losses_are_no_gaps),
		cmocka_unit_test(test_unseen_switches),
		cmocka_unit_test(test_blocked_function),
		cmocka_unit_test(test_filter_leaves_no_false_slices),
		cmocka_unit_test(test_filter_by_time),
		cmocka_unit_test(test_lives_before_the_range),
		cmocka_unit_test(test_waits_are_slices),
		cmocka_unit_test(test_waker_that_is_not_shown),
		cmocka_unit_test(test_woken_by_an_interrupt),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_machine_and_processes),
		cmocka_unit_test(test_every_event_once),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_protoc_reads_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
