/* SPDX-License-Identifier: BSD-2-Clause */
/* What a filter, and what terms that are handed down to the tables, leave of the rows. */
#include "unit/unit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "support/fixture.h"

static void set_times(struct filter *filter, uint64_t from_us, uint64_t to_us)
{
	filter->from_ns = SYNTH_US(from_us);
	filter->to_ns = SYNTH_US(to_us);
}

static void test_filter_of_threads(void **state)
{
	struct fixture f = fixture_open(fixture_story);
	struct filter filter = {.to_ns = UINT64_MAX};
	const uint32_t pids[] = {10}, tids[] = {11};
	const char *const comms[] = {"ho*", "nothing"};

	(void)state;
	filter.pids = pids;
	filter.pid_count = 1;
	query_set_filter(f.query, &filter);
	fixture_check(&f, "SELECT tid FROM thread", "10\n11\n");
	fixture_check(&f, "SELECT pid FROM process", "10\n");
	fixture_check(&f, "SELECT DISTINCT tid FROM run", "10\n11\n");
	fixture_check(&f, "SELECT cpu, busy_ns / 1000, other_ns / 1000 FROM cpu",
		      "0|9700|0\n1|0|2500\n");
	fixture_check(&f, "SELECT count(*) FROM event_switch", "6\n");

	filter.tids = tids;
	filter.tid_count = 1;
	query_set_filter(f.query, &filter);
	fixture_check(&f, "SELECT tid FROM thread", "11\n");
	fixture_check(&f, "SELECT " US("time_ns") " FROM switch", "1000\n5000\n");
	fixture_check(&f, "SELECT count(*) FROM sample", "0\n");

	filter = (struct filter){.comms = comms, .comm_count = 2, .to_ns = UINT64_MAX};
	query_set_filter(f.query, &filter);
	fixture_check(&f, "SELECT comm FROM thread", "hog\n");
	fixture_check(&f, "SELECT comm FROM process", "hog\n");

	query_set_filter(f.query, NULL);
	fixture_check(&f, "SELECT count(*) FROM thread", "4\n");
	fixture_close(&f);
}

/* From 2 ms to 8.25 ms: half of the first wait, and the beginning of the second. */
static void test_filter_of_time(void **state)
{
	struct fixture f = fixture_open(fixture_story);
	struct filter filter = {0};

	(void)state;
	set_times(&filter, 2000, 8250);
	query_set_filter(f.query, &filter);
	fixture_check(
		&f,
		"SELECT tid, on_cpu_ns / 1000, runnable_ns / 1000, blocked_ns / 1000, unknown_ns / 1000, "
		"short_wait_ns / 1000 FROM thread WHERE tid > 0",
		"10|3000|2050|1200|0|250\n"
		"11|3000|0|3250|0|0\n"
		"20|1750|0|0|4500|0\n");
	fixture_check(&f, "SELECT id, inside_ns / 1000 FROM wait WHERE tid = 10", "0|3000\n");
	fixture_check(&f, "SELECT count(*) FROM switch", "3\n");
	fixture_check(&f, "SELECT shown_ns / 1000 FROM recording", "6250\n");
	fixture_check(&f, "SELECT cpu, busy_ns / 1000, idle_ns / 1000 FROM cpu",
		      "0|6000|250\n1|1750|4500\n");
	fixture_check(&f, "SELECT sum(inside_ns) / 1000 FROM run WHERE tid = 10", "3000\n");
	fixture_check(&f, "SELECT count(*) FROM event_thread", "3\n");

	set_times(&filter, 6500, 6600);
	query_set_filter(f.query, &filter);
	fixture_check(&f, "SELECT count(*) FROM sample", "0\n");
	fixture_check(&f, "SELECT count(*) FROM wait WHERE tid = 10", "0\n");
	fixture_close(&f);
}

/* ---- ranges that are handed down ---- */

/* The same question with the term handed down and, behind a +, without. */
static void check_range(const struct fixture *fixture, const char *table, const char *column,
			uint64_t from, uint64_t to)
{
	char fast[400], slow[400];
	char *got, *want;

	snprintf(fast, sizeof(fast),
		 "SELECT count(*), sum(%s) FROM %s WHERE %s >= %" PRIu64 " AND %s < %" PRIu64,
		 column, table, column, from, column, to);
	snprintf(slow, sizeof(slow),
		 "SELECT count(*), sum(%s) FROM %s WHERE +%s >= %" PRIu64 " AND +%s < %" PRIu64,
		 column, table, column, from, column, to);
	got = fixture_rows(fixture, fast);
	want = fixture_rows(fixture, slow);
	assert_string_equal(got, want);
	free(got);
	free(want);
}

static void test_ranges(void **state)
{
	static const struct {
		const char *table;
		const char *column;
	} ranged[] = {
		{"switch", "time_ns"}, {"event_waking", "time_ns"}, {"sample", "time_ns"},
		{"wait", "start_ns"},  {"wait", "wake_ns"},         {"wait", "end_ns"},
		{"wait", "id"},        {"thread", "tid"},           {"process", "pid"},
		{"run", "to_ns"},
	};
	uint64_t seed = 7;
	struct synth *synth = fixture_random_story(&seed, 1000);
	struct fixture f = fixture_open_synth(synth, 0);
	uint64_t length_ns = model_end_ns(f.model) - model_start_ns(f.model);

	(void)state;
	for (int i = 0; i < 200; i++) {
		uint64_t from = model_start_ns(f.model) + fixture_random(&seed) % length_ns;
		uint64_t to = model_start_ns(f.model) + fixture_random(&seed) % length_ns;
		size_t which = fixture_random(&seed) % ARRAY_SIZE(ranged);

		if (strstr(ranged[which].column, "id")) {
			from = fixture_random(&seed) % 30;
			to = fixture_random(&seed) % 60;
		}
		check_range(&f, ranged[which].table, ranged[which].column, from, to);
	}
	for (int i = 0; i < 40; i++) {
		char fast[160], slow[160];
		char *got, *want;

		snprintf(fast, sizeof(fast),
			 "SELECT count(*), sum(thread_id) FROM thread WHERE tid = %d", i);
		snprintf(slow, sizeof(slow),
			 "SELECT count(*), sum(thread_id) FROM thread WHERE +tid = %d", i);
		got = fixture_rows(&f, fast);
		want = fixture_rows(&f, slow);
		assert_string_equal(got, want);
		free(got);
		free(want);
	}
	fixture_close(&f);
	synth_free(synth);
}

/* Bounds that are no whole numbers. */
static void test_odd_bounds(void **state)
{
	struct fixture f = fixture_open(fixture_story);

	(void)state;
	fixture_check(&f, "SELECT count(*) FROM switch WHERE time_ns > -5", "8\n");
	fixture_check(&f, "SELECT count(*) FROM switch WHERE time_ns < -5", "0\n");
	fixture_check(&f, "SELECT count(*) FROM switch WHERE time_ns > 1e300", "0\n");
	fixture_check(&f, "SELECT count(*) FROM switch WHERE time_ns < 1e300", "8\n");
	fixture_check(&f, "SELECT count(*) FROM switch WHERE time_ns >= 1000999999.5", "7\n");
	fixture_check(&f, "SELECT count(*) FROM switch WHERE time_ns <= 1001000000.5", "2\n");
	fixture_check(&f, "SELECT count(*) FROM switch WHERE time_ns = NULL", "0\n");
	fixture_check(&f, "SELECT count(*) FROM switch WHERE time_ns < 'text'", "8\n");
	fixture_check(&f, "SELECT count(*) FROM switch WHERE time_ns = 1001000000", "1\n");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter_of_threads),
		cmocka_unit_test(test_filter_of_time),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_odd_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
