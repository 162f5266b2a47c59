/* SPDX-License-Identifier: BSD-2-Clause */
/* What a filter, and what terms that are handed down to the tables, leave of the rows. */
#include "unit/unit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "query/vtab.h"
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

/* Waits and runs that lie wholly before or behind the filter's time do not show. */
static void test_filter_between_waits(void **state)
{
	struct fixture f = fixture_open(fixture_waits_story);
	struct filter filter = {0};

	(void)state;
	set_times(&filter, 6000, 6500);
	query_set_filter(f.query, &filter);
	fixture_check(&f, "SELECT count(*) FROM wait WHERE tid = 10", "0\n");
	fixture_check(&f, "SELECT tid, inside_ns / 1000 FROM run", "10|500\n20|500\n");
	set_times(&filter, 9500, 12000);
	query_set_filter(f.query, &filter);
	fixture_check(&f, "SELECT inside_ns / 1000 FROM wait WHERE tid = 10", "2000\n");
	fixture_check(&f, "SELECT comm FROM process WHERE pid > 0", "main\n");
	fixture_close(&f);
}

/* ---- terms that are handed down ---- */

/* The same question with the term handed down and, behind a +, without. */
static void check_term(const struct fixture *fixture, const char *table, const char *column,
		       const char *term)
{
	_cleanup_free_ char *fast = xasprintf("SELECT count(*), total(%s) FROM %s WHERE %s %s",
					      column, table, column, term);
	_cleanup_free_ char *slow = xasprintf("SELECT count(*), total(%s) FROM %s WHERE +%s %s",
					      column, table, column, term);
	_cleanup_free_ char *want = fixture_rows(fixture, slow);

	fixture_check(fixture, fast, want);
}

/* The value of a row, or one beside it: where a limit is off by one, it shows. */
static int64_t some_value(const struct fixture *fixture, const char *table, const char *column,
			  uint64_t *seed)
{
	_cleanup_free_ char *count_sql = xasprintf("SELECT count(*) FROM %s", table);
	_cleanup_free_ char *count = fixture_rows(fixture, count_sql);
	_cleanup_free_ char *sql =
		xasprintf("SELECT %s FROM %s LIMIT 1 OFFSET %llu", column, table,
			  (unsigned long long)fixture_random(seed) % strtoull(count, NULL, 10));
	_cleanup_free_ char *value = fixture_rows(fixture, sql);

	return strtoll(value, NULL, 10) + (int64_t)(fixture_random(seed) % 3) - 1;
}

static void test_ranges(void **state)
{
	static const char *const ranged[][2] = {
		{"switch", "time_ns"}, {"event_waking", "time_ns"}, {"sample", "time_ns"},
		{"wait", "start_ns"},  {"wait", "wake_ns"},         {"wait", "end_ns"},
		{"wait", "id"},        {"thread", "tid"},           {"process", "pid"},
		{"run", "to_ns"},      {"frame", "stack_id"},
	};
	static const char *const operators[] = {">=", ">", "<=", "<", "=", "IS"};
	uint64_t seed = 7;
	struct synth *synth = fixture_random_story(&seed, 300);
	struct fixture f;

	(void)state;
	synth_text(synth, "stack one user a b c\nstack two user d e\n");
	f = fixture_open_synth(synth, 0);
	for (int i = 0; i < 600; i++) {
		const char *table = ranged[i % ARRAY_SIZE(ranged)][0];
		const char *column = ranged[i % ARRAY_SIZE(ranged)][1];
		_cleanup_free_ char *term = NULL;

		term = xasprintf("%s %" PRId64 " AND %s %s %" PRId64,
				 operators[fixture_random(&seed) % ARRAY_SIZE(operators)],
				 some_value(&f, table, column, &seed), column,
				 operators[fixture_random(&seed) % 4],
				 some_value(&f, table, column, &seed));
		check_term(&f, table, column, term);
	}
	fixture_close(&f);
	synth_free(synth);
}

/* What SQLite says of its plan has the terms that were taken. */
static void check_plan(const struct fixture *fixture, const char *sql, const char *want)
{
	_cleanup_free_ char *explain = xasprintf("EXPLAIN QUERY PLAN %s", sql);
	_cleanup_free_ char *got = fixture_rows(fixture, explain);

	if (!strstr(got, want))
		assert_string_equal(got, want);
}

/* That terms arrive at all shows in nothing but speed. */
static void test_terms_arrive(void **state)
{
	const struct vtab_scan scan = {
		.terms = {{0, VTAB_FROM, 10},
			  {0, VTAB_TO, 30},
			  {0, VTAB_TO, 20},
			  {1, VTAB_FROM, 40},
			  {2, VTAB_EQUAL, -7},
			  {3, VTAB_EQUAL, 5},
			  {4, VTAB_FROM, -1}},
		.term_count = 7,
	};
	uint64_t from = 0, to = UINT64_MAX;
	int64_t value = 0;
	struct fixture f = fixture_open(fixture_story);

	(void)state;
	vtab_scan_range(&scan, 0, &from, &to);
	assert_true(from == 10 && to == 20);
	from = 0, to = UINT64_MAX;
	vtab_scan_range(&scan, 3, &from, &to);
	assert_true(from == 5 && to == 5);
	from = 0, to = UINT64_MAX;
	vtab_scan_range(&scan, 4, &from, &to);
	assert_true(from == 0 && to == UINT64_MAX);
	assert_true(vtab_scan_equal(&scan, 2, &value) && value == -7);
	assert_false(vtab_scan_equal(&scan, 1, &value));
	fixture_check(&f,
		      "EXPLAIN QUERY PLAN SELECT * FROM switch WHERE time_ns > 5 AND time_ns <= 9",
		      "2|0|0|SCAN switch VIRTUAL TABLE INDEX 0:4 0 8 0 \n");
	check_plan(&f, "SELECT * FROM switch WHERE time_ns > 5 AND time_ns <= 9",
		   "INDEX 0:4 0 8 0");
	check_plan(&f, "SELECT * FROM switch WHERE time_ns = 5 AND cpu = 1", "INDEX 0:1 0");
	check_plan(&f, "SELECT count(*) FROM switch", "INDEX 1:");
	fixture_close(&f);
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

/* What a recording was made for, and the filter that shows only that. */
static void check_targets(const char *metas, const char *want)
{
	const struct filter filter = {.targets_only = true, .to_ns = UINT64_MAX};
	char text[1000];
	struct fixture f;

	snprintf(text, sizeof(text),
		 "%sthread 1 1 init\nthread 10 10 shell ppid=1\nthread 11 10 helper ppid=1\n"
		 "thread 20 20 other ppid=1\n"
		 "0 cpu0 switch idle > 10\n"
		 "1ms cpu0 fork 10 > 30 pid=30 comm=child\n"
		 "2ms cpu0 switch 10:S > 30\n"
		 "3ms cpu0 switch 30:S > 20\n"
		 "4ms cpu0 switch 20:S > idle\n",
		 metas);
	f = fixture_open(text);
	query_set_filter(f.query, &filter);
	fixture_check(&f, "SELECT tid FROM thread WHERE is_target", want);
	fixture_check(&f, "SELECT tid FROM thread", want);
	fixture_close(&f);
}

static void test_targets(void **state)
{
	(void)state;
	check_targets("", "");
	check_targets("meta target_pids 10\n", "10\n11\n");
	check_targets("meta target_pids '20 10'\n", "10\n11\n20\n");
	check_targets("meta target_pids 10\nmeta target_children 1\n", "10\n11\n30\n");
	check_targets("meta target_comms 'o*\tch?ld'\n", "20\n30\n");
	check_targets("meta target_pids 10\nmeta target_comms 'h*'\n", "11\n");
	check_targets("meta target_pids 'x10'\n", "");
}

/* The recorder's helpers are of it, the command that it started is not. */
static void test_recorder(void **state)
{
	struct fixture f = fixture_open(
		"meta recorder_pid 10\nmeta target_pids 12\n"
		"thread 1 1 init\nthread 10 10 dashcam ppid=1\n"
		"thread 11 11 helper ppid=10\nthread 12 12 command ppid=10\n"
		"thread 13 13 reader ppid=11\n"
		"0 cpu0 switch idle > 10\n1ms cpu0 switch 10:S > 12\n"
		"2ms cpu0 switch 12:S > 10\n4ms cpu0 waking 12 by 10\n4ms cpu0 switch 10:S > 12\n"
		"5ms cpu0 exec 12 pid=12 comm=true\n6ms cpu0 switch 12:D > idle\n"
		"8ms cpu0 waking 12 by idle\n8ms cpu0 switch idle > 12\n");

	(void)state;
	fixture_check(&f, "SELECT pid FROM process WHERE is_recorder", "10\n11\n13\n");
	fixture_check(&f, "SELECT " US("start_ns") ", is_idle FROM wait WHERE tid = 12",
		      "2000|1\n6000|0\n");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter_of_threads),
		cmocka_unit_test(test_filter_of_time),
		cmocka_unit_test(test_filter_between_waits),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_terms_arrive),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_recorder),
		cmocka_unit_test(test_odd_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
