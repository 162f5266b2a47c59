/* SPDX-License-Identifier: BSD-2-Clause */
/* Run queues: who ran instead, who was queued, how long all waited. */
#include "unit/unit.h"

#include "base/memory.h"
#include "support/fixture.h"

/* One CPU and its queue, as it fills and empties. */
static const char queue_story[] = "meta min_wait_ns 1000000\n"
				  "thread 1 1 anna\n"
				  "thread 2 2 bert\n"
				  "thread 3 3 cleo\n"
				  "thread 4 4 dora\n"
				  "0   cpu0 switch idle > 1\n"
				  "1ms cpu0 waking 2 by 1\n"
				  "2ms cpu0 waking 3 by 1\n"
				  "3ms cpu0 waking 4 by 1\n"
				  "4ms cpu0 switch 1:S > 2 next_prio=120\n"
				  "6ms cpu0 switch 2:R > 3 next_prio=49\n"
				  "9ms cpu0 switch 3:S > 4 next_prio=120\n"
				  "10ms cpu0 switch 4:S > 2\n"
				  "11ms cpu0 switch 2:S > idle\n";

/* Who waited how long, in the order of ends: bert 1..4, cleo 2..6, dora 3..9, bert 6..10. */
static void test_ran_instead(void **state)
{
	struct fixture f = fixture_open(queue_story);

	(void)state;
	fixture_check(
		&f,
		"SELECT w.comm, w.runnable_ns / 1000, r.comm, r.tid, r.ran_ns / 1000, r.runs, r.prio, "
		"round(r.share, 2) FROM ran_instead AS r JOIN wait AS w ON w.id = r.wait_id "
		"ORDER BY w.id, r.ran_ns DESC, r.tid",
		"bert|3000|anna|1|3000|1|120|1.0\n"
		"cleo|4000|anna|1|2000|1|120|0.5\n"
		"cleo|4000|bert|2|2000|1|120|0.5\n"
		"dora|6000|cleo|3|3000|1|49|0.5\n"
		"dora|6000|bert|2|2000|1|120|0.33\n"
		"dora|6000|anna|1|1000|1|120|0.17\n"
		"bert|4000|cleo|3|3000|1|49|0.75\n"
		"bert|4000|dora|4|1000|1|120|0.25\n");
	fixture_close(&f);
}

static void test_run_queue(void **state)
{
	struct fixture f = fixture_open(queue_story);

	(void)state;
	fixture_check(
		&f,
		"SELECT w.comm, q.position, q.comm, q.waiting_ns / 1000, q.running_ns / 1000 "
		"FROM run_queue AS q JOIN wait AS w ON w.id = q.wait_id ORDER BY w.id, q.position",
		"bert|0|anna|-|1000\n"
		"cleo|0|anna|-|2000\n"
		"cleo|1|bert|1000|-\n"
		"dora|0|anna|-|3000\n"
		"dora|1|bert|2000|-\n"
		"dora|2|cleo|1000|-\n"
		"bert|0|cleo|-|0\n"
		"bert|1|dora|3000|-\n");
	/* Only longer delays, then shorter ones again, in one statement. */
	fixture_check(&f,
		      "SELECT (SELECT count(DISTINCT wait_id) FROM run_queue(5000000)), "
		      "(SELECT count(DISTINCT wait_id) FROM run_queue WHERE min_ns = 3500000), "
		      "(SELECT count(DISTINCT wait_id) FROM run_queue)",
		      "1|3|4\n");
	fixture_close(&f);
}

/* A CPU that stays idle, another where events were lost, and shorter delays than a millisecond. */
static void test_idle_and_unknown(void **state)
{
	struct fixture f = fixture_open("thread 1 1 anna\n"
					"thread 2 2 bert\n"
					"thread 3 3 cleo\n"
					"0   cpu0 switch idle > 1\n"
					"0   cpu1 switch 2:S > idle\n"
					"0   cpu2 switch 3:S > idle\n"
					"1ms cpu0 waking 2 by 1\n"
					"3ms cpu1 switch idle > 2\n"
					"4ms cpu0 waking 3 by 1\n"
					"4100us cpu2 switch idle > 1000\n"
					"5ms cpu2 switch 1000:S > idle\n"
					"9ms cpu2 switch idle > 3\n"
					"9200us cpu2 switch 3:S > idle\n"
					"9300us cpu0 waking 3 by 1\n"
					"9700us cpu2 switch idle > 3\n"
					"10ms cpu2 switch 3:S > idle\n");

	(void)state;
	fixture_check(&f,
		      "SELECT w.comm, r.tid, r.comm, r.ran_ns / 1000 FROM ran_instead AS r "
		      "JOIN wait AS w ON w.id = r.wait_id ORDER BY w.id, r.ran_ns DESC",
		      "bert|0|idle|2000\n"
		      "cleo|0|idle|4100\n"
		      "cleo|1000|?|900\n");
	fixture_check(
		&f,
		"SELECT w.comm, r.ran_ns / 1000 FROM ran_instead(300000) AS r JOIN wait AS w ON w.id = r.wait_id "
		"WHERE r.tid = 0",
		"bert|2000\n"
		"cleo|4100\n"
		"cleo|400\n");
	fixture_close(&f);
}

static void test_gap_in_a_delay(void **state)
{
	struct fixture f = fixture_open("thread 1 1 anna\n"
					"thread 2 2 bert\n"
					"0   cpu0 switch idle > 1\n"
					"1ms cpu0 waking 2 by 1\n"
					"3ms cpu0 loss 2ms..5ms events=9\n"
					"6ms cpu0 waking 7 by 1\n"
					"8ms cpu0 switch 1:S > 2\n"
					"9ms cpu0 switch 2:S > idle\n");

	(void)state;
	fixture_check(
		&f,
		"SELECT w.runnable_ns / 1000, r.tid, r.comm, r.ran_ns / 1000 FROM ran_instead AS r "
		"JOIN wait AS w ON w.id = r.wait_id ORDER BY r.ran_ns DESC, r.tid",
		"7000|-|unknown|4000\n"
		"7000|1|anna|3000\n");
	fixture_check(
		&f,
		"SELECT sum(ran_ns) = max(w.runnable_ns) FROM ran_instead JOIN wait AS w ON w.id = wait_id",
		"1\n");
	fixture_close(&f);
}

/* Delays of 3, 4, 6 and 4 ms, and one of 200 us that is too short to be kept. */
static void test_histogram_and_wakeups(void **state)
{
	struct buffer text = {0};
	struct fixture f;

	(void)state;
	buffer_printf(&text,
		      "%s11200us cpu0 waking 1 by idle\n11400us cpu0 switch idle > 1\n"
		      "12ms cpu0 switch 1:S > idle\n",
		      queue_story);
	f = fixture_open(text.data);
	fixture_check(
		&f,
		"SELECT bucket_from_ns / 1000, bucket_to_ns / 1000, count FROM runq_histogram "
		"WHERE count > 0",
		"128|256|1\n"
		"2048|4096|3\n"
		"4096|8192|1\n");
	fixture_check(
		&f,
		"SELECT waker_comm, comm, count, interrupt_count, blocked_ns / 1000, longest_ns / 1000 "
		"FROM wakeup ORDER BY waker_tid, tid",
		"idle|anna|1|1|7200|7200\n"
		"anna|bert|1|-|1000|1000\n"
		"anna|cleo|1|-|2000|2000\n"
		"anna|dora|1|-|3000|3000\n");
	fixture_close(&f);
	buffer_release(&text);
}

/* Each delay is accounted for by those who ran meanwhile, and gaps. */
static void test_culprits_add_up(void **state)
{
	uint64_t seed = 5;
	struct synth *synth = fixture_random_story(&seed, 1000);
	struct fixture f = fixture_open_synth(synth, 0);

	(void)state;
	assert_true(fixture_sum(&f, "SELECT ran_ns FROM ran_instead(1)", "ran_ns") > 0);
	assert_int_equal(
		fixture_sum(
			&f,
			"SELECT runnable_ns - (SELECT sum(ran_ns) FROM ran_instead(1) "
			"WHERE wait_id = wait.id) AS left FROM wait WHERE runnable_ns > 0 AND NOT is_open",
			"abs(left)"),
		0);
	assert_int_equal(
		fixture_sum(&f, "SELECT count FROM runq_histogram", "count"),
		fixture_sum(
			&f,
			"SELECT (wake_seen OR state = 'runnable') AS n FROM wait WHERE NOT is_open",
			"n"));
	fixture_close(&f);
	synth_free(synth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ran_instead),
		cmocka_unit_test(test_run_queue),
		cmocka_unit_test(test_idle_and_unknown),
		cmocka_unit_test(test_gap_in_a_delay),
		cmocka_unit_test(test_histogram_and_wakeups),
		cmocka_unit_test(test_culprits_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
