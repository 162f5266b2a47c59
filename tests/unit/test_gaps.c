/* SPDX-License-Identifier: BSD-2-Clause */
/* What a recording lacks: never a wrong culprit, said where it matters, less sure there. */
#include "unit/unit.h"

#include <string.h>

#include "support/scene.h"
#include "support/synth.h"

#define CAST                                                                                       \
	"on cpu0 10 10 main\n"                                                                     \
	"on cpu1 11 10 worker\n"                                                                   \
	"thread 12 12 hog\n"                                                                       \
	"stack burn user burn main\n"                                                              \
	"stack pause user libc.so.6!nanosleep retry main\n"

#define END                                                                                        \
	"100ms cpu0 switch 10:S > idle\n"                                                          \
	"100ms cpu1 switch 11:S > idle\n"

/* A recording with all hooks that the tests below leave out. */
#define HOOKS                                                                                      \
	"meta sample_period_ns 10000000\n"                                                         \
	"hook cpu-clock 'x' status=1\n"                                                            \
	"hook block_rq_issue 'x' status=1\n"                                                       \
	"hook mm_compaction_begin 'x' status=1\n"                                                  \
	"hook tcp_retransmit_skb 'x' status=1\n"                                                   \
	"hook irq_handler_entry 'x' status=1\n"

#define LOCK                                                                                       \
	"10ms..70ms 10 lock by 11 futex_owner_tid=11\n"                                            \
	"5ms cpu0 sample 10 user_stack=burn\n"                                                     \
	"40ms cpu1 sample 11 user_stack=burn\n"

/* Explains thread 10; its only finding's confidence, 1 if there is none. NOTE must be in a note;
 * NULL: nothing may be noted. */
static double confidence(const char *text, const char *note)
{
	struct scene scene = scene_open(text);
	struct explanation explanation = scene_explain(&scene, 10);
	double result = explanation.finding_count ? explanation.findings[0].confidence : 1;
	bool found = false;

	for (size_t i = 0; i < explanation.note_count; i++)
		found |= note && strstr(explanation.notes[i], note);
	assert_true(note ? found : explanation.note_count == 0);
	assert_true(explanation.finding_count <= 1);
	explanation_release(&explanation);
	scene_close(&scene);
	return result;
}

static void check_blame(const char *text, const char *want)
{
	struct scene scene = scene_open(text);

	scene_check_blame(&scene, 10, 0, 100000, false, want);
	scene_close(&scene);
}

static void test_hooks_that_matter(void **state)
{
	double whole = confidence(HOOKS CAST LOCK END, NULL);

	(void)state;
	assert_true(whole > 0.8);
	assert_true(confidence("hook sched_waking 'x' status=3 error=125\n" HOOKS CAST LOCK END,
			       "hook sched_waking was left out") < 0.8 * whole);
	assert_true(confidence("hook sched_waking 'x' status=3 error=1\n" HOOKS CAST LOCK END,
			       "hook sched_waking was missing: who ended a wait") < 0.8 * whole);
	/* the holder ran: on what, samples say */
	assert_true(confidence("hook cpu-clock 'x' status=3 error=1\n" CAST LOCK END,
			       "hook cpu-clock was missing") < whole);
	assert_true(confidence("meta user_stack none\n" HOOKS CAST LOCK END,
			       "user stacks were not taken") < whole);
	assert_true(confidence("meta user_stack fp\n" HOOKS CAST LOCK END, "frame pointers") <
		    whole);
	assert_true(confidence("meta evidence_hook sched_switch\n" HOOKS CAST LOCK END,
			       "evidence was taken at the switch") < whole);
}

static void test_hooks_that_do_not(void **state)
{
	double whole = confidence(HOOKS CAST LOCK END, NULL);

	(void)state;
	/* a lock of the program has nothing to do with disks, the network and kernel locks */
	assert_true(confidence(HOOKS "hook block_rq_insert 'x' status=3 error=125\n"
				     "hook tcp_retransmit_synack 'x' status=3 error=125\n"
				     "hook contention_begin 'x' status=3 error=125\n" CAST LOCK END,
			       NULL) == whole);
	/* another stands in for it */
	assert_true(confidence(HOOKS "hook sched_exit_tp 'x' status=2 error=2\n" CAST LOCK END,
			       NULL) == whole);
	/* no thread was born, so no name is in doubt */
	assert_true(confidence(HOOKS "hook task_rename 'x' status=3 error=1\n" CAST LOCK END,
			       NULL) == whole);
}

/* Many hooks of a probe are one line. */
static void test_a_probe_that_was_not_asked_for(void **state)
{
	(void)state;
	confidence("meta sample_period_ns 10000000\n"
		   "hook sched_waking 'x' status=1\n" CAST END
		   "50ms cpu0 sample 10 user_stack=burn\n",
		   "probe irq was not on");
	confidence(HOOKS "hook irq_handler_exit 'x' status=3 error=125\n"
			 "hook softirq_entry 'x' status=3 error=125\n"
			 "hook softirq_exit 'x' status=3 error=125\n" CAST END
			 "50ms cpu0 sample 10 user_stack=burn\n",
		   "hooks irq_handler_exit, softirq_entry and 1 more were left out");
}

/* Callers that were not found: the function may be anybody's helper. */
static void test_broken_stacks(void **state)
{
	double whole = confidence(HOOKS CAST LOCK END, NULL);

	(void)state;
	assert_true(confidence(HOOKS CAST LOCK
			       "event stack id=cut flags=5 frame_count=1 frames=0x9000000005678\n"
			       "45ms cpu1 sample 11 user_stack=cut\n"
			       "46ms cpu1 sample 11 user_stack=cut\n" END,
			       "67 % of the stacks around") < whole);
}

/* Nothing is wrong, for all that is seen; that is said. */
static void test_healthy_with_a_gap(void **state)
{
	(void)state;
	assert_true(confidence(HOOKS "hook sched_waking 'x' status=3 error=1\n" CAST END
				     "10ms..90ms 10 sleep by idle timeout=80ms\n",
			       "hook sched_waking was missing") == 1);
}

/* ---- who ended a wait ---- */

/* The evidence as it is without sched_waking: flag 2, the waker is not known. */
static void test_nobody_was_seen_to_end_it(void **state)
{
	(void)state;
	/* the one that waits is not its own culprit */
	check_blame(CAST "10ms cpu0 switch 10:S > idle\n"
			 "70ms cpu0 switch idle > 10\n"
			 "70ms cpu0 wait 10 pid=10 blocked=60ms syscall=futex args=0x1000,9,5 "
			 "kernel_stack=wait flags=2\n"
			 "stack wait kernel futex_wait_queue futex_wait do_futex\n" END,
		    "60000 wait.condition 10 = wait.condition in futex_wait_queue, no waker\n");
	/* who held a lock is in the lock */
	check_blame(CAST "10ms cpu0 switch 10:S > idle\n"
			 "70ms cpu0 switch idle > 10\n"
			 "70ms cpu0 wait 10 pid=10 blocked=60ms syscall=futex args=0x1000,0,2 "
			 "kernel_stack=wait flags=2 futex_owner_tid=11\n"
			 "stack wait kernel futex_wait_queue futex_wait do_futex\n" END,
		    "60000 lock.futex 10 held by 11 = cpu.user worker\n");
}

/* How much of it was a wait for a CPU is not known: no word of slow timers. */
static void test_an_oversleep_needs_a_wake_up(void **state)
{
	const char *const nap = CAST END
		"10ms cpu0 switch 10:S > idle prev_syscall=clock_nanosleep\n"
		"70ms cpu0 switch idle > 10\n"
		"70ms cpu0 wait 10 pid=10 blocked=60ms syscall=clock_nanosleep timeout=20ms "
		"kernel_stack=nap flags=2\n"
		"stack nap kernel do_nanosleep hrtimer_nanosleep\n";
	struct scene scene = scene_open(nap);
	struct explanation explanation = scene_explain(&scene, 10);

	(void)state;
	assert_int_equal(explanation.finding_count, 0);
	explanation_release(&explanation);
	scene_close(&scene);
}

/* ---- lost events ---- */

/* A CPU of which nothing is known was not idle; who had it is unknown. */
static void test_a_lost_run_queue(void **state)
{
	(void)state;
	check_blame(CAST "10ms cpu0 switch 10:R > 12\n"
			 "0 cpu0 loss 30ms..70ms events=7\n"
			 "70ms cpu0 switch 12:S > 10\n" END,
		    "40000 runq.preempted 10 behind = unknown, not seen\n"
		    "20000 runq.preempted 10 behind = cpu.user hog\n");
}

/* In the middle of a chain: what is known counts, the rest is nobody's. */
static void test_a_loss_on_the_way(void **state)
{
	(void)state;
	check_blame(CAST LOCK "10ms cpu1 switch 11:R > 12\n"
			      "0 cpu1 loss 20ms..65ms events=7\n"
			      "65ms cpu1 switch 12:S > 11\n" END,
		    "45000 lock.futex 10 held by 11 behind = unknown, not seen\n"
		    "10000 lock.futex 10 held by 11 behind = cpu.user hog\n"
		    "10000 cpu.user = cpu.user main in burn\n"
		    "5000 lock.futex 10 held by 11 = cpu.user worker\n");
}

static void test_much_unknown_is_not_healthy(void **state)
{
	struct scene scene = scene_open(CAST "0 cpu0 loss 20ms..90ms events=7\n" END);
	struct explanation explanation = scene_explain(&scene, 10);

	(void)state;
	assert_int_equal(explanation.finding_count, 0);
	assert_false(explanation.is_healthy);
	assert_non_null(strstr(explanation.verdict, "Not known: 80 % of the time"));
	explanation_release(&explanation);
	scene_close(&scene);
}

/* Losses elsewhere in time, and of things that play no part, change nothing. */
static void test_losses_that_do_not_matter(void **state)
{
	double whole = confidence(HOOKS CAST LOCK END, NULL);

	(void)state;
	assert_true(confidence(HOOKS CAST LOCK END "0 cpu1 loss 0..100ms events=3 log=1 reason=8\n",
			       NULL) == whole);
	assert_true(confidence(HOOKS CAST LOCK END "0 cpu1 loss 0..100ms events=3 log=1 reason=1\n",
			       "3 events of that time were lost") < whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hooks_that_matter),
		cmocka_unit_test(test_hooks_that_do_not),
		cmocka_unit_test(test_a_probe_that_was_not_asked_for),
		cmocka_unit_test(test_broken_stacks),
		cmocka_unit_test(test_healthy_with_a_gap),
		cmocka_unit_test(test_nobody_was_seen_to_end_it),
		cmocka_unit_test(test_an_oversleep_needs_a_wake_up),
		cmocka_unit_test(test_a_lost_run_queue),
		cmocka_unit_test(test_a_loss_on_the_way),
		cmocka_unit_test(test_much_unknown_is_not_healthy),
		cmocka_unit_test(test_losses_that_do_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
