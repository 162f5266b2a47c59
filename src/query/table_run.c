/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run: each time a thread was on a CPU. There are as many as switches, so they are not kept: a
 * replay is taken step by step, and the few runs that a step tells wait here for the statement.
 */
#include <errno.h>
#include <stdlib.h>

#include "query/internal.h"

/* Look whether the user wants to stop after this many events that gave no row. */
#define STEPS_BETWEEN_CHECKS 65536

struct run_row {
	struct thread *thread;
	uint16_t cpu;
	uint16_t end_state;
	uint8_t flags;
	bool is_cut;
	uint64_t from_ns;
	uint64_t to_ns;
	uint64_t inside_ns;
};

struct run_cursor {
	struct vtab_cursor base;
	struct model_player *player;
	struct run_row *rows;
	size_t count;
	size_t capacity;
	size_t at; /* the next row */
	bool is_over;
};

static void take_run(void *context, struct thread *thread, uint16_t cpu, uint64_t from_ns,
		     uint64_t to_ns, uint16_t end_state, uint8_t flags, bool is_cut)
{
	struct run_cursor *cursor = context;
	const struct query *query = cursor->base.query;

	if (!query_takes_thread(query, thread) || !query_takes_time(query, from_ns, to_ns))
		return;
	array_reserve((void **)&cursor->rows, &cursor->capacity, cursor->count + 1,
		      sizeof(*cursor->rows));
	cursor->rows[cursor->count++] = (struct run_row){
		.thread = thread,
		.cpu = cpu,
		.end_state = end_state,
		.flags = flags,
		.is_cut = is_cut,
		.from_ns = from_ns,
		.to_ns = to_ns,
		.inside_ns = query_inside_ns(query, from_ns, to_ns),
	};
}

static void run_stop(struct vtab_cursor *base)
{
	struct run_cursor *cursor = (struct run_cursor *)base;

	model_player_free(cursor->player);
	cursor->player = NULL;
	free(cursor->rows);
	cursor->rows = NULL;
	cursor->count = cursor->capacity = cursor->at = 0;
	cursor->is_over = false;
}

static int run_start(struct vtab_cursor *base, const struct vtab_scan *scan)
{
	struct run_cursor *cursor = (struct run_cursor *)base;
	struct model_listener listener = {.context = cursor, .run = take_run};

	(void)scan;
	run_stop(base);
	return model_player_new(&cursor->player, base->query->model, 0, UINT64_MAX, &listener);
}

static int run_next(struct vtab_cursor *base)
{
	struct run_cursor *cursor = (struct run_cursor *)base;
	uint64_t steps = 0;

	while (cursor->at == cursor->count) {
		int more;

		if (cursor->is_over)
			return 0;
		cursor->at = cursor->count = 0;
		more = model_player_step(cursor->player);
		if (more < 0)
			return more;
		cursor->is_over = more == 0;
		if (++steps % STEPS_BETWEEN_CHECKS == 0 && query_wants_stop(base->query))
			return -ECANCELED;
	}
	base->row = &cursor->rows[cursor->at++];
	return 1;
}

static uint64_t run_estimate(struct query *query, const struct vtab *table)
{
	(void)table;
	return recording_info(model_recording(query->model))->event_count[EVENT_SWITCH];
}

static void get_ran(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct run_row *row = cursor->row;

	sqlite3_result_int64(out, (int64_t)(row->to_ns - row->from_ns));
}

static void get_end_state_text(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct run_row *row = cursor->row;

	if (!row->is_cut)
		vtab_result_text(out, state_word(row->end_state));
}

#define RUN(member, help) VTAB_MEMBER(VTAB_NUMBER, #member, struct run_row, member, 0, help)
#define OF_THREAD(type, name, member, help)                                                        \
	VTAB_BEHIND(type, name, struct run_row, thread, struct thread, member, help)

static const struct vtab_column run_columns[] = {
	OF_THREAD(VTAB_NUMBER, "tid", tid, "the thread; 0 is the idle task"),
	OF_THREAD(VTAB_TEXT, "comm", comm, "its name"),
	VTAB_PROCESS(VTAB_KNOWN, "pid", struct run_row, thread, pid, "its process"),
	RUN(cpu, "the CPU"),
	RUN(from_ns, "when it took the CPU"),
	RUN(to_ns, "when it left it"),
	VTAB_COMPUTED("ran_ns", get_ran, 0, "the time between"),
	RUN(inside_ns, "how much of it lies inside --from and --to"),
	RUN(end_state, "its state when it left; 0 is runnable: preempted or yielded"),
	VTAB_COMPUTED("end_state_text", get_end_state_text, 0, "the state as a word"),
	RUN(flags, "1 it had called sched_yield, 2 its CPU quota was spent"),
	RUN(is_cut,
	    "1: its true beginning or end is not known: events were lost, or the recording ends"),
	OF_THREAD(VTAB_NUMBER, "thread_id", index, "number of the thread, as in the table thread"),
};

const struct vtab vtab_run = {
	.name = "run",
	.says = "each time a thread was on a CPU, in the order of the ends",
	.columns = run_columns,
	.column_count = ARRAY_SIZE(run_columns),
	.cursor_bytes = sizeof(struct run_cursor),
	.estimate = run_estimate,
	.start = run_start,
	.next = run_next,
	.stop = run_stop,
};
