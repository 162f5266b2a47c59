/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/perfetto_bundle.h"

#include <string.h>

#include "export/proto.h"

#define CLONE_THREAD_FLAG                                                                          \
	0x10000 /* of clone(2): the new task is a thread of its parent's process */

uint32_t bundle_name(struct bundle_names *names, const char *text)
{
	char key[17] = {0};
	uint64_t *known;
	uint64_t hash;

	memcpy(key, text, strnlen(text, sizeof(key) - 1));
	hash = hash_bytes(key, sizeof(key));
	known = map64_get(&names->by_hash, hash);
	if (known)
		return (uint32_t)*known;
	array_reserve((void **)&names->names, &names->capacity, names->count + 1,
		      sizeof(*names->names));
	names->names[names->count] = (struct bundle_name){0};
	memcpy(names->names[names->count].text, key, sizeof(key));
	map64_put(&names->by_hash, hash, names->count);
	return (uint32_t)names->count++;
}

void bundle_names_release(struct bundle_names *names)
{
	map64_release(&names->by_hash);
	free(names->names);
	free(names->columns);
	*names = (struct bundle_names){0};
}

/* The columns of CompactSched, encoded side by side: packed arrays of varints. */
enum {
	SWITCH_TIME = 1,
	SWITCH_PREV_STATE = 2,
	SWITCH_NEXT_PID = 3,
	SWITCH_NEXT_PRIO = 4,
	SWITCH_NEXT_NAME = 6,
	WAKING_TIME = 7,
	WAKING_PID = 8,
	WAKING_TARGET_CPU = 9,
	WAKING_PRIO = 10,
	WAKING_NAME = 11,
	WAKING_COMMON_FLAGS = 12,
	COMPACT_COLUMNS = 13,
};

struct bundle_column {
	uint8_t bytes[BUNDLE_ROWS_MAX * PROTO_VARINT_MAX];
	uint8_t *end;
};

static inline void column_put(struct bundle_column *column, uint64_t value)
{
	column->end = proto_put_varint(column->end, value);
}

/* The index of a name in this bundle's list; it is added if it is not there. */
static uint32_t name_index(struct bundle_names *names, uint32_t name, uint32_t *count,
			   struct buffer *out)
{
	struct bundle_name *entry = &names->names[name];

	if (entry->bundle != names->bundle) {
		entry->bundle = names->bundle;
		entry->index = (*count)++;
		proto_text(out, 5, entry->text); /* intern_table */
	}
	return entry->index;
}

static void fill_switches(const struct bundle *bundle, struct bundle_names *names,
			  struct bundle_column *columns, uint32_t *name_count, struct buffer *out)
{
	uint64_t before_ns = 0;

	for (uint32_t i = 0; i < bundle->switch_count; i++) {
		const struct bundle_switch *row = &bundle->switches[i];

		column_put(&columns[SWITCH_TIME], row->time_ns - before_ns);
		column_put(&columns[SWITCH_PREV_STATE], row->prev_state);
		column_put(&columns[SWITCH_NEXT_PID], row->next_tid);
		column_put(&columns[SWITCH_NEXT_PRIO], row->next_prio);
		column_put(&columns[SWITCH_NEXT_NAME],
			   name_index(names, row->next_name, name_count, out));
		before_ns = row->time_ns;
	}
}

static void fill_wakings(const struct bundle *bundle, struct bundle_names *names,
			 struct bundle_column *columns, uint32_t *name_count, struct buffer *out)
{
	uint64_t before_ns = 0;

	for (uint32_t i = 0; i < bundle->waking_count; i++) {
		const struct bundle_waking *row = &bundle->wakings[i];

		column_put(&columns[WAKING_TIME], row->time_ns - before_ns);
		column_put(&columns[WAKING_PID], row->tid);
		column_put(&columns[WAKING_TARGET_CPU], row->target_cpu);
		column_put(&columns[WAKING_PRIO], row->prio);
		column_put(&columns[WAKING_NAME], name_index(names, row->name, name_count, out));
		column_put(&columns[WAKING_COMMON_FLAGS], row->common_flags);
		before_ns = row->time_ns;
	}
}

static void encode_compact(const struct bundle *bundle, struct bundle_names *names,
			   struct buffer *out)
{
	size_t compact = proto_open(out, 4); /* compact_sched */
	struct bundle_column *columns;
	uint32_t name_count = 0;

	if (!names->columns)
		names->columns = xmalloc(COMPACT_COLUMNS * sizeof(*columns));
	columns = names->columns;
	names->bundle++;
	for (unsigned int i = 0; i < COMPACT_COLUMNS; i++)
		columns[i].end = columns[i].bytes;
	fill_switches(bundle, names, columns, &name_count, out);
	fill_wakings(bundle, names, columns, &name_count, out);
	for (unsigned int i = 0; i < COMPACT_COLUMNS; i++) {
		if (columns[i].end > columns[i].bytes)
			proto_bytes(out, i, columns[i].bytes,
				    (size_t)(columns[i].end - columns[i].bytes));
	}
	proto_close(out, compact);
}

void bundle_encode(struct bundle *bundle, uint16_t cpu, struct bundle_names *names, uint32_t field,
		   struct buffer *out)
{
	size_t at = proto_open(out, field);

	proto_uint(out, 1, cpu);
	if (bundle->has_lost_events)
		proto_uint(out, 3, 1); /* lost_events */
	if (bundle->switch_count || bundle->waking_count)
		encode_compact(bundle, names, out);
	if (bundle->events.size > 0)
		buffer_add(out, bundle->events.data, bundle->events.size);
	proto_close(out, at);
	bundle->switch_count = bundle->waking_count = 0;
	bundle->has_lost_events = false;
	buffer_clear(&bundle->events);
}

void bundle_release(struct bundle *bundle)
{
	buffer_release(&bundle->events);
}

/* ---- events in full ---- */

/* An FtraceEvent and the message inside it: field numbers of FtraceEvent. */
enum ftrace_event {
	FTRACE_SCHED_SWITCH = 4,
	FTRACE_SCHED_BLOCKED_REASON = 18,
	FTRACE_SCHED_WAKING = 20,
	FTRACE_SCHED_WAKEUP_NEW = 114,
	FTRACE_TASK_NEWTASK = 235,
	FTRACE_TASK_RENAME = 236,
	FTRACE_SCHED_PROCESS_FREE = 240,
};

struct open_event {
	size_t event;
	size_t payload;
};

/* The order of time, pid and payload is what readers have a fast path for. */
static struct open_event event_begin(struct bundle *bundle, uint64_t time_ns, uint32_t emitter_tid,
				     enum ftrace_event kind)
{
	struct open_event open = {.event = proto_open(&bundle->events, 2)}; /* event */

	proto_uint(&bundle->events, 1, time_ns);     /* timestamp */
	proto_uint(&bundle->events, 2, emitter_tid); /* pid */
	open.payload = proto_open(&bundle->events, kind);
	return open;
}

static void event_end(struct bundle *bundle, struct open_event open)
{
	proto_close(&bundle->events, open.payload);
	proto_close(&bundle->events, open.event);
}

void bundle_add_switch(struct bundle *bundle, uint64_t time_ns, const struct bundle_task *prev,
		       uint16_t prev_state, const struct bundle_task *next)
{
	struct open_event open = event_begin(bundle, time_ns, prev->tid, FTRACE_SCHED_SWITCH);

	proto_text(&bundle->events, 1, prev->name); /* prev_comm */
	proto_uint(&bundle->events, 2, prev->tid);
	proto_uint(&bundle->events, 3, prev->prio);
	proto_uint(&bundle->events, 4, prev_state);
	proto_text(&bundle->events, 5, next->name); /* next_comm */
	proto_uint(&bundle->events, 6, next->tid);
	proto_uint(&bundle->events, 7, next->prio);
	event_end(bundle, open);
}

void bundle_add_waking(struct bundle *bundle, uint64_t time_ns, uint32_t emitter_tid,
		       const struct bundle_task *wakee, uint16_t target_cpu, bool is_newborn)
{
	struct open_event open =
		event_begin(bundle, time_ns, emitter_tid,
			    is_newborn ? FTRACE_SCHED_WAKEUP_NEW : FTRACE_SCHED_WAKING);

	proto_text(&bundle->events, 1, wakee->name); /* comm */
	proto_uint(&bundle->events, 2, wakee->tid);
	proto_uint(&bundle->events, 3, wakee->prio);
	proto_uint(&bundle->events, 5, target_cpu);
	event_end(bundle, open);
}

void bundle_add_birth(struct bundle *bundle, uint64_t time_ns, uint32_t emitter_tid, uint32_t tid,
		      const char *name, bool is_thread)
{
	struct open_event open = event_begin(bundle, time_ns, emitter_tid, FTRACE_TASK_NEWTASK);

	proto_uint(&bundle->events, 1, tid);
	proto_text(&bundle->events, 2, name);                              /* comm */
	proto_uint(&bundle->events, 3, is_thread ? CLONE_THREAD_FLAG : 0); /* clone_flags */
	event_end(bundle, open);
}

void bundle_add_rename(struct bundle *bundle, uint64_t time_ns, uint32_t tid, const char *old_name,
		       const char *new_name)
{
	struct open_event open = event_begin(bundle, time_ns, tid, FTRACE_TASK_RENAME);

	proto_uint(&bundle->events, 1, tid);
	proto_text(&bundle->events, 2, old_name);
	proto_text(&bundle->events, 3, new_name);
	event_end(bundle, open);
}

void bundle_add_end(struct bundle *bundle, uint64_t time_ns, const struct bundle_task *task)
{
	struct open_event open = event_begin(bundle, time_ns, task->tid, FTRACE_SCHED_PROCESS_FREE);

	proto_text(&bundle->events, 1, task->name);
	proto_uint(&bundle->events, 2, task->tid);
	proto_uint(&bundle->events, 3, task->prio);
	event_end(bundle, open);
}

void bundle_add_blocked_reason(struct bundle *bundle, uint64_t time_ns, uint32_t tid,
			       uint64_t function_iid)
{
	struct open_event open = event_begin(bundle, time_ns, tid, FTRACE_SCHED_BLOCKED_REASON);

	proto_uint(&bundle->events, 1, tid);
	proto_uint(&bundle->events, 2, function_iid); /* caller */
	event_end(bundle, open);
}
