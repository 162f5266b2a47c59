/* SPDX-License-Identifier: BSD-2-Clause */
/* The state machine where something was not seen: missed switches, gaps, and what evidence mends.
 */
#include "unit/unit.h"

#include "model/model.h"
#include "support/check_model.h"
#include "support/synth.h"

/* ---- switches that were not seen ---- */

/* 1 takes the CPU; its switch-out is not seen, but the next one says since when it was there. */
static void test_resume(void **state)
{
	struct model *model = CHECK("0   cpu0 switch idle > 11\n"
				    "20  cpu0 switch 11:R > 1\n"
				    "70  cpu1 waking 1 by 12\n"
				    "100 cpu0 resume 11 ran 60\n"
				    "100 cpu0 switch 11:S > 1\n"
				    "150 cpu1 switch 12:S > idle\n",
				    {11, 20 + 60, 20, 50, 0}, {1, 20 + 50, 30, 30, 20});

	(void)state;
	check_wait(check_wait_of(model, 11, 0), 20, 20, 40);
	check_wait(check_wait_of(model, 1, 0), 40, 70, 100);
	synth_model_free(model);
}

/* Without that, the time between belongs to nobody. What a sample proves is kept; and once another
 * is seen there, the first is off the CPU. */
static void test_missed_switch(void **state)
{
	struct model *model = CHECK("0   cpu0 switch idle > 11\n"
				    "20  cpu0 switch 11:R > 1\n"
				    "30  cpu0 sample 1 pid=1\n"
				    "100 cpu0 resume 11 ran 0\n"
				    "100 cpu0 switch 11:S > 12\n"
				    "130 cpu1 waking 1 by 13\n"
				    "150 cpu0 switch 12:S > idle\n",
				    {11, 20, 10, 50, 70}, {1, 10, 20, 30, 20 + 70});

	(void)state;
	assert_true(check_wait_of(model, 11, 0)->is_open);
	synth_model_free(model);
}

/* Woken (for the next wait) before it was known to run: that cannot have ended the wait before. */
static void test_resume_before_the_waking(void **state)
{
	struct model *model = CHECK("0   cpu0 switch idle > 11\n"
				    "20  cpu0 switch 11:S > 1\n"
				    "99  cpu1 waking 11 by 12\n"
				    "100 cpu0 resume 11 ran 60\n"
				    "100 cpu0 switch 11:S > idle\n"
				    "150 cpu0 switch idle > 11\n"
				    "170 cpu0 switch 11:S > idle\n",
				    {11, 20 + 60 + 20, 50, 20, 0});

	(void)state;
	assert_false(check_wait_of(model, 11, 0)->wake_seen);
	assert_int_equal(check_wait_of(model, 11, 1)->waker->tid, 12);
	synth_model_free(model);
}

/* 10 is found leaving a CPU that another had; 13 comes in on a CPU while still on another. */
static void test_contradictions(void **state)
{
	struct model *model = CHECK("thread 10 10 ten\n"
				    "0   cpu0 switch idle > 12\n"
				    "0   cpu1 switch idle > 13\n"
				    "50  cpu2 switch idle > 13\n"
				    "80  cpu2 switch 13:S > idle\n"
				    "100 cpu0 switch 10:S > idle\n"
				    "120 cpu1 switch 14:S > idle\n",
				    {10, 0, 0, 20, 100}, {12, 0, 0, 0, 120}, {13, 30, 0, 40, 50});

	(void)state;
	synth_model_free(model);
}

/* ---- lost events ---- */

static void test_gap(void **state)
{
	/* 10 ran on cpu0 when its log was overwritten; 11 waited and is found there afterwards; 12
	 * slept through it and is woken as if nothing had been; 13 runs on the other CPU,
	 * undisturbed */
	struct model *model = CHECK("0   cpu0 switch idle > 12\n"
				    "0   cpu1 switch idle > 13\n"
				    "10  cpu0 switch 12:S > 11\n"
				    "20  cpu0 switch 11:S > 10\n"
				    "200 cpu0 loss 100..180 events=9\n"
				    "210 cpu0 switch 11:S > idle\n"
				    "220 cpu1 waking 12 by 13\n"
				    "230 cpu0 switch idle > 12\n"
				    "250 cpu1 waking 10 by 13\n"
				    "300 cpu0 switch 12:S > 10\n",
				    {10, 80, 50, 0, 20 + 150}, {11, 10, 0, 80 + 90, 10 + 110},
				    {12, 10 + 70, 10, 210, 0}, {13, 300, 0, 0, 0});

	(void)state;
	assert_int_equal(model_loss_count(model), 1);
	assert_int_equal(model_lost_events(model), 9);
	synth_model_free(model);
}

/* A sample is the first thing that shows who is there after a gap. */
static void test_gap_ended_by_a_sample(void **state)
{
	struct model *model = CHECK("0   cpu0 switch idle > 10\n"
				    "200 cpu0 loss 100..150 events=2\n"
				    "170 cpu0 sample 10 pid=10\n"
				    "210 cpu0 switch 10:S > idle\n",
				    {10, 100 + 40, 0, 0, 70});

	(void)state;
	synth_model_free(model);
}

/* Woken while it was thought to be runnable: it must have run and slept in the gap. */
static void test_gap_hides_a_run(void **state)
{
	struct model *model = CHECK("0   cpu0 switch idle > 10\n"
				    "0   cpu1 switch idle > 13\n"
				    "50  cpu0 switch 10:R > 11\n"
				    "200 cpu0 loss 100..150 events=2\n"
				    "220 cpu1 waking 10 by 13\n"
				    "250 cpu1 switch 13:S > 10\n",
				    {10, 50, 50 + 30, 0, 120});

	(void)state;
	synth_model_free(model);
}

/* With a gap, nothing is known of a thread that was never met. Skipped programs are no gap. */
static void test_never_met(void **state)
{
	static const char *const reasons[] = {"1", "2"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct synth *synth = synth_new();
		struct recording *recording;
		struct model *model;

		synth_printf(synth,
			     "thread 10 10 quiet\n"
			     "0   cpu0 switch idle > 11\n"
			     "200 cpu0 loss 100..150 events=1 reason=%s\n",
			     reasons[i]);
		recording = synth_to_memory(synth);
		assert_int_equal(model_new(&model, recording, &(struct model_options){0}), 0);
		check_totals(model, i == 0 ? &(struct totals){10, 0, 0, 0, 200}
					   : &(struct totals){10, 0, 0, 200, 0});
		synth_model_free(model);
		synth_free(synth);
	}
}

/* How long a wait is certain, of a thread that is found on a CPU without its switch-in. */
static void test_certain_until(void **state)
{
	/* 11: the other CPU's gap at 50 comes before what is known of this CPU (sample at 100);
	 * 15: it was woken in the gap, so it was not on a CPU by then */
	struct model *model = CHECK("0   cpu0 switch idle > 11\n"
				    "0   cpu2 switch idle > 15\n"
				    "10  cpu0 switch 11:S > 12\n"
				    "20  cpu2 switch 15:S > 16\n"
				    "300 cpu1 loss 50..60 events=1\n"
				    "300 cpu2 loss 100..180 events=1\n"
				    "150 cpu0 waking 15 by 12\n"
				    "160 cpu0 sample 12 pid=12\n"
				    "200 cpu0 switch 11:S > idle\n"
				    "210 cpu2 switch 15:S > idle\n",
				    {11, 10, 0, 40 + 100, 150}, {15, 20, 0, 130 + 90, 60});

	(void)state;
	synth_model_free(model);
}

/* What was there at the start, or was met later, when the log of its CPU begins with a gap. */
static void test_gap_at_the_start(void **state)
{
	struct model *model = CHECK("thread 10 10 ten\n"
				    "0   cpu1 switch idle > 12\n"
				    "200 cpu0 loss 0..50 events=5\n"
				    "100 cpu0 switch 10:S > 13\n"
				    "150 cpu1 waking 11 by 12\n"
				    "200 cpu0 switch 13:S > 11\n",
				    {10, 0, 0, 100, 100}, {11, 0, 50, 0, 0});

	(void)state;
	assert_int_equal(check_thread(model, 11)->start_ns, SYNTH_US(150));
	synth_model_free(model);
}

/* Gaps that overlap are one: 10 was woken while runnable, so it ran in the second. */
static void test_overlapping_gaps(void **state)
{
	struct model *model = CHECK("0   cpu0 switch idle > 10\n"
				    "0   cpu1 switch idle > 13\n"
				    "160 cpu0 switch 10:R > 11\n"
				    "400 cpu2 loss 100..150 events=2\n"
				    "400 cpu2 loss 120..300 events=2\n"
				    "220 cpu1 waking 10 by 13\n"
				    "250 cpu1 switch 13:S > 10\n",
				    {10, 160 + 150, 30, 0, 60});

	(void)state;
	synth_model_free(model);
}

/* ---- evidence ---- */

static void test_evidence(void **state)
{
	struct model *model = CHECK(
		"0   cpu0 switch idle > 10\n"
		"50  cpu0 switch 10:S > 11\n"
		"90  cpu0 waking 10 by 11\n"
		"95  cpu0 switch 11:S > 10\n"
		"95.005 cpu0 wait 10 pid=10 blocked=40 runnable=5 syscall=read args=3,4 flags=8\n"
		"110 cpu0 switch 10:S > 11\n",
		{10, 50 + 15, 5, 40, 0});
	const struct wait *wait = check_wait_of(model, 10, 0);

	(void)state;
	assert_non_null(wait->evidence);
	assert_int_equal(wait->evidence->syscall, 0);
	assert_int_equal(wait->evidence->args[1], 4);
	assert_true(wait->waker_is_irq);
	assert_int_equal(wait->waker->tid, 11);
	synth_model_free(model);
}

/* The wake-up was not seen, but the kernel knew of it; or did not either. */
static void test_evidence_tells_the_waking(void **state)
{
	struct model *model =
		CHECK("0   cpu0 switch idle > 10\n"
		      "50  cpu0 switch 10:S > 11\n"
		      "95  cpu0 switch 11:S > 10\n"
		      "95  cpu0 wait 10 pid=10 blocked=40 runnable=5 waker_tid=1 waker_pid=1\n"
		      "150 cpu0 switch 10:S > 11\n"
		      "195 cpu0 switch 11:S > 10\n"
		      "195 cpu0 wait 10 pid=10 blocked=45 flags=2\n",
		      {10, 50 + 55, 5, 40 + 45, 0});

	(void)state;
	assert_true(check_wait_of(model, 10, 0)->wake_seen);
	assert_int_equal(check_wait_of(model, 10, 0)->waker->tid, 1);
	assert_false(check_wait_of(model, 10, 1)->wake_seen);
	assert_null(check_wait_of(model, 10, 1)->waker);
	synth_model_free(model);
}

/* The switches were lost, the evidence was not: it says when the thread waited and when it was
 * back. */
static void test_evidence_alone(void **state)
{
	struct model *model = CHECK("0   cpu0 switch idle > 10\n"
				    "300 cpu0 loss 100..250 events=7\n"
				    "200 cpu0 wait 10 pid=10 blocked=40 runnable=20\n"
				    "280 cpu0 switch 10:S > idle\n",
				    {10, 100, 20, 40 + 20, 40 + 80});

	(void)state;
	check_wait(check_wait_of(model, 10, 0), 140, 180, 200);
	assert_non_null(check_wait_of(model, 10, 0)->evidence);
	synth_model_free(model);
}

/* One switch-out and one switch-in were skipped by the kernel in the middle of a run. */
static void test_evidence_splits_a_run(void **state)
{
	struct model *model = CHECK("0   cpu0 switch idle > 10\n"
				    "200 cpu0 wait 10 pid=10 blocked=40 runnable=20 prev_state=S\n"
				    "280 cpu0 switch 10:S > idle\n",
				    {10, 140 + 80, 20, 40, 0});

	(void)state;
	assert_int_equal(check_thread(model, 10)->switches, 2);
	synth_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_missed_switch),
		cmocka_unit_test(test_resume_before_the_waking),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_gap_ended_by_a_sample),
		cmocka_unit_test(test_gap_hides_a_run),
		cmocka_unit_test(test_never_met),
		cmocka_unit_test(test_certain_until),
		cmocka_unit_test(test_gap_at_the_start),
		cmocka_unit_test(test_overlapping_gaps),
		cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_evidence_tells_the_waking),
		cmocka_unit_test(test_evidence_alone),
		cmocka_unit_test(test_evidence_splits_a_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
