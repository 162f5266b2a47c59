/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "unit/unit.h"

const char fixture_story[] =
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

const char fixture_waits_story[] =
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

static struct fixture open_recording(struct recording *recording, uint64_t min_wait_ns)
{
	struct model_options options = {.min_wait_ns = min_wait_ns};
	struct fixture fixture = {.recording = recording};

	assert_int_equal(model_new(&fixture.model, recording, &options), 0);
	assert_int_equal(query_new(&fixture.query, fixture.model), 0);
	assert_int_equal(views_load(&fixture.views), 0);
	return fixture;
}

struct fixture fixture_open(const char *text)
{
	return open_recording(synth_recording(text), UINT64_MAX);
}

struct fixture fixture_open_synth(const struct synth *synth, uint64_t min_wait_ns)
{
	return open_recording(synth_to_memory(synth), min_wait_ns);
}

void fixture_close(struct fixture *fixture)
{
	views_free(fixture->views);
	query_free(fixture->query);
	model_free(fixture->model);
	recording_close(fixture->recording);
}

static void give_up(const char *what)
{
	print_error("%s: %s\n", what, fail_text());
	assert_true(!"it works");
}

char *fixture_rows(const struct fixture *fixture, const char *sql)
{
	struct buffer text = {0};
	sqlite3_stmt *statement;
	int more;

	if (query_prepare(fixture->query, sql, &statement, NULL))
		give_up(sql);
	while ((more = query_step(fixture->query, statement)) > 0) {
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

void fixture_check(const struct fixture *fixture, const char *sql, const char *want)
{
	char *got = fixture_rows(fixture, sql);

	if (strcmp(got, want))
		print_error("%s\n", sql);
	assert_string_equal(got, want);
	free(got);
}

int64_t fixture_sum(const struct fixture *fixture, const char *sql, const char *column)
{
	_cleanup_free_ char *whole = xasprintf("SELECT total(%s) FROM (%s)", column, sql);
	sqlite3_stmt *statement;
	int64_t sum;

	assert_int_equal(query_prepare(fixture->query, whole, &statement, NULL), 0);
	assert_int_equal(query_step(fixture->query, statement), 1);
	sum = (int64_t)sqlite3_column_double(statement, 0);
	sqlite3_finalize(statement);
	return sum;
}

char *fixture_report(const struct fixture *fixture, const char *name,
		     const struct report_options *options)
{
	const struct report_options plain = {.format = TABLE_TEXT};
	const struct view *view = views_find(fixture->views, name);
	char *text = NULL;
	size_t size;
	FILE *out;

	if (!view)
		give_up(name);
	out = open_memstream(&text, &size);
	if (report_run(fixture->query, view, options ? options : &plain, out))
		give_up(name);
	fclose(out);
	return text;
}

void fixture_check_report(const struct fixture *fixture, const char *view,
			  const struct report_options *options, const char *want)
{
	char *got = fixture_report(fixture, view, options);

	assert_string_equal(got, want);
	free(got);
}

uint64_t fixture_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *seed >> 33;
}

struct synth *fixture_random_story(uint64_t *seed, unsigned int events)
{
	struct synth *synth = synth_new();
	unsigned int current[2] = {0, 0}, now_us = 0;

	synth_text(synth, "meta min_wait_ns 400000\n");
	for (unsigned int i = 0; i < events; i++) {
		unsigned int cpu = fixture_random(seed) % 2;
		unsigned int next = 10 + cpu * 10 + fixture_random(seed) % 9;

		now_us += 1 + fixture_random(seed) % 80;
		if (next == current[cpu])
			continue;
		if (current[cpu])
			synth_printf(synth, "%u cpu%u sample %u\n", now_us, cpu, current[cpu]);
		if (fixture_random(seed) % 4)
			synth_printf(synth, "%u cpu%u waking %u by %u\n", now_us, cpu, next,
				     current[cpu]);
		now_us += fixture_random(seed) % 20;
		synth_printf(synth, "%u cpu%u switch %u:%s > %u\n", now_us, cpu, current[cpu],
			     current[cpu] && fixture_random(seed) % 3 ? "S" : "R", next);
		current[cpu] = next;
	}
	return synth;
}
