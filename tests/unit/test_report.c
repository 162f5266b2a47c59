/* SPDX-License-Identifier: BSD-2-Clause */
/* How a view is run: options, what limits it, sums that must agree, and how its file is read. */
#include "unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "support/fixture.h"

static void test_sort_and_limit(void **state)
{
	struct fixture f = fixture_open(fixture_waits_story);
	struct report_options options = {
		.format = TABLE_CSV, .sort = "blocked_ns", .has_limit = true, .limit = 2};

	(void)state;
	fixture_check_report(
		&f, "threads", &options,
		"comm,tid,pid,on_cpu_ns,runnable_ns,blocked_ns,unknown_ns,switches,preemptions,"
		"longest_wait_ns,longest_runnable_ns\n"
		"worker,11,10,4000000,0,12000000,1000000,1,0,0,0\n"
		"main,10,10,7700000,2100000,7200000,0,5,0,4000000,2000000\n");
	options = (struct report_options){.sort = "comm", .has_limit = true, .limit = 1};
	fixture_check_report(
		&f, "threads", &options,
		"comm  tid  pid   on cpu  runnable  blocked  unknown  switches  preemptions  longest wait  "
		"longest runnable\n"
		"hog    20   20  9.00 ms      0 ns     0 ns     0 ns         0            0          0 ns  "
		"            0 ns\n"
		"1 of 3 rows are shown (--limit)\n"
		"sum over 3 rows: on cpu 20.7 ms, runnable 2.10 ms, blocked 19.2 ms, unknown 1.00 ms\n"
		"\n"
		"lost: nothing\n");
	fixture_close(&f);
}

static void test_json(void **state)
{
	struct fixture f = fixture_open(fixture_waits_story);
	const struct report_options options = {.format = TABLE_JSON};

	(void)state;
	fixture_check_report(
		&f, "offcpu", &options,
		"{\"stack\":\"worker;[not over at the end of the recording]\",\"total_ns\":12000000,\"waits\":1}\n"
		"{\"stack\":\"main;main;fill;read;do_syscall_64;pipe_read\",\"total_ns\":5000000,\"waits\":2}\n"
		"{\"stack\":\"main;main;work;lock;do_syscall_64;futex_wait\",\"total_ns\":4000000,\"waits\":1}\n"
		"{\"stack\":\"[shorter than 1 ms: no stack taken]\",\"total_ns\":300000,\"waits\":null}\n");
	fixture_check_report(
		&f, "hooks", &options,
		"{\"name\":\"fentry\",\"status\":\"missing\",\"error\":\"EPERM\",\"gives\":\"how long it took\"}\n");
	fixture_close(&f);
}

static void check_refused(const struct fixture *f, const char *name,
			  const struct report_options *options, const char *sentence)
{
	const struct view *view = views_find(f->views, name);
	FILE *out = fopen("/dev/null", "w");

	assert_int_equal(report_run(f->query, view, options, out), -EINVAL);
	assert_string_equal(fail_text(), sentence);
	fail_clear();
	fclose(out);
}

static void test_refused_options(void **state)
{
	struct fixture f = fixture_open(fixture_waits_story);
	const struct report_options min = {.has_min = true}, sort = {.sort = "size"};

	(void)state;
	check_refused(&f, "threads", &min, "the view threads has no use for --min");
	check_refused(
		&f, "hooks", &sort,
		"view hooks: there is no column 'size' to sort by: there are name, status, error, "
		"gives");
	assert_null(views_find(f.views, "thread"));
	assert_string_equal(fail_text(), "there is no view 'thread': did you mean threads");
	fail_clear();
	assert_null(views_find(f.views, "onpcu"));
	assert_string_equal(fail_text(), "there is no view 'onpcu': did you mean oncpu");
	fail_clear();
	fixture_close(&f);
}

/* All that limits a report is told below it. */
static void test_limits(void **state)
{
	struct fixture f =
		fixture_open("meta min_wait_ns 2500000\n"
			     "0 cpu0 switch idle > 10\n"
			     "5ms cpu0 loss 1ms..2ms events=1500\n"
			     "5ms cpu1 loss 1ms..2ms events=7 log=1\n"
			     "6ms cpu0 loss 1ms..4ms events=2 log=1 cpu=65535 reason=4\n");
	char *text = fixture_report(&f, "offcpu", NULL);

	(void)state;
	assert_non_null(
		strstr(text, "\nwaits shorter than 2.5 ms carry no stack\n"
			     "lost: 1,509 events (1,500 switch events of CPU 0, 7 evidence events "
			     "of CPU 1, 2 stack events)\n"));
	free(text);
	text = fixture_report(&f, "oncpu", NULL);
	assert_non_null(strstr(text, "\nsamples: none were taken\n"));
	free(text);
	fixture_close(&f);
}

/* Names come from anywhere: none may reach a terminal as it is. */
static void test_names_are_escaped(void **state)
{
	struct fixture f =
		fixture_open("meta min_wait_ns 1000\n"
			     "thread 10 10 'a\033[31mb'\n"
			     "thread 11 11 c\n"
			     "stack bad user 'x\033]0;y' main\n"
			     "0   cpu0 switch idle > 10\n"
			     "1ms cpu0 switch 10:S > 11\n"
			     "3ms cpu0 waking 10 by 11\n"
			     "5ms cpu0 switch 11:S > 10\n"
			     "5ms cpu0 wait 10 pid=10 blocked=2ms runnable=2ms user_stack=bad\n"
			     "6ms cpu0 sample 10 pid=10 period=1ms user_stack=bad\n"
			     "7ms cpu0 switch 10:S > 11\n");

	(void)state;
	for (size_t i = 0; i < views_count(f.views); i++) {
		char *text = fixture_report(&f, views_at(f.views, i)->name, NULL);

		assert_null(strchr(text, '\033'));
		if (!strcmp(views_at(f.views, i)->name, "waits"))
			assert_non_null(strstr(text, "a\\x1b[31mb"));
		free(text);
	}
	fixture_close(&f);
}

/* ---- sums ---- */

/*
 * Off-CPU time by stack adds up to what the threads say, to the ns, whatever part of the time and
 * of the threads is looked at; and so do the CPUs.
 */
static void test_sums_agree(void **state)
{
	uint64_t seed = 3;
	struct synth *synth = fixture_random_story(&seed, 1000);
	struct fixture f = fixture_open_synth(synth, UINT64_MAX);
	const struct view *offcpu = views_find(f.views, "offcpu");

	(void)state;
	for (int i = 0; i < 60; i++) {
		uint64_t length_ns = model_end_ns(f.model) - model_start_ns(f.model);
		const uint32_t tids[] = {11, 12, 13};
		struct filter filter = {.tids = tids, .tid_count = i % 3 ? 0 : 3};
		int64_t off_cpu, on_cpu, all, kept;

		filter.from_ns = model_start_ns(f.model) + fixture_random(&seed) % length_ns;
		filter.to_ns = filter.from_ns + fixture_random(&seed) % length_ns;
		if (i < 3)
			filter.from_ns = 0, filter.to_ns = UINT64_MAX;
		query_set_filter(f.query, &filter);
		off_cpu = fixture_sum(
			&f, "SELECT runnable_ns + blocked_ns AS n FROM thread WHERE tid > 0", "n");
		assert_int_equal(fixture_sum(&f, offcpu->sections[0].sql, "total_ns"), off_cpu);
		kept = fixture_sum(&f, "SELECT inside_ns FROM wait WHERE tid > 0", "inside_ns");
		assert_true(kept <= off_cpu);
		on_cpu = fixture_sum(&f, "SELECT on_cpu_ns FROM thread WHERE tid > 0", "on_cpu_ns");
		assert_int_equal(fixture_sum(&f, "SELECT busy_ns FROM cpu", "busy_ns"), on_cpu);
		assert_int_equal(
			fixture_sum(&f, "SELECT inside_ns FROM run WHERE tid > 0", "inside_ns"),
			on_cpu);
		all = fixture_sum(
			&f, "SELECT busy_ns + idle_ns + other_ns + unknown_ns AS n FROM cpu", "n");
		assert_int_equal(all,
				 2 * fixture_sum(&f, "SELECT shown_ns FROM recording", "shown_ns"));
	}
	fixture_close(&f);
	synth_free(synth);
}

/* ---- the files ---- */

static void test_view_files(void **state)
{
	struct views *views;
	const struct view *view;

	(void)state;
	assert_int_equal(views_parse(&views, "-- view: b\n"
					     "-- title: Two: parts\n"
					     "-- help: One line\n"
					     "--   and another.\n"
					     "-- a comment: of no account\n"
					     "-- min: 2ms\n"
					     "-- section: First\n"
					     "-- shape: histogram\n"
					     "SELECT 1\n"
					     "-- section: Second\n"
					     "-- limit: 7\n"
					     "SELECT 2,\n"
					     "       3\n"
					     "-- view: a\n"
					     "SELECT 4\n"),
			 0);
	assert_int_equal(views_count(views), 2);
	view = views_find(views, "b");
	assert_string_equal(view->title, "Two: parts");
	assert_string_equal(view->help, "One line and another.");
	assert_true(view->takes_min);
	assert_int_equal(view->min_ns, 2 * NS_PER_MS);
	assert_int_equal(view->section_count, 2);
	assert_string_equal(view->sections[0].caption, "First");
	assert_int_equal(view->sections[0].shape, VIEW_HISTOGRAM);
	assert_string_equal(view->sections[0].sql, "SELECT 1\n");
	assert_int_equal(view->sections[1].limit, 7);
	assert_string_equal(view->sections[1].sql, "SELECT 2,\n       3\n");
	assert_string_equal(views_at(views, 0)->sections[0].sql, "SELECT 4\n");
	views_free(views);

	assert_int_equal(views_parse(&views, "-- view: c\n-- shape: circle\n"), -EINVAL);
	assert_string_equal(fail_text(), "view c: there is no shape 'circle'");
	fail_clear();
}

/* Every view that is built in says what it is, and its SQL is understood. */
static void test_built_in_views(void **state)
{
	struct fixture f = fixture_open(fixture_waits_story);

	(void)state;
	assert_true(views_count(f.views) >= 14);
	for (size_t i = 0; i < views_count(f.views); i++) {
		const struct view *view = views_at(f.views, i);
		const struct report_options json = {.format = TABLE_JSON};

		assert_true(view->title[0] && view->help[0] && view->section_count);
		free(fixture_report(&f, view->name, &json));
	}
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sort_and_limit),    cmocka_unit_test(test_json),
		cmocka_unit_test(test_refused_options),   cmocka_unit_test(test_limits),
		cmocka_unit_test(test_names_are_escaped), cmocka_unit_test(test_sums_agree),
		cmocka_unit_test(test_view_files),        cmocka_unit_test(test_built_in_views),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
