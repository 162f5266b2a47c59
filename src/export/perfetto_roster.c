/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the model does not hand out: modules, and who is alive where the trace begins. That is who
 * was at the recording's start, and with a range of time what has become of them until it begins.
 */
#include "export/perfetto.h"

#include <stddef.h>

static struct event_thread *roster_find(struct perfetto *perfetto, uint32_t tid)
{
	uint64_t *at = map64_get(&perfetto->roster_at, tid);

	return at ? perfetto->roster[*at] : NULL;
}

/* Takes a thread, in place of an earlier one with its tid. THREAD is in the arena. */
static void roster_put(struct perfetto *perfetto, struct event_thread *thread)
{
	uint64_t *at = map64_get(&perfetto->roster_at, thread->tid);

	if (at) {
		perfetto->roster[*at] = thread;
		return;
	}
	array_reserve((void **)&perfetto->roster, &perfetto->roster_capacity,
		      perfetto->roster_count + 1, sizeof(*perfetto->roster));
	map64_put(&perfetto->roster_at, thread->tid, perfetto->roster_count);
	perfetto->roster[perfetto->roster_count++] = thread;
}

/* A copy of THREAD with another command line. */
static struct event_thread *with_cmdline(struct perfetto *perfetto,
					 const struct event_thread *thread, const char *cmdline)
{
	size_t size = sizeof(*thread) + strlen(cmdline) + 1;
	struct event_thread *copy = arena_alloc(&perfetto->arena, size);

	memcpy(copy, thread, sizeof(*thread));
	memcpy(copy->cmdline, cmdline, strlen(cmdline) + 1);
	return copy;
}

/* A new process has the command line of its parent until it begins another program. */
static void take_fork(struct perfetto *perfetto, const struct event_fork *fork)
{
	bool is_process = fork->pid != fork->parent_pid;
	const struct event_thread *parent = roster_find(perfetto, fork->parent_pid);
	struct event_thread child = {
		.tid = fork->tid,
		.pid = fork->pid,
		.ppid = is_process ? fork->parent_pid
			: parent   ? parent->ppid
				   : 0,
		.uid = parent ? parent->uid : UINT32_MAX,
		.start_ns = fork->header.time_ns,
		.flags = parent ? parent->flags : 0,
	};

	memcpy(child.comm, fork->comm, sizeof(child.comm));
	roster_put(perfetto,
		   with_cmdline(perfetto, &child, is_process && parent ? parent->cmdline : ""));
}

static void take_exec(struct perfetto *perfetto, const struct event_exec *exec)
{
	struct event_thread *thread = roster_find(perfetto, exec->pid);

	if (!thread)
		return;
	thread = with_cmdline(perfetto, thread, exec->cmdline);
	memcpy(thread->comm, exec->comm, sizeof(thread->comm));
	roster_put(perfetto, thread);
}

static void take_life_event(struct perfetto *perfetto, const struct event_header *event)
{
	switch (event->kind) {
	case EVENT_FORK:
		take_fork(perfetto, (const struct event_fork *)event);
		break;
	case EVENT_EXEC:
		take_exec(perfetto, (const struct event_exec *)event);
		break;
	case EVENT_RENAME: {
		const struct event_rename *rename = (const struct event_rename *)event;
		struct event_thread *thread = roster_find(perfetto, rename->tid);

		if (thread)
			memcpy(thread->comm, rename->comm, sizeof(thread->comm));
		break;
	}
	case EVENT_EXIT: {
		uint64_t *at =
			map64_get(&perfetto->roster_at, ((const struct event_exit *)event)->tid);

		if (at)
			perfetto->roster[*at] = NULL;
		break;
	}
	}
}

static void take_table_event(struct perfetto *perfetto, const struct event_header *event)
{
	if (event->kind == EVENT_MODULE) {
		struct event_module *module = arena_copy(&perfetto->arena, event, event->size);

		map64_put(&perfetto->modules, module->module, (uintptr_t)module);
	} else if (event->kind == EVENT_THREAD) {
		roster_put(perfetto, arena_copy(&perfetto->arena, event, event->size));
	}
}

static int read_events(struct perfetto *perfetto, const struct recording_range *range,
		       void (*take)(struct perfetto *perfetto, const struct event_header *event))
{
	struct recording_cursor *cursor;
	const struct event_header *event;
	int err;

	err = recording_cursor_new(&cursor, model_recording(perfetto->model), range);
	if (err)
		return err;
	while ((err = recording_cursor_next(cursor, &event)) == 1)
		take(perfetto, event);
	recording_cursor_free(cursor);
	return err;
}

int perfetto_read_roster(struct perfetto *perfetto)
{
	uint64_t from_ns = perfetto->selection.from_ns;
	struct recording_range tables = {.streams = STREAM_BIT(STREAM_TABLE), .to_ns = UINT64_MAX};
	struct recording_range before = {.streams = STREAM_BIT(STREAM_EVIDENCE)};
	int err = read_events(perfetto, &tables, take_table_event);

	if (err || from_ns == 0)
		return err;
	before.to_ns = from_ns - 1;
	return read_events(perfetto, &before, take_life_event);
}
