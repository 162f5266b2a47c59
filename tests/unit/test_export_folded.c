/* SPDX-License-Identifier: BSD-2-Clause */
/* Folded stacks and the head of the flame graph, from recordings whose truth is written beside
 * them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "export/export.h"
#include "model/model.h"
#include "recording/recording.h"
#include "support/synth.h"
#include "unit/unit.h"

/* What all recordings here begin with. */
static const char tables[] = "meta min_wait_ns 1000000\n"
			     "meta sample_period_ns 10000000\n"
			     "meta host dev1\n"
			     "meta command 'sleep 1 <&>'\n"
			     "thread 10 10 web\n"
			     "stack lock kernel schedule futex_wait do_futex do_syscall_64\n"
			     "stack io kernel schedule io_schedule writeback\n"
			     "stack page kernel clear_page do_page_fault\n"
			     "stack user user libc!read parse^handle@web.c:12 main@web.c:30\n"
			     "event frame frame=0x9000000001234 text='inner|'\n"
			     "event stack id=cut flags=3 frame_count=1 frames=0x9000000001234\n"
			     "event frame frame=0x9000000005678 text='lost|'\n"
			     "event stack id=broken flags=5 frame_count=1 frames=0x9000000005678\n";

struct opened {
	struct recording *recording;
	struct model *model;
};

static struct opened open_model(const char *timeline)
{
	_cleanup_free_ char *text = xasprintf("%s%s", tables, timeline);
	struct opened opened = {.recording = synth_recording(text)};

	assert_int_equal(model_new(&opened.model, opened.recording,
				   &(struct model_options){.min_wait_ns = UINT64_MAX}),
			 0);
	return opened;
}

static void close_model(struct opened *opened)
{
	model_free(opened->model);
	recording_close(opened->recording);
}

static char *exported(struct model *model, const struct export *export,
		      const struct export_options *options)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int err = export->run(model, options, out);

	fclose(out);
	if (err)
		print_error("%s: %s\n", export->name, fail_text());
	assert_int_equal(err, 0);
	return text;
}

static struct export_options everything(enum export_side side)
{
	return (struct export_options){.side = side, .filter.to_ns = UINT64_MAX};
}

static void expect_folded(const char *timeline, const struct export_options *options,
			  const char *expected)
{
	struct opened opened = open_model(timeline);
	_cleanup_free_ char *text = exported(opened.model, &export_folded, options);

	assert_string_equal(text, expected);
	close_model(&opened);
}

/* The sum of the values of all lines that contain PART. */
static uint64_t sum_of(const char *folded, const char *part)
{
	_cleanup_free_ char *text = xstrdup(folded);
	char *rest = NULL;
	uint64_t sum = 0;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (strstr(line, part))
			sum += strtoull(strrchr(line, ' ') + 1, NULL, 10);
	return sum;
}

/* Thread 10 waits 5 ms for a lock (and 100 us for a CPU), then shortly. Thread 11, "worker" of the
 * same process, and 20, a kernel thread, wait once. */
static const char waits[] =
	"thread 11 10 worker\n"
	"thread 20 2 kflush flags=1\n"
	"0 cpu0 switch idle > 10\n"
	"0 cpu1 switch idle > 11\n"
	"0 cpu2 switch idle > 20\n"
	"1000 cpu0 switch 10:S > idle\n"
	"6000 cpu1 waking 10 by 11\n"
	"6100 cpu0 switch idle > 10\n"
	"6100 cpu0 wait 10 pid=10 blocked=5000 runnable=100 kernel_stack=lock user_stack=user\n"
	"7000 cpu0 switch 10:S > idle\n"
	"7300 cpu1 waking 10 by 11\n"
	"7310 cpu0 switch idle > 10\n"
	"8000 cpu1 switch 11:S > idle\n"
	"8000 cpu2 switch 20:D > idle\n"
	"10000 cpu0 waking 11 by 10\n"
	"10000 cpu0 waking 20 by 10\n"
	"10000 cpu1 switch idle > 11\n"
	"10000 cpu1 wait 11 pid=10 blocked=2000 kernel_stack=lock user_stack=user\n"
	"10000 cpu2 switch idle > 20\n"
	"10000 cpu2 wait 20 pid=2 flags=4 blocked=2000 kernel_stack=io\n"
	"11000 cpu0 switch 10:R > idle\n"
	"11000 cpu1 switch 11:R > idle\n"
	"11000 cpu2 switch 20:R > idle\n"
	"11000 cpu0 switch idle > 10\n"
	"11000 cpu1 switch idle > 11\n"
	"11000 cpu2 switch idle > 20\n";

#define USER "main;handle;parse_[i];read"
#define LOCK "do_syscall_64_[k];do_futex_[k];futex_wait_[k]"

static void test_off_cpu(void **state)
{
	struct export_options options = everything(EXPORT_OFF_CPU);

	(void)state;
	expect_folded(waits, &options,
		      "web;" USER ";" LOCK " 7000000\n"
		      "web;" USER ";" LOCK ";[run queue] 100000\n"
		      "web;[waits shorter than 1 ms: no stack] 300000\n"
		      "web;[waits shorter than 1 ms: no stack];[run queue] 10000\n"
		      "kflush;writeback_[k] 2000000\n");
}

static void test_by_thread(void **state)
{
	struct export_options options = everything(EXPORT_OFF_CPU);

	(void)state;
	options.by_thread = true;
	expect_folded(waits, &options,
		      "web;" USER ";" LOCK " 5000000\n"
		      "web;" USER ";" LOCK ";[run queue] 100000\n"
		      "web;[waits shorter than 1 ms: no stack] 300000\n"
		      "web;[waits shorter than 1 ms: no stack];[run queue] 10000\n"
		      "kflush;writeback_[k] 2000000\n"
		      "worker;" USER ";" LOCK " 2000000\n");
}

static void test_source_lines(void **state)
{
	struct export_options options = everything(EXPORT_OFF_CPU);
	const uint32_t tid = 11;

	(void)state;
	options.with_lines = true;
	options.filter.tids = &tid;
	options.filter.tid_count = 1;
	expect_folded(waits, &options,
		      "web;main (web.c:30);handle (web.c:12);parse_[i];read;" LOCK " 2000000\n");
}

/* Of the long wait 1.5 ms lie in the range, of the short one all but 100 us. */
static void test_part_of_the_time(void **state)
{
	struct export_options options = everything(EXPORT_OFF_CPU);
	const uint32_t tid = 10;

	(void)state;
	options.filter = (struct filter){
		.tids = &tid, .tid_count = 1, .from_ns = SYNTH_US(4500), .to_ns = SYNTH_US(7200)};
	expect_folded(waits, &options,
		      "web;" USER ";" LOCK " 1500000\n"
		      "web;" USER ";" LOCK ";[run queue] 100000\n"
		      "web;[waits shorter than 1 ms: no stack] 200000\n");
}

static const char samples[] =
	"0 cpu0 switch idle > 10\n"
	"1000 cpu0 sample 10 pid=10 period=10000 user_stack=user\n"
	"2000 cpu0 sample 10 pid=10 period=10000 user_stack=user\n"
	"3000 cpu0 sample 10 pid=10 period=10000 user_stack=user kernel_stack=page\n"
	"3500 cpu1 sample 0 pid=0 period=10000 kernel_stack=page\n"
	"4000 cpu0 switch 10:S > idle\n"
	"14000 cpu0 waking 10 by 0\n"
	"14500 cpu0 switch idle > 10\n"
	"14500 cpu0 wait 10 pid=10 blocked=10000 runnable=500 user_stack=user kernel_stack=lock\n"
	"20000 cpu0 switch 10:R > idle\n";

static void test_on_cpu(void **state)
{
	struct export_options options = everything(EXPORT_ON_CPU);

	(void)state;
	expect_folded(samples, &options,
		      "web;" USER " 20000000\n"
		      "web;" USER ";do_page_fault_[k];clear_page_[k] 10000000\n");
}

static void test_both(void **state)
{
	struct export_options options = everything(EXPORT_BOTH);

	(void)state;
	expect_folded(samples, &options,
		      "web;" USER ";[on cpu] 20000000\n"
		      "web;" USER ";do_page_fault_[k];clear_page_[k];[on cpu] 10000000\n"
		      "web;" USER ";" LOCK ";[blocked] 10000000\n"
		      "web;" USER ";" LOCK ";[run queue] 500000\n");
}

static void test_no_samples_is_said(void **state)
{
	struct export_options options = everything(EXPORT_ON_CPU);
	struct recording *recording = synth_recording("thread 10 10 web\n"
						      "0 cpu0 switch idle > 10\n"
						      "9 cpu0 switch 10 > idle\n");
	struct model *model = NULL;

	(void)state;
	assert_int_equal(
		model_new(&model, recording, &(struct model_options){.min_wait_ns = UINT64_MAX}),
		0);
	assert_int_equal(export_folded.run(model, &options, stdout), -ENODATA);
	assert_non_null(strstr(fail_text(), "no CPU samples"));
	fail_clear();
	model_free(model);
	recording_close(recording);
}

/* A stack that is not whole says so where its outer frames would be, and a long wait without one is
 * there too; the last one has not ended. */
static void test_stacks_that_are_not_whole(void **state)
{
	struct export_options options = everything(EXPORT_OFF_CPU);

	(void)state;
	expect_folded("0 cpu0 switch idle > 10\n"
		      "1000 cpu0 switch 10:S > idle\n"
		      "9000 cpu0 waking 10 by 0\n"
		      "9000 cpu0 switch idle > 10\n"
		      "9000 cpu0 wait 10 pid=10 blocked=8000 kernel_stack=io user_stack=cut\n"
		      "10000 cpu0 switch 10:S > idle\n"
		      "14000 cpu0 waking 10 by 0\n"
		      "14000 cpu0 switch idle > 10\n"
		      "14000 cpu0 wait 10 pid=10 blocked=4000 kernel_stack=io user_stack=broken\n"
		      "20000 cpu0 switch 10:S > idle\n"
		      "22000 cpu0 waking 10 by 0\n"
		      "22000 cpu0 switch idle > 10\n"
		      "22000 cpu0 wait 10 pid=10 blocked=2000 flags=16 kernel_stack=io\n"
		      "30000 cpu0 switch 10:S > idle\n"
		      "31500 cpu0 waking 10 by 0\n"
		      "31500 cpu0 switch idle > 10\n"
		      "32000 cpu0 switch 10:S > idle\n"
		      "33200 cpu1 clock\n",
		      &options,
		      "web;[truncated];inner;writeback_[k] 8000000\n"
		      "web;[broken stack];lost;writeback_[k] 4000000\n"
		      "web;[user stack not readable];writeback_[k] 2000000\n"
		      "web;[no stack] 1500000\n"
		      "web;[waiting when the recording ended: no stack] 1200000\n");
}

/* Names must not break the lines apart. */
static void test_hostile_names(void **state)
{
	struct export_options options = everything(EXPORT_OFF_CPU);

	(void)state;
	expect_folded("stack odd user 'a;b c' 'x\ty'\n"
		      "0 cpu0 switch idle > 10\n"
		      "1000 cpu0 switch 10:S > idle\n"
		      "9000 cpu0 waking 10 by 0\n"
		      "9000 cpu0 switch idle > 10\n"
		      "9000 cpu0 wait 10 pid=10 blocked=8000 user_stack=odd\n",
		      &options, "web;x\ufffdy;a:b c 8000000\n");
}

/* Whatever the recording: the lines' sum is what the threads were off CPU, the idle task left out.
 */
static void test_total_is_that_of_the_threads(void **state)
{
	struct export_options options = everything(EXPORT_BOTH);
	const char *const timelines[] = {waits, samples};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(timelines); i++) {
		struct opened opened = open_model(timelines[i]);
		_cleanup_free_ char *text = exported(opened.model, &export_folded, &options);
		uint64_t blocked_ns = 0, runnable_ns = 0;

		for (size_t t = 1; t < model_thread_count(opened.model); t++) {
			blocked_ns += model_thread(opened.model, t)->blocked_ns;
			runnable_ns += model_thread(opened.model, t)->runnable_ns;
		}
		assert_true(blocked_ns > 0);
		assert_int_equal(sum_of(text, ";[blocked]"), blocked_ns);
		assert_int_equal(sum_of(text, ";[run queue]"), runnable_ns);
		close_model(&opened);
	}
}

static void test_flame_graph_says_what_it_shows(void **state)
{
	struct export_options options = everything(EXPORT_BOTH);
	struct opened opened = open_model(samples);
	_cleanup_free_ char *svg = exported(opened.model, &export_flamegraph, &options);

	(void)state;
	assert_non_null(strstr(svg, ">Time on and off CPU: sleep 1 &lt;&amp;&gt;</text>"));
	assert_non_null(strstr(svg, ">Host dev1, 20.0 ms on "));
	assert_non_null(strstr(svg, ">Drawn: 10.0 ms blocked, 500 us in run queues, 30.0 ms on CPU "
				    "by 3 samples, one every 10 ms (by the switches it was "));
	assert_non_null(strstr(svg, ">web</text>"));
	assert_non_null(strstr(svg, ">[on cpu]</text>"));
	assert_non_null(strstr(svg, "web.c"));
	close_model(&opened);
}

/* Folded stacks keep the exact sum; the picture leaves out a thread without any stack, and says so. */
static void test_flame_graph_leaves_out_sleepers(void **state)
{
	struct export_options options = everything(EXPORT_OFF_CPU);
	_cleanup_free_ char *timeline = xasprintf("thread 99 99 sleeper\n%s", samples);
	struct opened opened = open_model(timeline);
	_cleanup_free_ char *folded = exported(opened.model, &export_folded, &options);
	_cleanup_free_ char *svg = exported(opened.model, &export_flamegraph, &options);

	(void)state;
	assert_int_equal(sum_of(folded, "sleeper;[waiting when the recording ended"), 20000000);
	assert_null(strstr(svg, "sleeper"));
	assert_non_null(strstr(svg, ">Threads without any stack are not drawn: 1, off CPU for 20.0 ms. <"));
	close_model(&opened);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off_cpu),
		cmocka_unit_test(test_by_thread),
		cmocka_unit_test(test_source_lines),
		cmocka_unit_test(test_part_of_the_time),
		cmocka_unit_test(test_on_cpu),
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_no_samples_is_said),
		cmocka_unit_test(test_stacks_that_are_not_whole),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_total_is_that_of_the_threads),
		cmocka_unit_test(test_flame_graph_says_what_it_shows),
		cmocka_unit_test(test_flame_graph_leaves_out_sleepers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
