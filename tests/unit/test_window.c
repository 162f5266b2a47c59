/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The window of live views: who is known to live when it begins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cmd/window.h"

static void add_fork(struct window *window, uint16_t cpu, uint64_t time_ns, uint32_t tid)
{
	struct event_fork event = {
		.header = {.kind = EVENT_FORK, .size = sizeof(event), .time_ns = time_ns},
		.parent_tid = 5,
		.parent_pid = 5,
		.tid = tid,
		.pid = tid,
		.comm = "child",
		.ns_tid = tid % 10,
	};

	window_add(window, STREAM_EVIDENCE, cpu, &event, sizeof(event));
}

static void add_rename(struct window *window, uint16_t cpu, uint64_t time_ns, uint32_t tid)
{
	struct event_rename event = {
		.header = {.kind = EVENT_RENAME, .size = sizeof(event), .time_ns = time_ns},
		.tid = tid,
		.pid = tid,
		.comm = "renamed",
	};

	window_add(window, STREAM_EVIDENCE, cpu, &event, sizeof(event));
}

/* Two events in one chunk: it is forgotten only when both are old. */
static void add_fork_and_rename(struct window *window, uint16_t cpu, uint64_t fork_ns,
				uint32_t fork_tid, uint64_t rename_ns, uint32_t rename_tid)
{
	struct {
		struct event_fork fork;
		struct event_rename rename;
	} events = {
		.fork = {.header = {.kind = EVENT_FORK,
				    .size = sizeof(events.fork),
				    .time_ns = fork_ns},
			 .tid = fork_tid,
			 .pid = fork_tid,
			 .comm = "child"},
		.rename = {.header = {.kind = EVENT_RENAME,
				      .size = sizeof(events.rename),
				      .time_ns = rename_ns},
			   .tid = rename_tid,
			   .pid = rename_tid,
			   .comm = "renamed"},
	};

	window_add(window, STREAM_EVIDENCE, cpu, &events, sizeof(events));
}

static void add_exit(struct window *window, uint16_t cpu, uint64_t time_ns, uint32_t tid)
{
	struct event_exit event = {
		.header = {.kind = EVENT_EXIT, .size = sizeof(event), .time_ns = time_ns},
		.tid = tid,
		.pid = tid,
	};

	window_add(window, STREAM_EVIDENCE, cpu, &event, sizeof(event));
}

/* "TID NAME PARENT NS_TID;" of each thread that a look begins with. */
static const char *roster_text(struct window *window)
{
	static char text[256];
	const struct recording_range range = {.streams = STREAM_BIT(STREAM_TABLE),
					      .to_ns = UINT64_MAX};
	struct recording *recording = window_look(window);
	struct recording_cursor *cursor;
	const struct event_header *event;

	text[0] = '\0';
	assert_int_equal(recording_cursor_new(&cursor, recording, &range), 0);
	while (recording_cursor_next(cursor, &event) == 1) {
		const struct event_thread *thread = (const void *)event;

		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%u %s %u %u;",
			 thread->tid, thread->comm, thread->ppid, thread->ns_tid);
	}
	recording_cursor_free(cursor);
	recording_close(recording);
	return text;
}

static void who_was_born_lives_on(void **state)
{
	struct window window = {0};

	(void)state;
	add_rename(&window, 0, 20, 102);
	add_fork(&window, 1, 10, 102);
	window_forget(&window, 100);
	assert_string_equal(roster_text(&window), "102 renamed 5 2;");
	window_release(&window);
}

/* Chunks come CPU after CPU: an end may be forgotten before the birth it belongs to. */
static void who_ended_on_another_cpu_does_not(void **state)
{
	struct window window = {0};

	(void)state;
	add_exit(&window, 0, 30, 102);
	add_rename(&window, 1, 20, 102);
	add_fork(&window, 1, 10, 102);
	window_forget(&window, 100);
	assert_string_equal(roster_text(&window), "");
	/* another with the same number */
	add_fork(&window, 0, 40, 102);
	window_forget(&window, 100);
	assert_string_equal(roster_text(&window), "102 child 5 2;");
	window_release(&window);
}

static void an_end_forgotten_first_is_remembered(void **state)
{
	struct window window = {0};

	(void)state;
	add_exit(&window, 0, 30, 102);
	add_fork_and_rename(&window, 1, 10, 102, 300, 103);
	window_forget(&window, 100);
	assert_string_equal(roster_text(&window), "");
	window_forget(&window, 1000);
	assert_string_equal(roster_text(&window), "103 renamed 0 103;");
	window_release(&window);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_was_born_lives_on),
		cmocka_unit_test(who_ended_on_another_cpu_does_not),
		cmocka_unit_test(an_end_forgotten_first_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
