/* SPDX-License-Identifier: BSD-2-Clause */
/* The SQL tables: a recording, a question, and the rows that must come. */
#include "unit/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "event/schema.h"
#include "query/query.h"
#include "support/synth.h"

/* Two threads of one process, one of which sleeps on a futex that the other holds; and a hog. */
static const char story[] =
	"meta min_wait_ns 1000000\n"
	"meta host box\n"
	"thread 10 10 main cmdline='main --fast' ppid=1 uid=1000\n"
	"thread 11 10 worker ppid=1 uid=1000\n"
	"thread 20 20 hog ppid=1\n"
	"stack sleep kernel schedule futex_wait_queue do_futex do_syscall_64\n"
	"stack locked user pthread_mutex_lock work main\n"
	"stack burn user burn@hog.c:7 main@hog.c:20\n"
	"file log /var/log/x\n"
	"socket peer tcp 10.0.0.1:80 10.0.0.2:5000\n"
	"hook sched_switch 'what runs' status=1\n"
	"hook fentry 'nothing' status=3 error=1\n"
	"0     cpu0 switch idle > 10\n"
	"1ms   cpu0 switch 10:S > 11\n"
	"3ms   cpu0 waking 10 by 11\n"
	"5ms   cpu0 switch 11:S > 10\n"
	"5ms   cpu0 wait 10 pid=10 blocked=2ms runnable=2ms syscall=futex kernel_stack=sleep "
	"user_stack=locked waker_tid=11 waker_pid=10 futex_address=0x1000 futex_owner_tid=11 "
	"descriptor=-1 prev_state=S\n"
	"6ms   cpu0 sample 10 pid=10 period=10ms user_stack=burn syscall=-1\n"
	"6500us cpu1 switch idle > 20\n"
	"8ms   cpu0 switch 10:S > idle\n"
	"8.2ms cpu0 waking 10 by idle\n"
	"8.3ms cpu0 switch idle > 10\n"
	"9ms   cpu1 switch 20:X > idle\n"
	"9ms   cpu1 exit 20 pid=20 exit_code=9 process_ended=1\n"
	"10ms  cpu0 switch 10:R > idle\n";

struct fixture {
	struct recording *recording;
	struct model *model;
	struct query *query;
};

static struct fixture open_fixture(const char *text)
{
	struct model_options options = {.min_wait_ns = NS_PER_MS};
	struct fixture fixture = {.recording = synth_recording(text)};

	assert_int_equal(model_new(&fixture.model, fixture.recording, &options), 0);
	assert_int_equal(query_new(&fixture.query, fixture.model), 0);
	return fixture;
}

static void close_fixture(struct fixture *fixture)
{
	query_free(fixture->query);
	model_free(fixture->model);
	recording_close(fixture->recording);
}

static void give_up(const char *sql)
{
	print_error("%s: %s\n", sql, fail_text());
	assert_true(!"the statement runs");
}

/* The rows as text: values with | between, - for NULL, a line each. The caller frees it. */
static char *rows_of(struct query *query, const char *sql)
{
	struct buffer text = {0};
	sqlite3_stmt *statement;
	int more;

	if (query_prepare(query, sql, &statement, NULL))
		give_up(sql);
	while ((more = query_step(query, statement)) > 0) {
		for (int i = 0; i < sqlite3_column_count(statement); i++) {
			const char *value = (const char *)sqlite3_column_text(statement, i);

			buffer_printf(&text, "%s%s", i ? "|" : "", value ? value : "-");
		}
		buffer_printf(&text, "\n");
	}
	if (more < 0)
		give_up(sql);
	sqlite3_finalize(statement);
	buffer_add(&text, "", 1);
	return text.data;
}

static void check(struct query *query, const char *sql, const char *want)
{
	char *got = rows_of(query, sql);

	if (strcmp(got, want))
		print_error("%s\n", sql);
	assert_string_equal(got, want);
	free(got);
}

/* Times of the story in microseconds since its beginning. */
#define US(column) "(" column " - 1000000000) / 1000"

static void test_process_and_thread(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check(f.query, "SELECT pid, ppid, comm, cmdline, uid, exit, " US("end_ns") " FROM process",
	      "0|-|idle||-|-|-\n"
	      "10|1|main|main --fast|1000|-|-\n"
	      "20|1|hog||0|killed by SIGKILL|9000\n");
	check(f.query,
	      "SELECT tid, pid, comm, on_cpu_ns / 1000, runnable_ns / 1000, blocked_ns / 1000, "
	      "unknown_ns / 1000, switches, preemptions, has_ended FROM thread WHERE tid > 0",
	      "10|10|main|5700|2100|2200|0|3|1|0\n"
	      "11|10|worker|4000|0|5000|1000|1|0|0\n"
	      "20|20|hog|2500|0|0|6500|1|0|1\n");
	check(f.query, "SELECT comm FROM thread WHERE tid = 11", "worker\n");
	check(f.query, "SELECT count(*) FROM thread WHERE tid = 12", "0\n");
	check(f.query,
	      "SELECT p.comm, t.comm FROM thread t JOIN process p ON p.pid = t.pid WHERE t.tid = 11",
	      "main|worker\n");
	close_fixture(&f);
}

static void test_switch_and_run(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check(f.query,
	      "SELECT " US(
		      "time_ns") ", cpu, prev_tid, next_tid, prev_state, prev_comm, next_comm, "
				 "prev_state_text FROM switch WHERE cpu = 0",
	      "0|0|0|10|0|idle|main|runnable\n"
	      "1000|0|10|11|1|main|worker|sleeping\n"
	      "5000|0|11|10|1|worker|main|sleeping\n"
	      "8000|0|10|0|1|main|idle|sleeping\n"
	      "8300|0|0|10|0|idle|main|runnable\n"
	      "10000|0|10|0|0|main|idle|runnable\n");
	check(f.query, "SELECT count(*) FROM switch", "8\n");
	check(f.query,
	      "SELECT tid, cpu, " US("from_ns") ", " US(
		      "to_ns") ", ran_ns, end_state, is_cut FROM run "
			       "WHERE tid > 0",
	      "10|0|0|1000|1000000|1|0\n"
	      "11|0|1000|5000|4000000|1|0\n"
	      "10|0|5000|8000|3000000|1|0\n"
	      "20|1|6500|9000|2500000|128|0\n"
	      "10|0|8300|10000|1700000|0|0\n");
	check(f.query, "SELECT tid, count(*) FROM run GROUP BY tid", "0|3\n10|3\n11|1\n20|1\n");
	close_fixture(&f);
}

static void test_events(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check(f.query,
	      "SELECT " US(
		      "time_ns") ", kind, tid, pid, blocked_ns, syscall, args_5, futex_address "
				 "FROM event_wait",
	      "5000|wait|10|10|2000000|202|0|4096\n");
	check(f.query, "SELECT exit_code, process_ended FROM event_exit", "9|1\n");
	check(f.query, "SELECT tid, comm, cmdline FROM event_thread",
	      "10|main|main --fast\n11|worker|\n20|hog|\n");
	check(f.query, "SELECT text_0, text_1 FROM event_meta", "min_wait_ns|1000000\nhost|box\n");
	check(f.query, "SELECT count(*) FROM event_waking WHERE wakee_tid = 10", "2\n");
	check(f.query, "SELECT path, typeof(inode) FROM event_file", "/var/log/x|integer\n");
	check(f.query, "SELECT hex(local_address), local_port FROM event_socket",
	      "0A000001000000000000000000000000|80\n");
	/* A field called kind gives way to the column that all have. */
	check(f.query,
	      "SELECT count(kind), count(module_kind) > 0 FROM event_module WHERE kind = 'module'",
	      "2|1\n");
	close_fixture(&f);
}

/* Every kind of the event table has its table, and every one can be read. */
static void test_event_tables_of_all_kinds(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	for (unsigned int kind = 0; kind < EVENT_KIND_LIMIT; kind++) {
		const struct event_schema *schema = event_schema(kind);
		char sql[120];

		if (!schema)
			continue;
		snprintf(sql, sizeof(sql),
			 "SELECT count(*) = sum(kind = '%s') OR count(*) = 0 FROM event_%s",
			 schema->name, schema->name);
		check(f.query, sql, "1\n");
	}
	close_fixture(&f);
}

static void test_wait(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check(f.query,
	      "SELECT id, tid, pid, comm, " US("start_ns") ", " US("wake_ns") ", " US(
		      "end_ns") ", waited_ns, blocked_ns, runnable_ns, state, category, syscall, object FROM wait "
				"WHERE has_evidence",
	      "0|10|10|main|1000|3000|5000|4000000|2000000|2000000|sleeping|-|futex|"
	      "futex 0x1000 held by tid 11\n");
	check(f.query,
	      "SELECT owner_tid, owner_comm, futex_owner_tid, lock_owner_tid, waker_tid, waker_pid, "
	      "waker_comm, is_irq, wake_seen, is_open, cpu, descriptor, address(futex_address) FROM wait "
	      "WHERE id = 0",
	      "11|worker|11|-|11|10|worker|0|1|0|0|-|0x1000\n");
	check(f.query, "SELECT stack(kernel_stack, user_stack) FROM wait WHERE id = 0",
	      "main;work;pthread_mutex_lock;do_syscall_64;do_futex;futex_wait_queue\n");
	/* What has no evidence, or is no id, finds nothing. */
	check(f.query,
	      "SELECT kernel_stack, syscall, object FROM wait WHERE NOT has_evidence LIMIT 1",
	      "-|-|-\n");
	check(f.query, "SELECT count(*) FROM wait WHERE id = -1 OR id = 99 OR id = 1.5", "0\n");
	close_fixture(&f);
}

static void test_sample_and_stacks(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check(f.query,
	      "SELECT " US(
		      "time_ns") ", cpu, tid, pid, comm, kernel_stack, stack(user_stack), period_ns "
				 "FROM sample",
	      "6000|0|10|10|main|-|main;burn|10000000\n");
	check(f.query,
	      "SELECT depth, function, module, file, line FROM frame JOIN sample ON stack_id = user_stack",
	      "0|burn|app|hog.c|7\n"
	      "1|main|app|hog.c|20\n");
	check(f.query,
	      "SELECT depth, function, is_kernel, is_skipped FROM frame JOIN wait ON stack_id = kernel_stack",
	      "0|schedule|1|1\n"
	      "1|futex_wait_queue|1|0\n"
	      "2|do_futex|1|0\n"
	      "3|do_syscall_64|1|0\n");
	check(f.query, "SELECT count(*), count(DISTINCT stack_id) FROM frame", "9|3\n");
	check(f.query, "SELECT frames, is_user, is_whole, text FROM stack ORDER BY frames, text",
	      "2|1|1|main;burn\n"
	      "3|1|1|main;work;pthread_mutex_lock\n"
	      "4|0|1|do_syscall_64;do_futex;futex_wait_queue\n");
	check(f.query, "SELECT stack(NULL), stack(12345), stack(NULL, NULL)", "-|-|-\n");
	close_fixture(&f);
}

/* A name with the separator in it must not become two; missing callers are told. */
static void test_folded_text(void **state)
{
	struct fixture f = open_fixture("stack java user 'Lcom/x;::run' main\n"
					"0 cpu0 event stack id=5 flags=3 frame_count=1 frames=16\n"
					"0 cpu0 event stack id=6 flags=5 frame_count=1 frames=17\n"
					"stack all kernel schedule __schedule\n"
					"0 cpu0 switch idle > 10\n");

	(void)state;
	check(f.query, "SELECT text FROM stack ORDER BY text",
	      "[callers not found];0x11\n"
	      "[deeper than recorded];0x10\n"
	      "__schedule\n"
	      "main;Lcom/x:::run\n");
	close_fixture(&f);
}

static void test_functions(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check(f.query,
	      "SELECT duration(1230000), duration(1000000), duration(1500000000), duration(840)",
	      "1.23 ms|1 ms|1.5 s|840 ns\n");
	check(f.query,
	      "SELECT duration(100000000), duration(0), duration(-5000000), duration(NULL)",
	      "100 ms|0 ns|-5 ms|-\n");
	check(f.query, "SELECT bytes(1230000), address(-1), address(4096)",
	      "1.23 MB|0xffffffffffffffff|0x1000\n");
	check(f.query,
	      "SELECT state(0), state(1), state(2), state(0x402), state(0x102), state(4), state(16)",
	      "runnable|sleeping|uninterruptible|idle|killable|stopped|exiting\n");
	check(f.query, "SELECT exit_text(0), exit_text(256), exit_text(11), exit_text(139)",
	      "exit 0|exit 1|killed by SIGSEGV|killed by SIGSEGV, core dumped\n");
	check(f.query, "SELECT syscall(202), syscall(-1)", "futex|-\n");
	close_fixture(&f);
}

static void test_facts(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check(f.query, "SELECT value FROM meta WHERE name = 'host'", "box\n");
	check(f.query, "SELECT name, status, error, gives FROM hook",
	      "sched_switch|works|-|what runs\n"
	      "fentry|missing|EPERM|nothing\n");
	check(f.query, "SELECT path FROM file WHERE id = (SELECT id FROM file)", "/var/log/x\n");
	check(f.query,
	      "SELECT family, local_address, local_port, remote_address, remote_port FROM socket",
	      "ipv4|10.0.0.1|80|10.0.0.2|5000\n");
	check(f.query, "SELECT count(*) FROM span", "0\n");
	check(f.query, "SELECT count(*) FROM counter", "0\n");
	check(f.query,
	      "SELECT (end_ns - start_ns) / 1000, shown_ns / 1000, min_wait_ns, cpus, lost_count "
	      "FROM recording",
	      "10000|10000|1000000|2|0\n");
	check(f.query, "SELECT cpu, busy_ns / 1000, idle_ns / 1000, unknown_ns / 1000 FROM cpu",
	      "0|9700|300|0\n"
	      "1|2500|7500|0\n");
	close_fixture(&f);
}

static void test_loss(void **state)
{
	struct fixture f =
		open_fixture("0 cpu0 switch idle > 10\n"
			     "5ms cpu0 loss 1ms..4ms events=7\n"
			     "6ms cpu0 loss 1ms..4ms events=2 log=1 cpu=65535 reason=4\n");

	(void)state;
	check(f.query,
	      "SELECT cpu, kind, " US("from_ns") ", " US("to_ns") ", events, reason FROM loss",
	      "0|switch|1000|4000|7|the log was overwritten before it was read\n"
	      "-|stack|1000|4000|2|stack copies dropped because unwinding lagged behind\n");
	close_fixture(&f);
}

/* ---- the filter ---- */

static void set_times(struct filter *filter, uint64_t from_us, uint64_t to_us)
{
	filter->from_ns = SYNTH_US(from_us);
	filter->to_ns = SYNTH_US(to_us);
}

static void test_filter_of_threads(void **state)
{
	struct fixture f = open_fixture(story);
	struct filter filter = {.to_ns = UINT64_MAX};
	const uint32_t pids[] = {10}, tids[] = {11};
	const char *const comms[] = {"ho*", "nothing"};

	(void)state;
	filter.pids = pids;
	filter.pid_count = 1;
	query_set_filter(f.query, &filter);
	check(f.query, "SELECT tid FROM thread", "10\n11\n");
	check(f.query, "SELECT pid FROM process", "10\n");
	check(f.query, "SELECT DISTINCT tid FROM run", "10\n11\n");
	check(f.query, "SELECT cpu, busy_ns / 1000, other_ns / 1000 FROM cpu",
	      "0|9700|0\n1|0|2500\n");
	check(f.query, "SELECT count(*) FROM event_switch", "6\n");

	filter.tids = tids;
	filter.tid_count = 1;
	query_set_filter(f.query, &filter);
	check(f.query, "SELECT tid FROM thread", "11\n");
	check(f.query, "SELECT " US("time_ns") " FROM switch", "1000\n5000\n");
	check(f.query, "SELECT count(*) FROM sample", "0\n");

	filter = (struct filter){.comms = comms, .comm_count = 2, .to_ns = UINT64_MAX};
	query_set_filter(f.query, &filter);
	check(f.query, "SELECT comm FROM thread", "hog\n");
	check(f.query, "SELECT comm FROM process", "hog\n");

	query_set_filter(f.query, NULL);
	check(f.query, "SELECT count(*) FROM thread", "4\n");
	close_fixture(&f);
}

/* From 2 ms to 8.25 ms: half of the first wait, and the beginning of the second. */
static void test_filter_of_time(void **state)
{
	struct fixture f = open_fixture(story);
	struct filter filter = {0};

	(void)state;
	set_times(&filter, 2000, 8250);
	query_set_filter(f.query, &filter);
	check(f.query,
	      "SELECT tid, on_cpu_ns / 1000, runnable_ns / 1000, blocked_ns / 1000, unknown_ns / 1000, "
	      "short_wait_ns / 1000 FROM thread WHERE tid > 0",
	      "10|3000|2050|1200|0|250\n"
	      "11|3000|0|3250|0|0\n"
	      "20|1750|0|0|4500|0\n");
	check(f.query, "SELECT id, inside_ns / 1000 FROM wait WHERE tid = 10", "0|3000\n");
	check(f.query, "SELECT count(*) FROM switch", "3\n");
	check(f.query, "SELECT shown_ns / 1000 FROM recording", "6250\n");
	check(f.query, "SELECT cpu, busy_ns / 1000, idle_ns / 1000 FROM cpu",
	      "0|6000|250\n1|1750|4500\n");
	check(f.query, "SELECT sum(inside_ns) / 1000 FROM run WHERE tid = 10", "3000\n");
	check(f.query, "SELECT count(*) FROM event_thread", "3\n");

	set_times(&filter, 6500, 6600);
	query_set_filter(f.query, &filter);
	check(f.query, "SELECT count(*) FROM sample", "0\n");
	check(f.query, "SELECT count(*) FROM wait WHERE tid = 10", "0\n");
	close_fixture(&f);
}

/* ---- run queues ---- */

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
	struct fixture f = open_fixture(queue_story);

	(void)state;
	check(f.query,
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
	close_fixture(&f);
}

static void test_run_queue(void **state)
{
	struct fixture f = open_fixture(queue_story);

	(void)state;
	check(f.query,
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
	check(f.query,
	      "SELECT (SELECT count(DISTINCT wait_id) FROM run_queue(5000000)), "
	      "(SELECT count(DISTINCT wait_id) FROM run_queue WHERE min_ns = 3500000), "
	      "(SELECT count(DISTINCT wait_id) FROM run_queue)",
	      "1|3|4\n");
	close_fixture(&f);
}

/* A CPU that stays idle, another where events were lost, and shorter delays than a millisecond. */
static void test_idle_and_unknown(void **state)
{
	struct fixture f = open_fixture("thread 1 1 anna\n"
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
	check(f.query,
	      "SELECT w.comm, r.tid, r.comm, r.ran_ns / 1000 FROM ran_instead AS r "
	      "JOIN wait AS w ON w.id = r.wait_id ORDER BY w.id, r.ran_ns DESC",
	      "bert|0|idle|2000\n"
	      "cleo|0|idle|4100\n"
	      "cleo|1000|?|900\n");
	check(f.query,
	      "SELECT w.comm, r.ran_ns / 1000 FROM ran_instead(300000) AS r JOIN wait AS w ON w.id = r.wait_id "
	      "WHERE r.tid = 0",
	      "bert|2000\n"
	      "cleo|4100\n");
	close_fixture(&f);
}

static void test_gap_in_a_delay(void **state)
{
	struct fixture f = open_fixture("thread 1 1 anna\n"
					"thread 2 2 bert\n"
					"0   cpu0 switch idle > 1\n"
					"1ms cpu0 waking 2 by 1\n"
					"3ms cpu0 loss 2ms..5ms events=9\n"
					"6ms cpu0 waking 7 by 1\n"
					"8ms cpu0 switch 1:S > 2\n"
					"9ms cpu0 switch 2:S > idle\n");

	(void)state;
	check(f.query,
	      "SELECT w.runnable_ns / 1000, r.tid, r.comm, r.ran_ns / 1000 FROM ran_instead AS r "
	      "JOIN wait AS w ON w.id = r.wait_id ORDER BY r.ran_ns DESC, r.tid",
	      "7000|-|unknown|4000\n"
	      "7000|1|anna|3000\n");
	check(f.query,
	      "SELECT sum(ran_ns) = max(w.runnable_ns) FROM ran_instead JOIN wait AS w ON w.id = wait_id",
	      "1\n");
	close_fixture(&f);
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
	f = open_fixture(text.data);
	check(f.query,
	      "SELECT bucket_from_ns / 1000, bucket_to_ns / 1000, count FROM runq_histogram "
	      "WHERE count > 0",
	      "128|256|1\n"
	      "2048|4096|3\n"
	      "4096|8192|1\n");
	check(f.query,
	      "SELECT waker_comm, comm, count, interrupt_count, blocked_ns / 1000, longest_ns / 1000 "
	      "FROM wakeup ORDER BY waker_tid, tid",
	      "idle|anna|1|1|7200|7200\n"
	      "anna|bert|1|0|1000|1000\n"
	      "anna|cleo|1|0|2000|2000\n"
	      "anna|dora|1|0|3000|3000\n");
	close_fixture(&f);
	buffer_release(&text);
}

/* ---- ranges ---- */

/* The same question with the term handed down and, behind a +, without. */
static void check_range(struct query *query, const char *table, const char *column, uint64_t from,
			uint64_t to)
{
	char fast[400], slow[400];
	char *got, *want;

	snprintf(fast, sizeof(fast),
		 "SELECT count(*), sum(%s) FROM %s WHERE %s >= %" PRIu64 " AND %s < %" PRIu64,
		 column, table, column, from, column, to);
	snprintf(slow, sizeof(slow),
		 "SELECT count(*), sum(%s) FROM %s WHERE +%s >= %" PRIu64 " AND +%s < %" PRIu64,
		 column, table, column, from, column, to);
	got = rows_of(query, fast);
	want = rows_of(query, slow);
	assert_string_equal(got, want);
	free(got);
	free(want);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *seed >> 33;
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
	struct synth *synth = synth_new();
	struct recording *recording;
	struct model_options options = {.min_wait_ns = 0};
	struct fixture f = {0};
	uint64_t seed = 7, now_us = 0;
	unsigned int current[2] = {0, 0};

	(void)state;
	for (int i = 0; i < 2000; i++) {
		unsigned int cpu = next_random(&seed) % 2,
			     next = 10 + cpu * 10 + next_random(&seed) % 9;

		now_us += 1 + next_random(&seed) % 50;
		if (next == current[cpu])
			continue;
		synth_printf(synth, "%" PRIu64 " cpu%u waking %u by %u\n", now_us, cpu, next,
			     current[cpu]);
		if (current[cpu])
			synth_printf(synth, "%" PRIu64 " cpu%u sample %u\n", now_us, cpu,
				     current[cpu]);
		synth_printf(synth, "%" PRIu64 " cpu%u switch %u:S > %u\n", now_us + 1, cpu,
			     current[cpu], next);
		current[cpu] = next;
	}
	recording = synth_to_memory(synth);
	assert_int_equal(model_new(&f.model, recording, &options), 0);
	assert_int_equal(query_new(&f.query, f.model), 0);
	f.recording = recording;
	for (int i = 0; i < 200; i++) {
		uint64_t from = SYNTH_US(next_random(&seed) % now_us);
		uint64_t to = SYNTH_US(next_random(&seed) % now_us);
		size_t which = next_random(&seed) % ARRAY_SIZE(ranged);

		if (strstr(ranged[which].column, "id")) {
			from = next_random(&seed) % 30;
			to = next_random(&seed) % 60;
		}
		check_range(f.query, ranged[which].table, ranged[which].column, from, to);
	}
	for (int i = 0; i < 40; i++) {
		char fast[160], slow[160];
		char *got, *want;

		snprintf(fast, sizeof(fast),
			 "SELECT count(*), sum(thread_id) FROM thread WHERE tid = %d", i);
		snprintf(slow, sizeof(slow),
			 "SELECT count(*), sum(thread_id) FROM thread WHERE +tid = %d", i);
		got = rows_of(f.query, fast);
		want = rows_of(f.query, slow);
		assert_string_equal(got, want);
		free(got);
		free(want);
	}
	close_fixture(&f);
	synth_free(synth);
}

/* Bounds that are no whole numbers. */
static void test_odd_bounds(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check(f.query, "SELECT count(*) FROM switch WHERE time_ns > -5", "8\n");
	check(f.query, "SELECT count(*) FROM switch WHERE time_ns < -5", "0\n");
	check(f.query, "SELECT count(*) FROM switch WHERE time_ns > 1e300", "0\n");
	check(f.query, "SELECT count(*) FROM switch WHERE time_ns < 1e300", "8\n");
	check(f.query, "SELECT count(*) FROM switch WHERE time_ns >= 1000999999.5", "7\n");
	check(f.query, "SELECT count(*) FROM switch WHERE time_ns <= 1001000000.5", "2\n");
	check(f.query, "SELECT count(*) FROM switch WHERE time_ns = NULL", "0\n");
	check(f.query, "SELECT count(*) FROM switch WHERE time_ns < 'text'", "8\n");
	check(f.query, "SELECT count(*) FROM switch WHERE time_ns = 1001000000", "1\n");
	close_fixture(&f);
}

/* ---- what goes wrong ---- */

static void check_failure(struct query *query, const char *sql, int want, const char *sentence)
{
	sqlite3_stmt *statement = NULL;
	int err = query_prepare(query, sql, &statement, NULL);

	while (!err && (err = query_step(query, statement)) > 0)
		err = 0;
	sqlite3_finalize(statement);
	if (err != want)
		print_error("%s: %s\n", sql, fail_text());
	assert_int_equal(err, want);
	if (!strstr(fail_text(), sentence))
		assert_string_equal(fail_text(), sentence);
	fail_clear();
}

static void test_errors(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check_failure(f.query, "SELECT x FROM wait", -EINVAL, "no such column: x");
	check_failure(f.query, "SELECT FROM", -EINVAL, "syntax error");
	check_failure(f.query, "SELECT * FROM nowhere", -EINVAL, "no such table: nowhere");
	check_failure(f.query, "CREATE TABLE a(b)", -EPERM, "can only be read");
	check_failure(f.query, "DELETE FROM wait", -EINVAL, "may not be modified");
	check_failure(f.query, "INSERT INTO thread(tid) VALUES (1)", -EINVAL,
		      "may not be modified");
	check_failure(f.query, "ATTACH '/tmp/query-x' AS x", -EPERM, "can only be read");
	check_failure(f.query, "PRAGMA writable_schema = 1", -EPERM, "can only be read");
	check_failure(f.query, "SELECT load_extension('x')", -EINVAL, "not authorized");
	check_failure(f.query, "SELECT * FROM ran_instead('soon')", -EINVAL,
		      "min_ns wants a whole number");
	check(f.query, "SELECT count(*) FROM switch", "8\n");
	close_fixture(&f);
}

static bool always(void *context)
{
	(*(int *)context)++;
	return true;
}

static void test_interrupt(void **state)
{
	struct fixture f = open_fixture(story);
	int asked = 0;

	(void)state;
	query_set_interrupt(f.query, always, &asked);
	check_failure(
		f.query,
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
		-ECANCELED, "interrupted");
	assert_true(asked > 0);
	query_set_interrupt(f.query, NULL, NULL);
	check(f.query, "SELECT count(*) FROM switch", "8\n");
	close_fixture(&f);
}

static void test_list_of_tables(void **state)
{
	struct fixture f = open_fixture(story);
	size_t columns = 0;

	(void)state;
	for (size_t i = 0; i < query_table_count(f.query); i++) {
		struct query_table_info info = query_table(f.query, i);

		assert_true(info.name[0] && info.says[0]);
		for (unsigned int j = 0; j < info.column_count; j++, columns++) {
			const char *name, *help;
			bool is_hidden;

			query_table_column(f.query, i, j, &name, &help, &is_hidden);
			assert_true(name[0] && help[0]);
		}
	}
	assert_true(columns > 200);
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process_and_thread),
		cmocka_unit_test(test_switch_and_run),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_event_tables_of_all_kinds),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_sample_and_stacks),
		cmocka_unit_test(test_folded_text),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_filter_of_threads),
		cmocka_unit_test(test_filter_of_time),
		cmocka_unit_test(test_ran_instead),
		cmocka_unit_test(test_run_queue),
		cmocka_unit_test(test_idle_and_unknown),
		cmocka_unit_test(test_gap_in_a_delay),
		cmocka_unit_test(test_histogram_and_wakeups),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_odd_bounds),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_list_of_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
