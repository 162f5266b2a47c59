/* SPDX-License-Identifier: BSD-2-Clause */
/* The views: a recording, a report's name, and what must be printed. */
#include "unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "support/synth.h"
#include "view/histogram.h"
#include "view/report.h"
#include "view/tree.h"

static const char story[] =
	"meta min_wait_ns 1000000\n"
	"meta sample_period_ns 10000000\n"
	"thread 10 10 main ppid=1 cmdline='main --fast'\n"
	"thread 11 10 worker ppid=1\n"
	"thread 20 20 hog ppid=1\n"
	"stack sleep kernel schedule futex_wait do_syscall_64\n"
	"stack locked user lock work main\n"
	"stack reading kernel schedule pipe_read do_syscall_64\n"
	"stack reader user read fill main\n"
	"stack burn user burn main\n"
	"file log /var/log/x\n"
	"socket peer tcp 10.0.0.1:80 10.0.0.2:5000\n"
	"hook fentry 'how long it took' status=3 error=1\n"
	"0     cpu0 switch idle > 10\n"
	"1ms   cpu0 switch 10:S > 11\n"
	"3ms   cpu0 waking 10 by 11\n"
	"5ms   cpu0 switch 11:S > 10\n"
	"5ms   cpu0 wait 10 pid=10 blocked=2ms runnable=2ms syscall=futex kernel_stack=sleep "
	"user_stack=locked waker_tid=11 waker_pid=10 futex_address=0x1000 futex_owner_tid=11 "
	"descriptor=-1 prev_state=S waker_user_stack=burn\n"
	"6ms   cpu0 sample 10 pid=10 period=10ms user_stack=burn syscall=-1\n"
	"7ms   cpu0 sample 10 pid=10 period=10ms user_stack=burn syscall=-1\n"
	"7ms   cpu1 sample 20 pid=20 period=10ms kernel_stack=sleep syscall=-1\n"
	"8ms   cpu0 switch 10:S > idle\n"
	"8.2ms cpu0 waking 10 by idle\n"
	"8.3ms cpu0 switch idle > 10\n"
	"9ms   cpu1 switch 20:X > idle\n"
	"9ms   cpu1 exit 20 pid=20 exit_code=9 process_ended=1\n"
	"10ms  cpu0 switch 10:S > idle\n"
	"13ms  cpu0 waking 10 by idle\n"
	"13ms  cpu0 switch idle > 10\n"
	"13ms  cpu0 wait 10 pid=10 blocked=3ms runnable=0 syscall=read kernel_stack=reading "
	"user_stack=reader object=log object_kind=1 descriptor=3 prev_state=S\n"
	"14ms  cpu0 switch 10:S > idle\n"
	"16ms  cpu0 waking 10 by idle\n"
	"16ms  cpu0 switch idle > 10\n"
	"16ms  cpu0 wait 10 pid=10 blocked=2ms runnable=0 syscall=recvfrom kernel_stack=reading "
	"user_stack=reader object=peer object_kind=2 descriptor=4 prev_state=S\n"
	"17ms  cpu0 switch 10:S > idle\n";

struct fixture {
	struct recording *recording;
	struct model *model;
	struct query *query;
	struct views *views;
};

static struct fixture open_fixture(const char *text)
{
	struct model_options options = {.min_wait_ns = UINT64_MAX};
	struct fixture fixture = {.recording = synth_recording(text)};

	assert_int_equal(model_new(&fixture.model, fixture.recording, &options), 0);
	assert_int_equal(query_new(&fixture.query, fixture.model), 0);
	assert_int_equal(views_load(&fixture.views), 0);
	return fixture;
}

static void close_fixture(struct fixture *fixture)
{
	views_free(fixture->views);
	query_free(fixture->query);
	model_free(fixture->model);
	recording_close(fixture->recording);
}

/* What a view prints; the caller frees it. */
static char *report_with(const struct fixture *fixture, const struct view *view,
			 const struct report_options *options)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int err = report_run(fixture->query, view, options, out);

	fclose(out);
	if (err)
		print_error("%s: %s\n", view->name, fail_text());
	assert_int_equal(err, 0);
	return text;
}

static char *report(const struct fixture *fixture, const char *name,
		    const struct report_options *options)
{
	const struct report_options defaults = {.format = TABLE_TEXT};
	const struct view *view = views_find(fixture->views, name);

	assert_non_null(view);
	return report_with(fixture, view, options ? options : &defaults);
}

static void check(const struct fixture *fixture, const char *name,
		  const struct report_options *options, const char *want)
{
	char *got = report(fixture, name, options);

	assert_string_equal(got, want);
	free(got);
}

/* The four add up to 17 ms for each thread, but for hog, which ended after 9. */
static void test_threads(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check(&f, "threads", NULL,
	      "comm    tid  pid   on cpu  runnable  blocked  unknown  switches  preemptions  longest wait  longest runnable\n"
	      "hog      20   20  9.00 ms      0 ns     0 ns     0 ns         0            0          0 ns              0 ns\n"
	      "main     10   10  7.70 ms   2.10 ms  7.20 ms     0 ns         5            0       4.00 ms           2.00 ms\n"
	      "worker   11   10  4.00 ms      0 ns  12.0 ms  1.00 ms         1            0          0 ns              0 ns\n"
	      "sum over 3 rows: on cpu 20.7 ms, runnable 2.10 ms, blocked 19.2 ms, unknown 1.00 ms\n"
	      "\n"
	      "lost: nothing\n");
	close_fixture(&f);
}

/* 21.3 ms: the runnable and blocked time of all threads, short waits included. */
static void test_offcpu(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check(&f, "offcpu", NULL,
	      "    total    share       waits\n"
	      "  21.3 ms  100.0 %           4  all\n"
	      "  12.0 ms   56.3 %           1  ├─ worker\n"
	      "                                │  [not over at the end of the recording]\n"
	      "  9.00 ms   42.3 %           3  ├─ main\n"
	      "                                │  main\n"
	      "  5.00 ms   23.5 %           2  │  ├─ fill\n"
	      "                                │  │  read\n"
	      "                                │  │  do_syscall_64\n"
	      "                                │  │  pipe_read\n"
	      "  4.00 ms   18.8 %           1  │  └─ work\n"
	      "                                │     lock\n"
	      "                                │     do_syscall_64\n"
	      "                                │     futex_wait\n"
	      "   300 us    1.4 %           -  └─ [shorter than 1 ms: no stack taken]\n"
	      "\n"
	      "waits shorter than 1 ms carry no stack\n"
	      "lost: nothing\n");
	check(&f, "offcpu-table", NULL,
	      "  total  waits  stack\n"
	      "12.0 ms      1  worker;[not over at the end of the recording]\n"
	      "5.00 ms      2  main;main;fill;read;do_syscall_64;pipe_read\n"
	      "4.00 ms      1  main;main;work;lock;do_syscall_64;futex_wait\n"
	      " 300 us      -  [shorter than 1 ms: no stack taken]\n"
	      "sum over 4 rows: total 21.3 ms\n"
	      "\n"
	      "waits shorter than 1 ms carry no stack\n"
	      "lost: nothing\n");
	close_fixture(&f);
}

static void test_oncpu(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check(&f, "oncpu", NULL,
	      "    total    share     samples\n"
	      "  30.0 ms  100.0 %           3  all\n"
	      "  20.0 ms   66.7 %           2  ├─ main\n"
	      "                                │  main\n"
	      "                                │  burn\n"
	      "  10.0 ms   33.3 %           1  └─ hog\n"
	      "                                   do_syscall_64\n"
	      "                                   futex_wait\n"
	      "\n"
	      "samples every 10 ms: 3 samples\n"
	      "lost: nothing\n");
	check(&f, "oncpu-table", NULL,
	      "  total   share  samples  stack\n"
	      "20.0 ms  66.7 %        2  main;main;burn\n"
	      "10.0 ms  33.3 %        1  hog;do_syscall_64;futex_wait\n"
	      "sum over 2 rows: total 30.0 ms\n"
	      "\n"
	      "samples every 10 ms: 3 samples\n"
	      "lost: nothing\n");
	close_fixture(&f);
}

/* Two delays of no time, one of 100 us, one of 2 ms. */
static void test_runq(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check(&f, "runq", NULL,
	      "Run-queue delays of all waits\n"
	      "      0 to 1 us              2  ████████████████████████████████████████████████\n"
	      "   1 us to 2 us              0\n"
	      "   2 us to 4 us              0\n"
	      "   4 us to 8 us              0\n"
	      "   8 us to 16 us             0\n"
	      "  16 us to 32 us             0\n"
	      "  32 us to 64 us             0\n"
	      "  64 us to 128 us            1  ████████████████████████\n"
	      " 128 us to 256 us            0\n"
	      " 256 us to 512 us            0\n"
	      " 512 us to 1 ms              0\n"
	      "   1 ms to 2 ms              1  ████████████████████████\n"
	      "\n"
	      "The longest\n"
	      "2 ms  main (tid 10) on CPU 0\n"
	      "  at              0.003000 s\n"
	      "  why             woken by worker (tid 11)\n"
	      "  ran instead     worker (tid 11) 2 ms 100 %\n"
	      "  queue           worker (running for 2 ms)\n"
	      "\n"
	      "lost: nothing\n");
	close_fixture(&f);
}

static void test_wakers(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check(&f, "wakers", NULL,
	      "waker comm  waker tid  comm  tid  count  interrupt count  blocked  average  longest\n"
	      "idle                0  main   10      3                3  5.20 ms  1.73 ms  3.00 ms\n"
	      "worker             11  main   10      1                0  2.00 ms  2.00 ms  2.00 ms\n"
	      "sum over 2 rows: blocked 7.20 ms\n"
	      "\n"
	      "lost: nothing\n");
	close_fixture(&f);
}

static void test_waits(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check(&f, "waits", NULL,
	      "The longest that ended\n"
	      "4 ms  main (tid 10) sleeping\n"
	      "  start           0.001000 s\n"
	      "  blocked         2.00 ms\n"
	      "  runnable        2.00 ms\n"
	      "  syscall         futex\n"
	      "  object          futex 0x1000 held by tid 11\n"
	      "  owner           worker (tid 11)\n"
	      "  woken by        worker (tid 11)\n"
	      "  kernel stack    futex_wait < do_syscall_64\n"
	      "  user stack      lock < work < main\n"
	      "  waker user      burn < main\n"
	      "  cpu             0\n"
	      "3 ms  main (tid 10) sleeping\n"
	      "  start           0.010000 s\n"
	      "  blocked         3.00 ms\n"
	      "  runnable        0 ns\n"
	      "  syscall         read\n"
	      "  object          /var/log/x\n"
	      "  woken by        an interrupt\n"
	      "  kernel stack    pipe_read < do_syscall_64\n"
	      "  user stack      read < fill < main\n"
	      "  cpu             0\n"
	      "2 ms  main (tid 10) sleeping\n"
	      "  start           0.014000 s\n"
	      "  blocked         2.00 ms\n"
	      "  runnable        0 ns\n"
	      "  syscall         recvfrom\n"
	      "  object          tcp 10.0.0.1:80 > 10.0.0.2:5000\n"
	      "  woken by        an interrupt\n"
	      "  kernel stack    pipe_read < do_syscall_64\n"
	      "  user stack      read < fill < main\n"
	      "  cpu             0\n"
	      "\n"
	      "Not over at the end of the recording, or lost from sight\n"
	      "comm    tid  pid  state        start   waited  wait id\n"
	      "worker   11   10  sleeping  0.005000  12.0 ms        3\n"
	      "\n"
	      "waits shorter than 1 ms carry no stack\n"
	      "lost: nothing\n");
	close_fixture(&f);
}

static void test_cpus_and_processes(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check(&f, "cpus", NULL,
	      "cpu     busy  busy share  other     idle  unknown  switches\n"
	      "  0  11.7 ms      68.8 %   0 ns  5.30 ms     0 ns         9\n"
	      "  1  9.00 ms      52.9 %   0 ns  8.00 ms     0 ns         2\n"
	      "sum over 2 rows: busy 20.7 ms, other 0 ns, idle 13.3 ms, unknown 0 ns\n"
	      "\n"
	      "lost: nothing\n");
	check(&f, "processes", NULL,
	      "pid  ppid  comm  start       end  exit               threads   on cpu  cmdline\n"
	      " 10     1  main      -         -  -                        2  11.7 ms  main --fast\n"
	      " 20     1  hog       -  0.009000  killed by SIGKILL        1  9.00 ms  -\n"
	      "sum over 2 rows: on cpu 20.7 ms\n"
	      "\n"
	      "lost: nothing\n");
	close_fixture(&f);
}

static void test_files_and_sockets(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check(&f, "files", NULL,
	      " waited  waits  longest  syscalls  threads  file\n"
	      "3.00 ms      1  3.00 ms  read      main     /var/log/x\n"
	      "sum over 1 row: waited 3.00 ms\n"
	      "\n"
	      "waits shorter than 1 ms carry no stack\n"
	      "lost: nothing\n");
	check(&f, "sockets", NULL,
	      " waited  waits  longest  syscalls  threads  socket\n"
	      "2.00 ms      1  2.00 ms  recvfrom  main     tcp 10.0.0.1:80 > 10.0.0.2:5000\n"
	      "sum over 1 row: waited 2.00 ms\n"
	      "\n"
	      "waits shorter than 1 ms carry no stack\n"
	      "lost: nothing\n");
	close_fixture(&f);
}

static void test_loss_and_hooks(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check(&f, "loss", NULL,
	      "kind  cpu  from  to  events  reason\n"
	      "none\n"
	      "\n"
	      "lost: nothing\n");
	check(&f, "hooks", NULL,
	      "name    status   error  gives\n"
	      "fentry  missing  EPERM  how long it took\n"
	      "\n"
	      "lost: nothing\n");
	close_fixture(&f);
}

/* Delays are told with who ran instead and who was queued. */
static void test_runq_culprits(void **state)
{
	struct fixture f =
		open_fixture("meta min_wait_ns 1000000\n"
			     "thread 1 1 anna\nthread 2 2 bert\nthread 3 3 cleo\nthread 4 4 dora\n"
			     "0   cpu0 switch idle > 1\n"
			     "1ms cpu0 waking 2 by 1\n"
			     "2ms cpu0 waking 3 by 1\n"
			     "3ms cpu0 waking 4 by 1\n"
			     "4ms cpu0 switch 1:S > 2\n"
			     "6ms cpu0 switch 2:R > 3 next_prio=49\n"
			     "9ms cpu0 switch 3:S > 4\n"
			     "10ms cpu0 switch 4:S > 2\n");
	const struct report_options options = {
		.has_min = true, .min_ns = 4 * NS_PER_MS, .has_limit = true, .limit = 2};

	(void)state;
	check(&f, "runq", &options,
	      "Run-queue delays of all waits\n"
	      "   2 ms to 4 ms              3  ████████████████████████████████████████████████\n"
	      "   4 ms to 8 ms              1  ████████████████\n"
	      "\n"
	      "The longest\n"
	      "6 ms  dora (tid 4) on CPU 0\n"
	      "  at              0.003000 s\n"
	      "  why             woken by anna (tid 1)\n"
	      "  ran instead     cleo (tid 3) 3 ms 50 % (real time), bert (tid 2) 2 ms 33 %, anna (tid 1) 1 ms 17 %\n"
	      "  queue           anna (running for 3 ms), bert (2 ms), cleo (1 ms)\n"
	      "4 ms  cleo (tid 3) on CPU 0\n"
	      "  at              0.002000 s\n"
	      "  why             woken by anna (tid 1)\n"
	      "  ran instead     anna (tid 1) 2 ms 50 %, bert (tid 2) 2 ms 50 %\n"
	      "  queue           anna (running for 2 ms), bert (1 ms)\n"
	      "2 of 3 rows are shown (--limit)\n"
	      "\n"
	      "lost: nothing\n");
	close_fixture(&f);
}

/* ---- options ---- */

static void test_sort_and_limit(void **state)
{
	struct fixture f = open_fixture(story);
	struct report_options options = {
		.format = TABLE_CSV, .sort = "blocked_ns", .has_limit = true, .limit = 2};

	(void)state;
	check(&f, "threads", &options,
	      "comm,tid,pid,on_cpu_ns,runnable_ns,blocked_ns,unknown_ns,switches,preemptions,"
	      "longest_wait_ns,longest_runnable_ns\n"
	      "worker,11,10,4000000,0,12000000,1000000,1,0,0,0\n"
	      "main,10,10,7700000,2100000,7200000,0,5,0,4000000,2000000\n");
	options = (struct report_options){.sort = "comm", .has_limit = true, .limit = 1};
	check(&f, "threads", &options,
	      "comm  tid  pid   on cpu  runnable  blocked  unknown  switches  preemptions  longest wait  "
	      "longest runnable\n"
	      "hog    20   20  9.00 ms      0 ns     0 ns     0 ns         0            0          0 ns  "
	      "            0 ns\n"
	      "1 of 3 rows are shown (--limit)\n"
	      "sum over 3 rows: on cpu 20.7 ms, runnable 2.10 ms, blocked 19.2 ms, unknown 1.00 ms\n"
	      "\n"
	      "lost: nothing\n");
	close_fixture(&f);
}

static void test_json(void **state)
{
	struct fixture f = open_fixture(story);
	const struct report_options options = {.format = TABLE_JSON};

	(void)state;
	check(&f, "offcpu", &options,
	      "{\"stack\":\"worker;[not over at the end of the recording]\",\"total_ns\":12000000,\"waits\":1}\n"
	      "{\"stack\":\"main;main;fill;read;do_syscall_64;pipe_read\",\"total_ns\":5000000,\"waits\":2}\n"
	      "{\"stack\":\"main;main;work;lock;do_syscall_64;futex_wait\",\"total_ns\":4000000,\"waits\":1}\n"
	      "{\"stack\":\"[shorter than 1 ms: no stack taken]\",\"total_ns\":300000,\"waits\":null}\n");
	check(&f, "hooks", &options,
	      "{\"name\":\"fentry\",\"status\":\"missing\",\"error\":\"EPERM\",\"gives\":\"how long it took\"}\n");
	close_fixture(&f);
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
	struct fixture f = open_fixture(story);
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
	close_fixture(&f);
}

/* All that limits a report is told below it. */
static void test_limits(void **state)
{
	struct fixture f =
		open_fixture("meta min_wait_ns 2500000\n"
			     "0 cpu0 switch idle > 10\n"
			     "5ms cpu0 loss 1ms..2ms events=1500\n"
			     "5ms cpu1 loss 1ms..2ms events=7 log=1\n"
			     "6ms cpu0 loss 1ms..4ms events=2 log=1 cpu=65535 reason=4\n");
	char *text = report(&f, "offcpu", NULL);

	(void)state;
	assert_non_null(
		strstr(text, "\nwaits shorter than 2.5 ms carry no stack\n"
			     "lost: 1,509 events (1,500 switches and wake-ups of CPU 0, 7 evidence "
			     "of CPU 1, 2 stacks)\n"));
	free(text);
	text = report(&f, "oncpu", NULL);
	assert_non_null(strstr(text, "\nsamples: none were taken\n"));
	free(text);
	close_fixture(&f);
}

/* Names come from anywhere: none may reach a terminal as it is. */
static void test_names_are_escaped(void **state)
{
	struct fixture f =
		open_fixture("meta min_wait_ns 1000\n"
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
		char *text = report(&f, views_at(f.views, i)->name, NULL);

		assert_null(strchr(text, '\033'));
		if (!strcmp(views_at(f.views, i)->name, "waits"))
			assert_non_null(strstr(text, "a\\x1b[31mb"));
		free(text);
	}
	close_fixture(&f);
}

/* ---- sums ---- */

static int64_t sum_of(struct query *query, const char *sql, const char *column)
{
	_cleanup_free_ char *whole = xasprintf("SELECT total(%s) FROM (%s)", column, sql);
	sqlite3_stmt *statement;
	int64_t sum;

	assert_int_equal(query_prepare(query, whole, &statement, NULL), 0);
	assert_int_equal(query_step(query, statement), 1);
	sum = (int64_t)sqlite3_column_double(statement, 0);
	sqlite3_finalize(statement);
	return sum;
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *seed >> 33;
}

/* Two CPUs whose threads come and go at random; some waits are long enough to be kept, most are
 * not. */
static struct synth *random_story(uint64_t *seed)
{
	struct synth *synth = synth_new();
	unsigned int current[2] = {0, 0};
	uint64_t now_us = 0;

	synth_text(synth, "meta min_wait_ns 400000\n");
	for (int i = 0; i < 1000; i++) {
		unsigned int cpu = next_random(seed) % 2;
		unsigned int next = 10 + cpu * 10 + next_random(seed) % 9;

		now_us += 1 + next_random(seed) % 80;
		if (next == current[cpu])
			continue;
		if (next_random(seed) % 4)
			synth_printf(synth, "%u cpu%u waking %u by %u\n", (unsigned int)now_us, cpu,
				     next, current[cpu]);
		now_us += next_random(seed) % 20;
		synth_printf(synth, "%u cpu%u switch %u:%s > %u\n", (unsigned int)now_us, cpu,
			     current[cpu], current[cpu] && next_random(seed) % 3 ? "S" : "R", next);
		current[cpu] = next;
	}
	return synth;
}

/*
 * Off-CPU time by stack adds up to what the threads say, to the ns, whatever part of the time and
 * of the threads is looked at; and so do the CPUs.
 */
static void test_sums_agree(void **state)
{
	struct model_options options = {.min_wait_ns = UINT64_MAX};
	struct fixture f = {0};
	uint64_t seed = 3;
	struct synth *synth = random_story(&seed);
	const struct view *offcpu;

	(void)state;
	f.recording = synth_to_memory(synth);
	assert_int_equal(model_new(&f.model, f.recording, &options), 0);
	assert_int_equal(query_new(&f.query, f.model), 0);
	assert_int_equal(views_load(&f.views), 0);
	offcpu = views_find(f.views, "offcpu");
	for (int i = 0; i < 60; i++) {
		uint64_t length_ns = model_end_ns(f.model) - model_start_ns(f.model);
		const uint32_t tids[] = {11, 12, 13};
		struct filter filter = {.tids = tids, .tid_count = i % 3 ? 0 : 3};
		int64_t off_cpu, on_cpu, all, kept;

		filter.from_ns = model_start_ns(f.model) + next_random(&seed) % length_ns;
		filter.to_ns = filter.from_ns + next_random(&seed) % length_ns;
		if (i < 3)
			filter.from_ns = 0, filter.to_ns = UINT64_MAX;
		query_set_filter(f.query, &filter);
		off_cpu = sum_of(f.query,
				 "SELECT runnable_ns + blocked_ns AS n FROM thread WHERE tid > 0",
				 "n");
		assert_int_equal(sum_of(f.query, offcpu->sections[0].sql, "total_ns"), off_cpu);
		kept = sum_of(f.query, "SELECT inside_ns FROM wait WHERE tid > 0", "inside_ns");
		assert_true(kept <= off_cpu);
		on_cpu = sum_of(f.query, "SELECT on_cpu_ns FROM thread WHERE tid > 0", "on_cpu_ns");
		assert_int_equal(sum_of(f.query, "SELECT busy_ns FROM cpu", "busy_ns"), on_cpu);
		assert_int_equal(
			sum_of(f.query, "SELECT inside_ns FROM run WHERE tid > 0", "inside_ns"),
			on_cpu);
		all = sum_of(f.query,
			     "SELECT busy_ns + idle_ns + other_ns + unknown_ns AS n FROM cpu", "n");
		assert_int_equal(all,
				 2 * sum_of(f.query, "SELECT shown_ns FROM recording", "shown_ns"));
	}
	close_fixture(&f);
	synth_free(synth);
}

/* Each delay is accounted for by those who ran meanwhile, and gaps. */
static void test_culprits_add_up(void **state)
{
	struct model_options options = {.min_wait_ns = 0};
	struct fixture f = {0};
	uint64_t seed = 5;
	struct synth *synth = random_story(&seed);

	(void)state;
	f.recording = synth_to_memory(synth);
	assert_int_equal(model_new(&f.model, f.recording, &options), 0);
	assert_int_equal(query_new(&f.query, f.model), 0);
	assert_true(sum_of(f.query, "SELECT ran_ns FROM ran_instead(1)", "ran_ns") > 0);
	assert_int_equal(
		sum_of(f.query,
		       "SELECT runnable_ns - (SELECT sum(ran_ns) FROM ran_instead(1) "
		       "WHERE wait_id = wait.id) AS left FROM wait WHERE runnable_ns > 0 AND NOT is_open",
		       "abs(left)"),
		0);
	assert_int_equal(
		sum_of(f.query, "SELECT count FROM runq_histogram", "count"),
		sum_of(f.query,
		       "SELECT (wake_seen OR state = 'runnable') AS n FROM wait WHERE NOT is_open",
		       "n"));
	close_fixture(&f);
	synth_free(synth);
}

/* ---- parts ---- */

static char *tree_text(const char *const *stacks, const uint64_t *weights, size_t count,
		       const struct tree_options *options)
{
	struct tree *tree = tree_new();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < count; i++)
		tree_add(tree, stacks[i], weights[i], 1);
	tree_print(tree, options, out);
	tree_free(tree);
	fclose(out);
	return text;
}

static void test_tree(void **state)
{
	static const char *const stacks[] = {"a;b;c", "a;b;d", "a;b", "e;f;g", "a;x", "a;y", ""};
	static const uint64_t weights[] = {500, 200, 100, 190, 4, 5, 1};
	struct tree_options options = {.min_share = 0.01, .count_name = "waits"};
	char *text = tree_text(stacks, weights, ARRAY_SIZE(stacks), &options);

	(void)state;
	assert_string_equal(text, "    total    share       waits\n"
				  "  1.00 us  100.0 %           7  all\n"
				  "   809 ns   80.9 %           5  ├─ a\n"
				  "   800 ns   80.0 %           3  │  ├─ b\n"
				  "   500 ns   50.0 %           1  │  │  ├─ c\n"
				  "   200 ns   20.0 %           1  │  │  └─ d\n"
				  "     9 ns    0.9 %           2  │  └─ (2 more below 1.0 %)\n"
				  "   190 ns   19.0 %           1  └─ e\n"
				  "                                   f\n"
				  "                                   g\n");
	free(text);
	options = (struct tree_options){.line_limit = 3, .width = 23};
	text = tree_text(stacks, weights, 4, &options);
	assert_string_equal(text, "    total    share\n"
				  "   990 ns  100.0 %  all\n"
				  "   800 ns   80.8 %  ├─…\n"
				  "                    │ …\n"
				  "... 5 more lines (--limit)\n");
	free(text);
}

/* A stack of a hostile recording: printing must not run out of its own. */
static void test_deep_tree(void **state)
{
	struct buffer deep = {0};
	const char *stack;
	uint64_t weight = 10;
	struct tree_options options = {0};
	char *text;

	(void)state;
	for (int i = 0; i < 100000; i++)
		buffer_printf(&deep, "f%d;", i % 7);
	stack = deep.data;
	text = tree_text(&stack, &weight, 1, &options);
	assert_non_null(strstr(text, "f0"));
	free(text);
	buffer_release(&deep);
}

static void test_histogram(void **state)
{
	const struct histogram_bucket buckets[] = {
		{0, 1000, 0},
		{1000, 2000, 1},
		{2000, 4000, 1000},
		{4000, 8000, 500},
		{524288000, 1048576000, 0},
		{1048576000, 2097152000, 20},
	};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	histogram_print(buckets, ARRAY_SIZE(buckets), 52, out);
	fclose(out);
	assert_string_equal(text, "   1 us to 2 us              1  █\n"
				  "   2 us to 4 us          1,000  ████████████████████\n"
				  "   4 us to 8 us            500  ██████████\n"
				  " 524 ms to 1 s               0\n"
				  "    1 s to 2 s              20  █\n");
	free(text);
}

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
	struct fixture f = open_fixture(story);

	(void)state;
	assert_true(views_count(f.views) >= 14);
	for (size_t i = 0; i < views_count(f.views); i++) {
		const struct view *view = views_at(f.views, i);
		const struct report_options json = {.format = TABLE_JSON};

		assert_true(view->title[0] && view->help[0] && view->section_count);
		free(report_with(&f, view, &json));
	}
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_offcpu),
		cmocka_unit_test(test_oncpu),
		cmocka_unit_test(test_runq),
		cmocka_unit_test(test_wakers),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_cpus_and_processes),
		cmocka_unit_test(test_files_and_sockets),
		cmocka_unit_test(test_loss_and_hooks),
		cmocka_unit_test(test_runq_culprits),
		cmocka_unit_test(test_sort_and_limit),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_refused_options),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_names_are_escaped),
		cmocka_unit_test(test_sums_agree),
		cmocka_unit_test(test_culprits_add_up),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_deep_tree),
		cmocka_unit_test(test_histogram),
		cmocka_unit_test(test_view_files),
		cmocka_unit_test(test_built_in_views),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
