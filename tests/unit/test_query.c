/* SPDX-License-Identifier: BSD-2-Clause */
/* The SQL tables: a recording, a question, and the rows that must come. */
#include "unit/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "query/query.h"
#include "support/synth.h"

/* Two threads of one process, one of which sleeps on a futex that the other holds; and a hog. */
static const char story[] =
	"meta min_wait_ns 1000000\n"
	"meta host box\n"
	"thread 10 10 main cmdline='main --fast' ppid=1 uid=1000\n"
	"thread 11 10 worker\n"
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

/* The rows as text: values with | between, - for NULL, a line each. The caller frees it. */
static char *rows_of(struct query *query, const char *sql)
{
	struct buffer text = {0};
	sqlite3_stmt *statement;
	int more;

	if (query_prepare(query, sql, &statement, NULL))
		fail_msg("%s: %s", sql, fail_text());
	while ((more = query_step(query, statement)) > 0) {
		for (int i = 0; i < sqlite3_column_count(statement); i++) {
			const char *value = (const char *)sqlite3_column_text(statement, i);

			buffer_printf(&text, "%s%s", i ? "|" : "", value ? value : "-");
		}
		buffer_printf(&text, "\n");
	}
	if (more < 0)
		fail_msg("%s: %s", sql, fail_text());
	sqlite3_finalize(statement);
	buffer_add(&text, "", 1);
	return text.data;
}

static void check(struct query *query, const char *sql, const char *want)
{
	char *got = rows_of(query, sql);

	if (strcmp(got, want))
		fail_msg("%s\nwant:\n%s\ngot:\n%s", sql, want, got);
	free(got);
}

/* Times of the story in microseconds since its beginning. */
#define US(column) "(" column " - 1000000000) / 1000"

static void test_process_and_thread(void **state)
{
	struct fixture f = open_fixture(story);

	(void)state;
	check(f.query, "SELECT pid, ppid, comm, cmdline, uid, exit, " US("end_ns") " FROM process",
	      "0|-|idle|||-|-\n"
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
	check(f.query, "SELECT p.comm, t.comm FROM thread t JOIN process p ON p.pid = t.pid WHERE t.tid = 11",
	      "main|worker\n");
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process_and_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
