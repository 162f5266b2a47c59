/* SPDX-License-Identifier: BSD-2-Clause */
/* Verdicts, findings, their ranks and words: what explain makes of whole scenes. */
#include "unit/unit.h"

#include <errno.h>
#include <string.h>

#include "analysis/rules.h"
#include "base/error.h"
#include "base/memory.h"
#include "support/scene.h"
#include "support/synth.h"

#define CAST                                                                                       \
	"on cpu0 10 10 main\n"                                                                     \
	"on cpu1 11 10 worker\n"                                                                   \
	"on cpu2 12 10 helper\n"                                                                   \
	"on cpu3 20 20 other\n"                                                                    \
	"stack burn user burn main\n"                                                              \
	"stack pause user libc.so.6!nanosleep retry main\n"                                        \
	"socket to-server tcp 10.0.0.1:40000 10.0.0.2:80\n"                                        \
	"socket to-client tcp 10.0.0.2:80 10.0.0.1:40000\n"

#define END                                                                                        \
	"100ms cpu0 switch 10:S > idle\n"                                                          \
	"100ms cpu1 switch 11:S > idle\n"                                                          \
	"100ms cpu2 switch 12:S > idle\n"                                                          \
	"100ms cpu3 switch 20:S > idle\n"

/* The findings as "lock.futex 60.0 worker burn; cpu.user 40.0 - -": category, per cent, culprit,
 * function, by rank. */
static void check_findings(const struct explanation *explanation, const char *want)
{
	struct buffer text = {.data = NULL};

	for (size_t i = 0; i < explanation->finding_count; i++) {
		const struct finding *finding = &explanation->findings[i];

		assert_int_equal(finding->rank, i + 1);
		assert_true(finding->sentence && *finding->sentence);
		assert_true(finding->advice && *finding->advice);
		assert_true(finding->confidence > 0 && finding->confidence <= 1);
		buffer_printf(&text, "%s%s %.1f %s %s", i ? "; " : "",
			      category_name(finding->category), 100 * finding->share,
			      finding->culprit ? finding->culprit->comm : "-",
			      finding->function ? finding->function : "-");
	}
	assert_string_equal(text.data ? text.data : "", want);
	assert_int_equal(explanation->is_healthy, explanation->finding_count == 0);
	assert_int_equal(account_total_ns(&explanation->account), explanation->total_ns);
	buffer_release(&text);
}

static void check(const char *text, const char *findings, const char *verdict)
{
	struct scene scene = scene_open(text);
	struct explanation explanation = scene_explain(&scene, 10);

	check_findings(&explanation, findings);
	assert_string_equal(explanation.verdict, verdict);
	explanation_release(&explanation);
	scene_close(&scene);
}

/* ---- verdicts ---- */

static void test_healthy(void **state)
{
	(void)state;
	check(CAST END
	      "1ms..81ms 10 epoll by 20 waker_kernel_stack=by-tcp waker_socket=to-server\n",
	      "",
	      "Nothing wrong: thread main (10) is idle, it had nothing to do 80 % of the time, in "
	      "ep_poll.");
	check(CAST END "1ms..81ms 10 sleep by idle timeout=80ms user_stack=pause\n", "",
	      "Nothing wrong: thread main (10) is idle, it slept because it asked to 80 % of the "
	      "time, in retry.");
	check(CAST END "1ms..31ms 10 epoll by 20 waker_kernel_stack=by-tcp waker_socket=to-server\n"
		       "40ms..65ms 10 epoll by 20 waker_kernel_stack=by-tcp "
		       "waker_socket=to-server\n"
		       "70ms..74ms 10 condition by 11\n",
	      "",
	      "Nothing wrong: thread main (10) is idle, it had nothing to do 55 % of the time, in "
	      "ep_poll.");
	/* it waits for one who waits for something to do */
	check(CAST END "1ms..81ms 10 condition by 11\n"
		       "500us..80.9ms 11 epoll by idle waker_kernel_stack=by-packet\n",
	      "",
	      "Nothing wrong: thread main (10) is idle, it waited for another thread's work 80 % of "
	      "the time, in main.");
	/* a server between two requests of a client that sleeps */
	check(CAST END "1ms..91ms 10 recv by 20 object=to-client waker_kernel_stack=by-tcp "
		       "waker_socket=to-server\n"
		       "0..91ms 20 sleep by idle user_stack=pause\n",
	      "",
	      "Nothing wrong: thread main (10) waited for data from the network 90 % of the time, and "
	      "no wait stands out.");
	/* in a function of its own, not in that of whom it waits for */
	check(CAST END "stack reading user libc.so.6!recv read_request main\n"
		       "1ms..91ms 10 recv by 20 object=to-client waker_kernel_stack=by-tcp "
		       "waker_socket=to-server user_stack=reading\n"
		       "0..91ms 20 sleep by idle user_stack=pause\n",
	      "",
	      "Nothing wrong: thread main (10) waited for data from the network 90 % of the time, in "
	      "read_request, and no wait stands out.");
}

static void test_lock(void **state)
{
	(void)state;
	check(CAST END "10ms..70ms 10 lock by 11 futex_owner_tid=11\n"
		       "20ms cpu1 sample 11 user_stack=burn\n",
	      "lock.futex 60.0 worker burn",
	      "main waited for a lock 60.0 ms (60 %), that worker (11) held, which ran burn.");
	check(CAST END "10ms..70ms 10 lock by 11 futex_owner_tid=11\n"
		       "9ms..69ms 11 sleep by idle timeout=60ms user_stack=pause\n",
	      "lock.futex 60.0 worker retry",
	      "main waited for a lock 60.0 ms (60 %), that worker (11) held, which slept because it "
	      "asked to in retry (asked for 60.0 ms).");
	check(CAST END "10ms..70ms 10 lock by 20 futex_owner_tid=11 waker_kernel_stack=by-signal\n"
		       "10ms..70ms 11 lock by 20 futex_owner_tid=10 "
		       "waker_kernel_stack=by-signal futex_address=0x3000\n",
	      "lock.futex 60.0 worker main",
	      "main waited for a lock 60.0 ms (60 %), that worker (11) held, which waited for a lock "
	      "in main (futex 0x3000). This is a deadlock: each waits for the other.");
}

/* Who holds a lock has something to do: to give it back. */
static void test_idle_holder(void **state)
{
	(void)state;
	check(CAST END "10ms..70ms 10 lock by 11 futex_owner_tid=11\n"
		       "9ms..69ms 11 epoll by idle\n",
	      "lock.futex 60.0 worker ep_poll",
	      "main waited for a lock 60.0 ms (60 %), that worker (11) held, which had nothing to do "
	      "in ep_poll.");
}

static void test_chain(void **state)
{
	(void)state;
	check(CAST END "10ms..70ms 10 lock by 11 futex_owner_tid=11\n"
		       "9ms..69ms 11 condition by 12\n"
		       "20ms cpu2 sample 12 user_stack=burn\n",
	      "lock.futex 60.0 helper burn",
	      "main waited for a lock 60.0 ms (60 %), that worker (11) held, which waited for "
	      "another thread's work until helper (12) was done, which ran burn.");
	check("thread 10 10 main\nthread 30 30 hog\nstack burn user burn main\n"
	      "0 cpu0 switch idle > 10\n"
	      "10ms cpu0 switch 10:R > 30 next_prio=49\n"
	      "20ms cpu0 sample 30 user_stack=burn\n"
	      "70ms cpu0 switch 30:S > 10\n"
	      "100ms cpu0 switch 10:S > idle\n",
	      "runq.preempted 60.0 hog burn",
	      "main was put off its CPU 60.0 ms (60 %) while hog (30) ran burn (real-time priority "
	      "50).");
}

static void test_own_time(void **state)
{
	(void)state;
	check(CAST END "20ms cpu0 sample 10 user_stack=burn\n"
		       "30ms cpu0 sample 10 user_stack=burn\n",
	      "cpu.user 100.0 main burn",
	      "main ran its own code 100 ms (100 %), 100 % of it in burn.");
}

static void test_lost_events(void **state)
{
	struct scene scene = scene_open(CAST "10ms..70ms 10 lock by 11 futex_owner_tid=11\n"
					     "0 cpu1 loss 15ms..70ms events=10\n"
					     "75ms cpu1 switch 11:S > idle\n"
					     "100ms cpu0 switch 10:S > idle\n");
	struct explanation explanation = scene_explain(&scene, 10);

	(void)state;
	check_findings(&explanation, "lock.futex 60.0 - -");
	assert_non_null(strstr(explanation.verdict, "What it did then is not in the recording."));
	assert_int_equal(explanation.loss, 10);
	/* half sure at most */
	assert_true(explanation.findings[0].confidence < 0.5);
	explanation_release(&explanation);
	scene_close(&scene);
}

/* Numbers that cannot be do no harm: weights of samples, times of interrupts, time limits. */
static void test_absurd_numbers(void **state)
{
	struct scene scene =
		scene_open(CAST END "10ms cpu0 sample 10 user_stack=burn period_ns=0\n"
				    "60ms cpu0 sample 10 user_stack=burn period_ns=0\n"
				    "90ms cpu0 irq tid=10 from=0 hard_ns=0xffffffffffffffff\n"
				    "12ms..30ms 10 sleep by idle timeout_ns=0x8000000000000001\n"
				    "40ms..50ms 10 sleep by idle timeout_ns=0xffffffffffffffff\n");
	struct explanation explanation = scene_explain(&scene, 10);

	(void)state;
	check_findings(&explanation, "cpu.irq 72.0 - -");
	for (size_t i = 0; i < blame_cause_count(explanation.blame); i++) {
		assert_int_equal(blame_cause(explanation.blame, i)->overslept_ns, 0);
		assert_true(blame_cause(explanation.blame, i)->ns <= 100000000);
	}
	explanation_release(&explanation);
	scene_close(&scene);

	scene = scene_open(CAST END "10ms cpu0 sample 10 user_stack=burn period_ns=0\n"
				    "20ms cpu0 sample 10 user_stack=burn period_ns=0\n");
	explanation = scene_explain(&scene, 10);
	check_findings(&explanation, "cpu.user 100.0 main -");
	assert_true(explanation.findings[0].parts[0].share == 0);
	explanation_release(&explanation);
	scene_close(&scene);
}

/* A share of two per cent is nobody's problem, nor half of a millisecond. */
static void test_too_little(void **state)
{
	struct scene scene = scene_open(CAST END "10ms..12ms 10 lock by 11 futex_owner_tid=11\n"
						 "20ms..80ms 10 epoll by idle\n");
	struct explanation explanation = scene_explain(&scene, 10);

	(void)state;
	check_findings(&explanation, "");
	explanation_release(&explanation);
	scene_close(&scene);

	scene = scene_open("on cpu0 10 10 main\n"
			   "on cpu1 11 10 worker\n"
			   "100us..600us 10 lock by 11 futex_owner_tid=11\n"
			   "1ms cpu0 switch 10:S > idle\n");
	explanation = scene_explain(&scene, 10);
	check_findings(&explanation, "");
	explanation_release(&explanation);
	scene_close(&scene);
}

/* ---- ranks ---- */

/* By how much of a problem it is, not by size alone. */
static void test_ranks(void **state)
{
	(void)state;
	check(CAST END "10ms..40ms 10 lock by 11 futex_owner_tid=11\n"
		       "20ms cpu1 sample 11 user_stack=burn\n"
		       "45ms cpu0 sample 10 user_stack=burn\n",
	      "lock.futex 30.0 worker burn; cpu.user 70.0 main burn",
	      "main waited for a lock 30.0 ms (30 %), that worker (11) held, which ran burn.");
	check(CAST END "10ms..18ms 10 lock by 11 futex_owner_tid=11\n"
		       "20ms..60ms 10 pipe by 20 waker_kernel_stack=by-pipe\n"
		       "20ms..61ms 11 sleep by idle\n",
	      "wait.ipc 40.0 other -; cpu.user 52.0 - -; lock.futex 8.0 worker -",
	      "main waited for another process or thread 40.0 ms (40 %), until other (20) was done, "
	      "which ran.");
}

/* Several causes of one category, the largest that is known in front. */
static void test_parts(void **state)
{
	struct scene scene = scene_open(CAST END "10ms..50ms 10 lock by 11 futex_owner_tid=11\n"
						 "60ms..80ms 10 lock by 12 futex_owner_tid=12\n"
						 "85ms..90ms 10 lock by idle\n");
	struct explanation explanation = scene_explain(&scene, 10);
	const struct finding *finding = &explanation.findings[0];

	(void)state;
	assert_int_equal(finding->category, CATEGORY_LOCK_FUTEX);
	assert_int_equal(finding->part_count, 3);
	assert_string_equal(finding->parts[0].cause->culprit->comm, "worker");
	assert_string_equal(finding->parts[1].cause->culprit->comm, "helper");
	assert_true(finding->parts[0].share > 0.61 && finding->parts[0].share < 0.62);
	assert_ptr_equal(finding->cause, finding->parts[0].cause);
	explanation_release(&explanation);
	scene_close(&scene);
}

/* ---- words ---- */

static void test_advice(void **state)
{
	struct scene scene = scene_open(CAST END "10ms..70ms 10 lock by 11 futex_owner_tid=11\n"
						 "20ms cpu1 sample 11 user_stack=burn\n");
	struct explanation explanation = scene_explain(&scene, 10);

	(void)state;
	assert_string_equal(
		explanation.findings[0].advice,
		"shorten the critical section: do the work of burn before worker takes the lock, or "
		"split the lock");
	explanation_release(&explanation);
	scene_close(&scene);
}

static void check_words(const char *advice)
{
	assert_non_null(advice);
	for (; (advice = strchr(advice, '{')); advice++)
		assert_true(!strncmp(advice, "{culprit}", 9) ||
			    !strncmp(advice, "{function}", 10) || !strncmp(advice, "{object}", 8) ||
			    !strncmp(advice, "{target}", 8));
}

/* There is always a sentence and always some advice, and no word is left to be filled in. */
static void test_rules_are_complete(void **state)
{
	/* what rows look for in the object, and nothing of it */
	static const char *const objects[] = {
		"",        "mmap_lock", "rtnl", "inode lock", "cgroup",    "file lock",
		", slept", "real-time", "NET_", "throttled",  "held back", "retransmission",
	};

	(void)state;
	for (int i = 0; i < CATEGORY_COUNT; i++) {
		assert_true(*rule_of((enum category)i)->did);
		for (int leaf = 0; leaf < CATEGORY_COUNT; leaf++) {
			for (size_t n = 0; n < ARRAY_SIZE(objects); n++)
				check_words(advice_for((enum category)i, (enum category)leaf,
						       objects[n]));
		}
	}
	check_words(advice_for_deadlock());
	/* the more special row is the one that is found */
	assert_non_null(strstr(advice_for(CATEGORY_LOCK_KERNEL, CATEGORY_CPU_USER, "rtnl"),
			       "network configuration"));
	assert_non_null(
		strstr(advice_for(CATEGORY_RUNQ_WOKEN, CATEGORY_CPU_USER, "real-time priority 50"),
		       "runs before all ordinary threads"));
	assert_non_null(strstr(
		advice_for(CATEGORY_NET_RECV, CATEGORY_NET_RECV, "tcp a > b, 2 retransmissions"),
		"packets are lost"));
}

static bool has_note(const struct explanation *explanation, const char *part)
{
	for (size_t i = 0; i < explanation->note_count; i++) {
		if (strstr(explanation->notes[i], part))
			return true;
	}
	return false;
}

static void test_notes(void **state)
{
	struct scene scene =
		scene_open("meta min_wait_ns 1000000000\n"
			   "meta irq_hidden_ns 7000\n"
			   "hook sched_waking 'wake-ups' status=3 error=1\n"
			   "hook tcp_retransmit_skb 'losses' status=3 error=1\n" CAST END
			   "10ms..50ms 10 short by idle\n"
			   "60ms..70ms 10 short by idle prev_syscall=wait4\n"
			   "80ms cpu0 irq tid=10 from=70ms soft_count=1 "
			   "soft_ns=5000000\n"
			   "0 cpu3 loss 15ms..70ms events=1234567\n");
	struct explanation explanation = scene_explain(&scene, 10);

	(void)state;
	assert_true(has_note(&explanation, "40.0 % of the time went into waits without evidence "
					   "(shorter than 1.00 s, or lost)"));
	assert_true(has_note(&explanation, "10.0 % of the time went into waits too short"));
	assert_true(has_note(&explanation, "7000 ns each"));
	assert_true(has_note(&explanation, "1,234,567 events of that time were lost"));
	/* what is missing is said where it matters: there is nothing about the network in it */
	assert_true(has_note(&explanation, "who ended a wait is known of locks at most"));
	assert_false(has_note(&explanation, "lost packets"));
	explanation_release(&explanation);
	scene_close(&scene);

	scene = scene_open("hook sched_waking 'wake-ups' status=1\n" CAST END);
	explanation = scene_explain(&scene, 10);
	assert_true(has_note(&explanation, "what threads did on a CPU has no functions"));
	assert_false(has_note(&explanation, "who ended a wait"));
	explanation_release(&explanation);
	scene_close(&scene);

	scene = scene_open(CAST END "meta sample_period_ns 10000000\n"
				    "1ms..2ms 10 epoll by idle\n"
				    "1ms cpu0 sample 10 user_stack=burn\n");
	explanation = scene_explain(&scene, 10);
	assert_int_equal(explanation.note_count, 0);
	explanation_release(&explanation);
	scene_close(&scene);
}

/* Nobody looked at it: it slept when the recording began, and when it ended. */
static void test_note_of_hung(void **state)
{
	struct scene scene = scene_open("meta min_wait_ns 1000000000\n" CAST "10ms.. 10 short\n"
					"100ms cpu2 switch 12:S > idle\n");
	struct explanation explanation = scene_explain(&scene, 10);

	(void)state;
	assert_true(
		has_note(&explanation, "90.0 % of the time went into waits that had not ended"));
	assert_false(has_note(&explanation, "smaller --min-wait"));
	explanation_release(&explanation);
	scene_close(&scene);
}

static void test_unnamed_function(void **state)
{
	struct scene scene = scene_open(CAST END "stack stripped user app+0x1234 main\n"
						 "30ms cpu0 sample 10 user_stack=stripped\n");
	struct explanation explanation = scene_explain(&scene, 10);

	(void)state;
	assert_true(has_note(&explanation, "app+0x1234 has no name: install the debug symbols of "
					   "app"));
	explanation_release(&explanation);
	scene_close(&scene);
}

/* ---- targets ---- */

/* Who is asked for nobody gets the thread with the biggest problem; not the one that only waits for
 * others' end. */
static void test_biggest_problem(void **state)
{
	struct scene scene = scene_open("on cpu0 10 10 boss\n"
					"on cpu1 11 10 victim\n"
					"on cpu2 12 10 holder\n"
					"on cpu3 13 10 idler\n"
					"stack joining user libc.so.6!pthread_join main\n"
					"stack burn user burn main\n"
					"0..99ms 10 condition by 11 user_stack=joining\n"
					"10ms..61ms 11 lock by 12 futex_owner_tid=12\n"
					"0..99ms 13 epoll by idle\n"
					"30ms cpu2 sample 12 user_stack=burn\n" END);
	struct explanation explanation = scene_explain(&scene, 0);

	(void)state;
	assert_string_equal(explanation.target, "thread victim (11)");
	check_findings(&explanation, "lock.futex 51.0 holder burn");
	assert_true(explanation.other_count >= 1);
	for (size_t i = 0; i < explanation.other_count; i++) {
		assert_ptr_not_equal(explanation.others[i].thread, explanation.thread);
		assert_int_not_equal(explanation.others[i].thread->tid, 10);
		assert_true(*explanation.others[i].verdict);
	}
	explanation_release(&explanation);
	scene_close(&scene);
}

static int explain_filter(struct explanation *ret, const struct scene *scene,
			  const struct filter *filter, const char *span)
{
	struct explain_query query = {.filter = filter, .span = span};

	return explain(ret, scene->history, &query);
}

static void test_process(void **state)
{
	struct scene scene = scene_open(CAST END "10ms..70ms 10 lock by 11 futex_owner_tid=11\n"
						 "10ms..70ms 12 lock by 11 futex_owner_tid=11\n");
	uint32_t pid = 10;
	struct filter filter = {.pids = &pid, .pid_count = 1, .to_ns = UINT64_MAX};
	struct explanation explanation;

	(void)state;
	assert_int_equal(explain_filter(&explanation, &scene, &filter, NULL), 0);
	assert_string_equal(explanation.target, "process main (10; 3 threads)");
	assert_int_equal(explanation.thread_count, 3);
	assert_int_equal(explanation.total_ns, 300000000);
	assert_null(explanation.thread);
	check_findings(&explanation, "lock.futex 40.0 worker -; cpu.user 60.0 - -");
	assert_non_null(strstr(explanation.verdict,
			       "process main (10; 3 threads) waited for a lock "
			       "120 ms (40 %), that worker (11) held"));
	explanation_release(&explanation);
	scene_close(&scene);
}

/* A range of time is all that is asked for. */
static void test_range(void **state)
{
	struct scene scene = scene_open(CAST END "10ms..70ms 10 lock by 11 futex_owner_tid=11\n");
	uint32_t tid = 10;
	struct filter filter = {
		.tids = &tid, .tid_count = 1, .from_ns = SYNTH_US(60000), .to_ns = SYNTH_US(90000)};
	struct explanation explanation;

	(void)state;
	assert_int_equal(explain_filter(&explanation, &scene, &filter, NULL), 0);
	assert_int_equal(explanation.total_ns, 30000000);
	assert_int_equal(explanation.from_ns, SYNTH_US(60000));
	assert_int_equal(explanation.to_ns, SYNTH_US(90000));
	check_findings(&explanation, "lock.futex 33.3 worker -; cpu.user 66.7 - -");
	explanation_release(&explanation);
	/* nothing lies in it */
	filter.from_ns = SYNTH_US(95000);
	assert_int_equal(explain_filter(&explanation, &scene, &filter, NULL), -ENOENT);
	assert_non_null(strstr(fail_text(), "no such thread in that time"));
	fail_clear();
	scene_close(&scene);
}

static void test_no_target(void **state)
{
	struct scene scene = scene_open("meta x y\n");
	struct explanation explanation;
	uint32_t tid = 4711;
	struct filter filter = {.to_ns = UINT64_MAX};

	(void)state;
	assert_int_equal(explain_filter(&explanation, &scene, &filter, NULL), -ENOENT);
	assert_non_null(strstr(fail_text(), "no thread to explain"));
	fail_clear();
	filter.tids = &tid;
	filter.tid_count = 1;
	assert_int_equal(explain_filter(&explanation, &scene, &filter, NULL), -ENOENT);
	fail_clear();
	assert_int_equal(explain_filter(&explanation, &scene, &filter, "request"), -ENOENT);
	assert_non_null(strstr(fail_text(), "record --span"));
	fail_clear();
	scene_close(&scene);
}

/* ---- spans ---- */

/* Ten requests of 2 ms, of which two take 5 more: waiting for a lock. */
static const char *span_story(struct buffer *text)
{
	buffer_printf(text, CAST END "event span_name name=1 text='request|app:request'\n");
	for (unsigned int i = 0; i < 20; i++) {
		unsigned int from = 1 + 4 * i, slow = i == 7 || i == 15;

		if (slow)
			buffer_printf(text, "%u.1ms..%u.6ms 10 lock by 11 futex_owner_tid=11\n",
				      from, from + 2);
		buffer_printf(text, "%u%sms cpu0 span tid=10 pid=10 name=1 start=%ums\n",
			      from + 1 + 2 * slow, slow ? ".7" : "", from);
	}
	return text->data;
}

static void test_spans(void **state)
{
	struct buffer text = {.data = NULL};
	struct scene scene = scene_open(span_story(&text));
	struct explanation explanation = scene_explain_span(&scene, "request");
	const struct explain_spans *spans = &explanation.spans;

	(void)state;
	assert_true(explanation.has_spans);
	assert_int_equal(spans->count, 20);
	assert_int_equal(spans->median_ns, 1000000);
	assert_int_equal(spans->max_ns, 3700000);
	assert_int_equal(spans->slow_count, 2);
	assert_int_equal(spans->normal_ns, 18000000);
	assert_int_equal(spans->normal.ns[CATEGORY_CPU_USER], 18000000);
	assert_int_equal(explanation.total_ns, 7400000);
	check_findings(&explanation, "lock.futex 67.6 worker -; cpu.user 32.4 - -");
	explanation_release(&explanation);
	scene_close(&scene);
	buffer_release(&text);
}

/* All alike: all are explained. Idle waits count, inside of a span nothing is idle. */
static void test_equal_spans(void **state)
{
	struct scene scene =
		scene_open(CAST END "event span_name name=1 text='loop|app:loop'\n"
				    "10ms..19ms 10 epoll by 11\n"
				    "30ms..39ms 10 epoll by 11\n"
				    "20ms cpu0 span tid=10 pid=10 name=1 start=10ms\n"
				    "40ms cpu0 span tid=10 pid=10 name=1 start=30ms\n");
	struct explanation explanation = scene_explain_span(&scene, "loop");
	struct filter filter = {.to_ns = UINT64_MAX};

	(void)state;
	assert_int_equal(explanation.spans.slow_count, 2);
	assert_int_equal(explanation.total_ns, 20000000);
	check_findings(&explanation, "wait.idle 90.0 worker -; cpu.user 10.0 - -");
	explanation_release(&explanation);
	assert_int_equal(explain_filter(&explanation, &scene, &filter, "other"), -ENOENT);
	assert_non_null(strstr(fail_text(), "'loop' is one"));
	fail_clear();
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_healthy),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_idle_holder),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_own_time),
		cmocka_unit_test(test_lost_events),
		cmocka_unit_test(test_absurd_numbers),
		cmocka_unit_test(test_too_little),
		cmocka_unit_test(test_ranks),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_advice),
		cmocka_unit_test(test_rules_are_complete),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_note_of_hung),
		cmocka_unit_test(test_unnamed_function),
		cmocka_unit_test(test_biggest_problem),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_no_target),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_equal_spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
