/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "base/error.h"
#include "model/timeline.h"

/* A thread's first wake-up and its fork event are not farther apart than this. */
#define BIRTH_SLACK_NS UINT64_C(1000000)

static struct thread *next_thread(struct timeline *timeline, uint32_t tid, uint64_t start_ns,
				  bool was_born_here)
{
	struct roster *roster = &timeline->model->roster;

	if (timeline->is_first)
		return roster_add_thread(timeline->model, tid, start_ns, was_born_here);
	if (timeline->lane_count < roster->thread_count)
		return roster->threads[timeline->lane_count];
	timeline->err = fail(-ESTALE, "the recording has changed since it was first read");
	return roster->threads[0];
}

static struct lane *add_lane(struct timeline *timeline, uint32_t tid, uint64_t start_ns,
			     bool was_born_here, enum lane_state state)
{
	struct lane *lane = arena_alloc(&timeline->arena, sizeof(*lane));

	lane->thread = next_thread(timeline, tid, start_ns, was_born_here);
	lane->tid = tid;
	lane->state = state;
	lane->since_ns = lane->told_ns = start_ns;
	lane->early_ns = lane->exit_ns = MODEL_TIME_UNKNOWN;
	array_reserve((void **)&timeline->lanes, &timeline->lane_capacity, timeline->lane_count + 1,
		      sizeof(struct lane *));
	timeline->lanes[timeline->lane_count++] = lane;
	map64_put(&timeline->lane_of_tid, tid, (uintptr_t)lane);
	return lane;
}

static struct lane *find(const struct timeline *timeline, uint32_t tid)
{
	const uint64_t *place = map64_get(&timeline->lane_of_tid, tid);

	return place ? (struct lane *)(uintptr_t)*place : NULL;
}

/* ---- threads that were there before ---- */

static struct lane *add_from_row(struct timeline *timeline, size_t i, uint64_t before_ns)
{
	const struct event_thread *row = timeline->model->tables.rows[i].event;
	uint64_t start_ns = row->start_ns;
	struct lane *lane;

	start_ns = start_ns < before_ns ? start_ns : before_ns;
	start_ns = start_ns > timeline->model->start_ns ? start_ns : timeline->model->start_ns;
	lane = add_lane(timeline, row->tid, start_ns, false, LANE_UNSEEN);
	lane->pid = row->pid;
	timeline->row_used[i] = true;
	if (timeline->is_first)
		roster_row(timeline->model, lane->thread, row);
	return lane;
}

/* A row may be of a birth that the recording holds too: then it waits until the tid is met. */
static bool is_from_before(const struct timeline *timeline, const struct event_thread *row)
{
	return row->start_ns + THREAD_START_GRAIN_NS <= timeline->model->start_ns;
}

/* The first row of TID that is not used, and born near BIRTH_NS unless that is unknown. */
static uint32_t find_row(const struct timeline *timeline, uint32_t tid, uint64_t birth_ns)
{
	const struct tables *tables = &timeline->model->tables;
	const uint64_t *newest = map64_get(&tables->row_of_tid, tid);
	uint32_t found = MODEL_NONE;

	for (uint32_t i = newest ? (uint32_t)*newest : MODEL_NONE; i != MODEL_NONE;
	     i = tables->rows[i].older) {
		uint64_t start_ns = tables->rows[i].event->start_ns;

		if (timeline->row_used[i])
			continue;
		if (birth_ns == MODEL_TIME_UNKNOWN ||
		    (start_ns <= birth_ns + THREAD_START_GRAIN_NS &&
		     birth_ns <= start_ns + 2 * THREAD_START_GRAIN_NS))
			found = i;
	}
	return found;
}

void identity_init(struct timeline *timeline)
{
	const struct tables *tables = &timeline->model->tables;

	timeline->row_used = xcalloc(tables->row_count + 1, sizeof(bool));
	timeline->idle = add_lane(timeline, 0, timeline->model->start_ns, false, LANE_ON_CPU);
	/* of several with one tid from before, only the youngest was still alive */
	for (size_t i = tables->row_count; i-- > 0;) {
		uint32_t older = tables->rows[i].older;

		if (older != MODEL_NONE && is_from_before(timeline, tables->rows[i].event))
			timeline->row_used[older] = true;
	}
	for (size_t i = 0; i < tables->row_count; i++) {
		if (!timeline->row_used[i] && is_from_before(timeline, tables->rows[i].event))
			add_from_row(timeline, i, timeline->model->start_ns);
	}
}

void identity_add_unmet(struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->model->tables.row_count; i++) {
		if (!timeline->row_used[i])
			add_from_row(timeline, i, timeline->model->end_ns);
	}
}

/* ---- births and deaths ---- */

void identity_end(struct timeline *timeline, struct lane *lane, uint64_t time_ns)
{
	lane->state = LANE_ENDED;
	if (timeline->is_first)
		roster_end_thread(timeline->model, lane->thread,
				  time_ns > lane->told_ns ? time_ns : lane->told_ns);
}

/* Its tid is another thread's now, and its last switch-out was not seen. */
static void vanish(struct timeline *timeline, struct lane *lane, uint64_t time_ns)
{
	uint64_t end_ns = time_ns;

	if (lane->state == LANE_ON_CPU)
		timeline_evict(timeline, lane);
	lane_settle_evidence(timeline, lane);
	lane_flush(timeline, lane);
	if (lane_is_waiting(lane))
		lane_wait_lost(timeline, lane, lane_certain_until(timeline, lane, time_ns));
	if (lane->exit_ns != MODEL_TIME_UNKNOWN)
		end_ns = lane->exit_ns;
	identity_end(timeline, lane, end_ns);
}

static struct lane *add_newborn(struct timeline *timeline, uint32_t tid, uint64_t time_ns)
{
	struct lane *lane = add_lane(timeline, tid, time_ns, true, LANE_UNSEEN);

	lane_wait_begin(lane, time_ns, 0, 0, EVENT_NO_SYSCALL);
	lane->is_newborn = true;
	return lane;
}

static struct lane *add_met(struct timeline *timeline, uint32_t tid, bool is_reused,
			    uint64_t time_ns)
{
	uint32_t row = find_row(timeline, tid, MODEL_TIME_UNKNOWN);
	uint64_t doubt_ns = tables_doubt_from(&timeline->model->tables, 0);

	if (row != MODEL_NONE)
		return add_from_row(timeline, row, time_ns);
	/* No birth was recorded, so it was there from the start; unless its birth may be lost. */
	if (is_reused || doubt_ns < time_ns)
		return add_lane(timeline, tid, time_ns, false, LANE_UNKNOWN);
	return add_lane(timeline, tid, timeline->model->start_ns, false, LANE_UNSEEN);
}

struct lane *identity_lane(struct timeline *timeline, uint32_t tid, uint64_t time_ns)
{
	struct lane *lane = find(timeline, tid);

	if (lane && lane->state != LANE_ENDED)
		return lane;
	return add_met(timeline, tid, lane, time_ns);
}

static void learn_pid(struct timeline *timeline, struct lane *lane, uint32_t pid)
{
	if (lane->pid || !pid || lane == timeline->idle)
		return;
	lane->pid = pid;
	if (timeline->is_first)
		roster_learn_pid(timeline->model, lane->thread, pid);
}

struct lane *identity_lane_of(struct timeline *timeline, uint32_t tid, uint32_t pid,
			      uint64_t time_ns)
{
	struct lane *lane = find(timeline, tid);

	if (!lane)
		lane = add_met(timeline, tid, false, time_ns);
	learn_pid(timeline, lane, pid);
	return lane;
}

struct lane *identity_lane_woken(struct timeline *timeline, uint32_t tid, bool is_new,
				 uint64_t time_ns)
{
	struct lane *lane = find(timeline, tid);
	uint32_t row;

	if (!is_new)
		return identity_lane(timeline, tid, time_ns);
	if (lane && lane->state != LANE_ENDED) {
		if (lane->is_newborn)
			return lane;
		vanish(timeline, lane, time_ns);
	}
	lane = add_newborn(timeline, tid, time_ns);
	row = find_row(timeline, tid, time_ns);
	if (row == MODEL_NONE)
		return lane;
	timeline->row_used[row] = true;
	learn_pid(timeline, lane, timeline->model->tables.rows[row].event->pid);
	if (timeline->is_first)
		roster_row(timeline->model, lane->thread, timeline->model->tables.rows[row].event);
	return lane;
}

/* ---- events about identity ---- */

void identity_fork(struct timeline *timeline, const struct event_fork *event, uint64_t time_ns)
{
	struct model *model = timeline->model;
	struct lane *parent =
		identity_lane_of(timeline, event->parent_tid, event->parent_pid, time_ns);
	struct lane *lane = find(timeline, event->tid);
	uint32_t row = find_row(timeline, event->tid, time_ns);

	if (event->tid == 0)
		return;
	/* the first wake-up may have come a little before */
	if (lane && lane->state != LANE_ENDED &&
	    (lane->is_forked || !lane->thread->was_born_here ||
	     lane->thread->start_ns + BIRTH_SLACK_NS < time_ns)) {
		vanish(timeline, lane, time_ns);
		lane = NULL;
	}
	if (!lane || lane->state == LANE_ENDED)
		lane = add_newborn(timeline, event->tid, time_ns);
	lane->is_forked = true;
	lane->pid = event->pid;
	if (row != MODEL_NONE)
		timeline->row_used[row] = true;
	if (!timeline->is_first)
		return;
	if (row != MODEL_NONE)
		roster_row(model, lane->thread, model->tables.rows[row].event);
	roster_fork(model, lane->thread, parent->thread, event);
}

/* The lane gets the tid of another, which is gone. */
static void take_tid(struct timeline *timeline, struct lane *lane, uint32_t tid, uint64_t time_ns)
{
	struct lane *leader = find(timeline, tid);

	if (leader && leader->state != LANE_ENDED)
		vanish(timeline, leader, time_ns);
	if (timeline->is_first)
		roster_change_tid(timeline->model, lane->thread, tid, time_ns);
	map64_remove(&timeline->lane_of_tid, lane->tid);
	map64_put(&timeline->lane_of_tid, tid, (uintptr_t)lane);
	lane->tid = tid;
}

struct lane *identity_lane_leaving(struct timeline *timeline, struct lane *current, uint32_t tid,
				   uint64_t time_ns)
{
	const struct lane *leader;

	if (current && current->tid == tid)
		return current;
	leader = find(timeline, tid);
	if (current && leader && leader->state == LANE_ENDED && current->pid == tid &&
	    leader->pid == tid) {
		take_tid(timeline, current, tid, time_ns);
		return current;
	}
	return identity_lane(timeline, tid, time_ns);
}

void identity_exec(struct timeline *timeline, const struct event_exec *event, uint64_t time_ns)
{
	struct lane *lane = find(timeline, event->old_tid);

	if (event->tid == 0)
		return;
	if (event->old_tid && event->old_tid != event->tid && lane && lane->state != LANE_ENDED)
		take_tid(timeline, lane, event->tid, time_ns);
	lane = identity_lane_of(timeline, event->tid, event->pid, time_ns);
	if (timeline->is_first)
		roster_exec(timeline->model, lane->thread, event);
}

void identity_exit(struct timeline *timeline, const struct event_exit *event, uint64_t time_ns)
{
	struct lane *lane = identity_lane_of(timeline, event->tid, event->pid, time_ns);

	if (lane == timeline->idle)
		return;
	lane->exit_ns = time_ns;
	if (timeline->is_first)
		roster_exit(lane->thread, event);
}

void identity_rename(struct timeline *timeline, const struct event_rename *event, uint64_t time_ns)
{
	struct lane *lane = identity_lane_of(timeline, event->tid, event->pid, time_ns);

	if (timeline->is_first && lane != timeline->idle)
		roster_rename(timeline->model, lane->thread, event);
}
