/* SPDX-License-Identifier: BSD-2-Clause */
/* The SQL tables: a recording, a question, and the rows that must come. */
#include "unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "event/schema.h"
#include "support/fixture.h"

static void test_process_and_thread(void **state)
{
	struct fixture f = fixture_open(fixture_story);

	(void)state;
	fixture_check(&f,
		      "SELECT pid, ppid, comm, cmdline, uid, exit, " US("end_ns") " FROM process",
		      "0|-|idle||-|-|-\n"
		      "10|1|main|main --fast|1000|-|-\n"
		      "20|1|hog||0|killed by SIGKILL|9000\n");
	fixture_check(
		&f,
		"SELECT tid, pid, comm, on_cpu_ns / 1000, runnable_ns / 1000, blocked_ns / 1000, "
		"unknown_ns / 1000, switches, preemptions, has_ended FROM thread WHERE tid > 0",
		"10|10|main|5700|2100|2200|0|3|1|0\n"
		"11|10|worker|4000|0|5000|1000|1|0|0\n"
		"20|20|hog|2500|0|0|6500|1|0|1\n");
	fixture_check(&f, "SELECT comm FROM thread WHERE tid = 11", "worker\n");
	fixture_check(&f, "SELECT count(*) FROM thread WHERE tid = 12", "0\n");
	fixture_check(
		&f,
		"SELECT p.comm, t.comm FROM thread t JOIN process p ON p.pid = t.pid WHERE t.tid = 11",
		"main|worker\n");
	fixture_close(&f);
}

static void test_switch_and_run(void **state)
{
	struct fixture f = fixture_open(fixture_story);

	(void)state;
	fixture_check(
		&f,
		"SELECT " US(
			"time_ns") ", cpu, prev_tid, next_tid, prev_state, prev_comm, next_comm, "
				   "prev_state_text FROM switch WHERE cpu = 0",
		"0|0|0|10|0|idle|main|runnable\n"
		"1000|0|10|11|1|main|worker|sleeping\n"
		"5000|0|11|10|1|worker|main|sleeping\n"
		"8000|0|10|0|1|main|idle|sleeping\n"
		"8300|0|0|10|0|idle|main|runnable\n"
		"10000|0|10|0|0|main|idle|runnable\n");
	fixture_check(&f, "SELECT count(*) FROM switch", "8\n");
	fixture_check(&f,
		      "SELECT tid, cpu, " US("from_ns") ", " US(
			      "to_ns") ", ran_ns, end_state, is_cut FROM run "
				       "WHERE tid > 0",
		      "10|0|0|1000|1000000|1|0\n"
		      "11|0|1000|5000|4000000|1|0\n"
		      "10|0|5000|8000|3000000|1|0\n"
		      "20|1|6500|9000|2500000|128|0\n"
		      "10|0|8300|10000|1700000|0|0\n");
	fixture_check(&f, "SELECT tid, count(*) FROM run GROUP BY tid", "0|3\n10|3\n11|1\n20|1\n");
	fixture_close(&f);
}

static void test_events(void **state)
{
	struct fixture f = fixture_open(fixture_story);

	(void)state;
	fixture_check(
		&f,
		"SELECT " US(
			"time_ns") ", kind, tid, pid, blocked_ns, syscall, args_5, futex_address "
				   "FROM event_wait",
		"5000|wait|10|10|2000000|202|0|4096\n");
	fixture_check(&f, "SELECT exit_code, process_ended FROM event_exit", "9|1\n");
	fixture_check(&f, "SELECT tid, comm, cmdline FROM event_thread",
		      "10|main|main --fast\n11|worker|\n20|hog|\n");
	fixture_check(&f, "SELECT text_0, text_1 FROM event_meta",
		      "min_wait_ns|1000000\nhost|box\n");
	fixture_check(&f, "SELECT count(*) FROM event_waking WHERE wakee_tid = 10", "2\n");
	fixture_check(&f, "SELECT path, typeof(inode) FROM event_file", "/var/log/x|integer\n");
	fixture_check(&f, "SELECT hex(local_address), local_port FROM event_socket",
		      "0A000001000000000000000000000000|80\n");
	/* A field called kind gives way to the column that all have. */
	fixture_check(
		&f,
		"SELECT count(kind), count(module_kind) > 0 FROM event_module WHERE kind = 'module'",
		"2|1\n");
	fixture_close(&f);
}

/* Every kind of the event table has its table, and every one can be read. */
static void test_event_tables_of_all_kinds(void **state)
{
	struct fixture f = fixture_open(fixture_story);

	(void)state;
	for (unsigned int kind = 0; kind < EVENT_KIND_LIMIT; kind++) {
		const struct event_schema *schema = event_schema(kind);
		char sql[120];

		if (!schema)
			continue;
		snprintf(sql, sizeof(sql),
			 "SELECT count(*) = sum(kind = '%s') OR count(*) = 0 FROM event_%s",
			 schema->name, schema->name);
		fixture_check(&f, sql, "1\n");
	}
	fixture_close(&f);
}

static void test_wait(void **state)
{
	struct fixture f = fixture_open(fixture_story);

	(void)state;
	fixture_check(
		&f,
		"SELECT id, tid, pid, comm, " US("start_ns") ", " US("wake_ns") ", " US(
			"end_ns") ", waited_ns, blocked_ns, runnable_ns, state, category, syscall, object FROM wait "
				  "WHERE has_evidence",
		"0|10|10|main|1000|3000|5000|4000000|2000000|2000000|sleeping|lock.futex|futex|"
		"futex 0x1000\n");
	fixture_check(
		&f,
		"SELECT owner_tid, owner_comm, futex_owner_tid, lock_owner_tid, waker_tid, waker_pid, "
		"waker_comm, is_irq, wake_seen, is_open, cpu, descriptor, address(futex_address) FROM wait "
		"WHERE id = 0",
		"11|worker|11|-|11|10|worker|0|1|0|0|-|0x1000\n");
	fixture_check(&f, "SELECT stack(kernel_stack, user_stack) FROM wait WHERE id = 0",
		      "main;work;pthread_mutex_lock;do_syscall_64;do_futex;futex_wait_queue\n");
	/* What has no evidence, or is no id, finds nothing. */
	fixture_check(
		&f, "SELECT kernel_stack, syscall, object FROM wait WHERE NOT has_evidence LIMIT 1",
		"-|-|-\n");
	fixture_check(&f, "SELECT count(*) FROM wait WHERE id = -1 OR id = 99 OR id = 1.5", "0\n");
	fixture_close(&f);
}

static void test_sample_and_stacks(void **state)
{
	struct fixture f = fixture_open(fixture_story);

	(void)state;
	fixture_check(
		&f,
		"SELECT " US(
			"time_ns") ", cpu, tid, pid, comm, kernel_stack, stack(user_stack), period_ns "
				   "FROM sample",
		"6000|0|10|10|main|-|main;burn|10000000\n");
	fixture_check(
		&f,
		"SELECT depth, function, module, file, line FROM frame JOIN sample ON stack_id = user_stack",
		"0|burn|app|hog.c|7\n"
		"1|main|app|hog.c|20\n");
	fixture_check(
		&f,
		"SELECT depth, function, is_kernel, is_skipped FROM frame JOIN wait ON stack_id = kernel_stack",
		"0|schedule|1|1\n"
		"1|futex_wait_queue|1|0\n"
		"2|do_futex|1|0\n"
		"3|do_syscall_64|1|0\n");
	fixture_check(&f, "SELECT count(*), count(DISTINCT stack_id) FROM frame", "9|3\n");
	fixture_check(&f, "SELECT frames, is_user, is_whole, text FROM stack ORDER BY frames, text",
		      "2|1|1|main;burn\n"
		      "3|1|1|main;work;pthread_mutex_lock\n"
		      "4|0|1|do_syscall_64;do_futex;futex_wait_queue\n");
	fixture_check(&f, "SELECT stack(NULL), stack(12345), stack(NULL, NULL)", "-|-|-\n");
	fixture_close(&f);
}

/* A name with the separator in it must not become two; missing callers are told. */
static void test_folded_text(void **state)
{
	struct fixture f = fixture_open("stack java user 'Lcom/x;::run' main\n"
					"0 cpu0 event stack id=5 flags=3 frame_count=1 frames=16\n"
					"0 cpu0 event stack id=6 flags=5 frame_count=1 frames=17\n"
					"stack all kernel schedule __schedule\n"
					"0 cpu0 switch idle > 10\n");

	(void)state;
	fixture_check(&f, "SELECT text FROM stack ORDER BY text",
		      "[callers not found];0x11\n"
		      "[deeper than recorded];0x10\n"
		      "__schedule\n"
		      "main;Lcom/x:::run\n");
	fixture_close(&f);
}

static void test_functions(void **state)
{
	struct fixture f = fixture_open(fixture_story);

	(void)state;
	fixture_check(
		&f,
		"SELECT duration(1230000), duration(1000000), duration(1500000000), duration(840)",
		"1.23 ms|1 ms|1.5 s|840 ns\n");
	fixture_check(&f,
		      "SELECT duration(100000000), duration(0), duration(-5000000), duration(NULL)",
		      "100 ms|0 ns|-5 ms|-\n");
	fixture_check(&f, "SELECT bytes(1230000), address(-1), address(4096)",
		      "1.23 MB|0xffffffffffffffff|0x1000\n");
	fixture_check(
		&f,
		"SELECT state(0), state(1), state(2), state(0x402), state(0x102), state(4), state(16)",
		"runnable|sleeping|uninterruptible|idle|killable|stopped|exiting\n");
	fixture_check(&f, "SELECT exit_text(0), exit_text(256), exit_text(11), exit_text(139)",
		      "exit 0|exit 1|killed by SIGSEGV|killed by SIGSEGV, core dumped\n");
	fixture_check(&f, "SELECT syscall(202), syscall(-1)", "futex|-\n");
	fixture_close(&f);
}

static void test_facts(void **state)
{
	struct fixture f = fixture_open(fixture_story);

	(void)state;
	fixture_check(&f, "SELECT value FROM meta WHERE name = 'host'", "box\n");
	fixture_check(&f, "SELECT name, status, error, gives FROM hook",
		      "sched_switch|works|-|what runs\n"
		      "fentry|missing|EPERM|nothing\n");
	fixture_check(&f, "SELECT path FROM file WHERE id = (SELECT id FROM file)", "/var/log/x\n");
	fixture_check(
		&f,
		"SELECT family, local_address, local_port, remote_address, remote_port FROM socket",
		"ipv4|10.0.0.1|80|10.0.0.2|5000\n");
	fixture_check(&f, "SELECT count(*) FROM span", "0\n");
	fixture_check(&f, "SELECT count(*) FROM counter", "0\n");
	fixture_check(
		&f,
		"SELECT (end_ns - start_ns) / 1000, shown_ns / 1000, min_wait_ns, cpus, lost_count "
		"FROM recording",
		"10000|10000|1000000|2|0\n");
	fixture_check(&f, "SELECT cpu, busy_ns / 1000, idle_ns / 1000, unknown_ns / 1000 FROM cpu",
		      "0|9700|300|0\n"
		      "1|2500|7500|0\n");
	fixture_close(&f);
}

static void test_loss(void **state)
{
	struct fixture f =
		fixture_open("0 cpu0 switch idle > 10\n"
			     "5ms cpu0 loss 1ms..4ms events=7\n"
			     "6ms cpu0 loss 1ms..4ms events=2 log=1 cpu=65535 reason=4\n");

	(void)state;
	fixture_check(
		&f,
		"SELECT cpu, kind, " US("from_ns") ", " US("to_ns") ", events, reason FROM loss",
		"0|switch|1000|4000|7|the log was overwritten before it was read\n"
		"-|stack|1000|4000|2|stack copies dropped because unwinding lagged behind\n");
	fixture_close(&f);
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
	struct fixture f = fixture_open(fixture_story);

	(void)state;
	check_failure(f.query, "SELECT x FROM wait", -EINVAL, "no such column: x");
	check_failure(f.query, "SELECT FROM", -EINVAL, "syntax error");
	check_failure(f.query, "SELECT * FROM nowhere", -EINVAL, "no such table: nowhere");
	check_failure(f.query, "CREATE TABLE a(b)", -EPERM, "can only be read");
	check_failure(f.query, "DELETE FROM wait", -EINVAL, "may not be modified");
	check_failure(f.query, "INSERT INTO thread(tid) VALUES (1)", -EPERM, "can only be read");
	check_failure(f.query, "ATTACH '/tmp/query-x' AS x", -EPERM, "can only be read");
	check_failure(f.query, "PRAGMA writable_schema = 1", -EPERM, "can only be read");
	check_failure(f.query, "SELECT load_extension('x')", -EINVAL, "not authorized");
	check_failure(f.query, "SELECT * FROM ran_instead('soon')", -EINVAL,
		      "min_ns wants a whole number");
	fixture_check(&f, "SELECT count(*) FROM switch", "8\n");
	fixture_close(&f);
}

static bool always(void *context)
{
	(*(int *)context)++;
	return true;
}

static void test_interrupt(void **state)
{
	struct fixture f = fixture_open(fixture_story);
	int asked = 0;

	(void)state;
	query_set_interrupt(f.query, always, &asked);
	check_failure(
		f.query,
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
		-ECANCELED, "interrupted");
	assert_true(asked > 0);
	query_set_interrupt(f.query, NULL, NULL);
	fixture_check(&f, "SELECT count(*) FROM switch", "8\n");
	fixture_close(&f);
}

static void test_list_of_tables(void **state)
{
	struct fixture f = fixture_open(fixture_story);
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
	fixture_close(&f);
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
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_list_of_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
