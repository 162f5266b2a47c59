/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls by their ends: those of the call stream, and the spans that the first pass has kept,
 * merged.
 *
 * What ended at the same moment (several calls that a longjmp left, or an exit) may have been
 * written in any order, as long ones and short ones come from different logs. It is put in order:
 * inner first.
 */
#include <stdlib.h>
#include <string.h>

#include "model/call.h"
#include "model/internal.h"

/* A call event's duration has 32 bits: one that began before TO_NS ended at most so much later. */
#define CALL_MAX_NS UINT32_MAX

/* Threads looked up last, by the low bits of their tid. */
#define LANES_AT_HAND 64

/* A tid, while it means one thread. */
struct lane {
	uint32_t tid;
	uint32_t index;
	struct thread *thread; /* NULL: not known */
	uint64_t from_ns;      /* it means that thread from then */
	uint64_t to_ns;        /* to then */
	bool is_taken;
	bool has_last;
	uint16_t last_depth; /* of the call that was shown last */
	uint64_t last_start_ns;
};

struct call_reader {
	struct model *model;
	const struct filter *filter;
	bool with_hidden;
	bool takes_all_threads;
	bool *takes_name;
	struct recording_cursor *cursor; /* NULL: no calls, or no more */
	const struct event_call *event;  /* at hand; NULL: none */
	size_t span_at;                  /* the next of model->span_events */
	struct arena arena;
	struct map64 lane_of_tid;
	struct lane *at_hand[LANES_AT_HAND];
	uint32_t lane_count;
	struct call *batch; /* of one end */
	size_t batch_count, batch_capacity;
	size_t batch_at;
};

/* ---- threads ---- */

static struct lane *new_lane(struct call_reader *reader, uint32_t tid)
{
	struct lane *lane = arena_alloc(&reader->arena, sizeof(*lane));

	lane->tid = tid;
	lane->index = reader->lane_count++;
	map64_put(&reader->lane_of_tid, tid, (uintptr_t)lane);
	return lane;
}

/* Finds out which thread the tid means at TIME_NS. */
static struct lane *look_up(struct call_reader *reader, uint32_t tid, uint64_t time_ns)
{
	const uint64_t *known = map64_get(&reader->lane_of_tid, tid);
	struct lane *lane = known ? (struct lane *)(uintptr_t)*known : NULL;
	uint64_t from_ns, to_ns;
	struct thread *thread;

	if (lane && time_ns >= lane->from_ns && time_ns <= lane->to_ns)
		return lane;
	thread = roster_thread_near(reader->model, tid, time_ns, &from_ns, &to_ns);
	if (!lane || lane->thread != thread)
		lane = new_lane(reader, tid);
	lane->thread = thread;
	lane->from_ns = from_ns;
	lane->to_ns = to_ns;
	lane->is_taken = reader->takes_all_threads ||
			 (thread && filter_takes_thread(reader->filter, thread));
	return lane;
}

static struct lane *lane_of(struct call_reader *reader, uint32_t tid, uint64_t time_ns)
{
	struct lane **at_hand = &reader->at_hand[tid % LANES_AT_HAND];
	struct lane *lane = *at_hand;

	if (!lane || lane->tid != tid || time_ns < lane->from_ns || time_ns > lane->to_ns)
		*at_hand = lane = look_up(reader, tid, time_ns);
	return lane;
}

/* ---- the batch ---- */

/* Adds CALL, whose times, tid, name, depth and flags are set, to the batch if it is wanted. */
static void take(struct call_reader *reader, struct call *call)
{
	const struct filter *filter = reader->filter;
	struct lane *lane = lane_of(reader, call->tid, call->end_ns);

	if (!lane->is_taken || call->end_ns < filter->from_ns || call->start_ns > filter->to_ns)
		return;
	call->is_shown = reader->takes_name[call->name] &&
			 (!filter->call_depth || call->depth < filter->call_depth);
	if (!call->is_shown && !reader->with_hidden)
		return;
	call->thread = lane->thread;
	call->lane = lane->index;
	if (call->is_shown) {
		call->has_inner = lane->has_last && lane->last_depth > call->depth &&
				  lane->last_start_ns >= call->start_ns;
		lane->has_last = true;
		lane->last_depth = call->depth;
		lane->last_start_ns = call->start_ns;
	}
	reader->batch[reader->batch_count++] = *call;
}

static void add_span(struct call_reader *reader, const struct event_span *event)
{
	uint64_t end_ns = event->header.time_ns;

	array_reserve((void **)&reader->batch, &reader->batch_capacity, reader->batch_count + 1,
		      sizeof(*reader->batch));
	reader->batch[reader->batch_count++] = (struct call){
		.start_ns = event->start_ns < end_ns ? event->start_ns : end_ns,
		.end_ns = end_ns,
		.tid = event->tid,
		.name = call_name_of_id(reader->model, event->name),
		.depth = event->depth,
		.flags = event->flags,
	};
}

static void add_call(struct call_reader *reader, const struct event_call *event)
{
	uint64_t end_ns = event->header.time_ns;

	array_reserve((void **)&reader->batch, &reader->batch_capacity, reader->batch_count + 1,
		      sizeof(*reader->batch));
	reader->batch[reader->batch_count++] = (struct call){
		.start_ns = event->duration_ns < end_ns ? end_ns - event->duration_ns : 0,
		.end_ns = end_ns,
		.tid = event->tid,
		.name = call_name_of_id(reader->model, event->name),
		.depth = event->depth,
		.flags = event->flags,
	};
}

/* Inner calls of a thread before those around them. */
static int compare_batch(const void *a, const void *b)
{
	const struct call *left = a, *right = b;

	if (left->tid != right->tid)
		return left->tid < right->tid ? -1 : 1;
	if (left->depth != right->depth)
		return left->depth > right->depth ? -1 : 1;
	return left->start_ns < right->start_ns ? -1 : left->start_ns > right->start_ns;
}

/* The next call event at hand. 0, or a negative errno. */
static int advance(struct call_reader *reader)
{
	const struct event_header *event = NULL;
	int more = 1;

	while (more > 0 && (!event || event->kind != EVENT_CALL))
		more = recording_cursor_next(reader->cursor, &event);
	reader->event = more > 0 ? (const struct event_call *)event : NULL;
	if (more == 0) {
		recording_cursor_free(reader->cursor);
		reader->cursor = NULL;
	}
	return more < 0 ? more : 0;
}

/* All that ended when the next one did: sets *RET_END_NS. 1, 0 at the end, or a negative errno. */
static int gather(struct call_reader *reader)
{
	const struct model *model = reader->model;
	const struct event_span *span = reader->span_at < model->span_event_count
						? &model->span_events[reader->span_at]
						: NULL;
	uint64_t end_ns;
	int err = 0;

	reader->batch_count = 0;
	if (!span && !reader->event)
		return 0;
	end_ns = span ? span->header.time_ns : UINT64_MAX;
	if (reader->event && reader->event->header.time_ns < end_ns)
		end_ns = reader->event->header.time_ns;
	while (!err && reader->event && reader->event->header.time_ns == end_ns) {
		add_call(reader, reader->event);
		err = advance(reader);
	}
	while (reader->span_at < model->span_event_count &&
	       model->span_events[reader->span_at].header.time_ns == end_ns)
		add_span(reader, &model->span_events[reader->span_at++]);
	return err ? err : 1;
}

/* Puts the batch in order and keeps what is wanted. */
static void settle(struct call_reader *reader)
{
	size_t count = reader->batch_count;

	if (count > 1)
		qsort(reader->batch, count, sizeof(*reader->batch), compare_batch);
	reader->batch_count = reader->batch_at = 0;
	for (size_t i = 0; i < count; i++)
		take(reader, &reader->batch[i]);
}

int call_reader_next(struct call_reader *reader, const struct call **ret)
{
	while (reader->batch_at == reader->batch_count) {
		int more = gather(reader);

		if (more <= 0)
			return more;
		settle(reader);
	}
	*ret = &reader->batch[reader->batch_at++];
	return 1;
}

/* ---- the whole ---- */

static int open_cursor(struct call_reader *reader)
{
	const struct filter *filter = reader->filter;
	struct recording *recording = reader->model->recording;
	struct recording_range range = {
		.streams = STREAM_BIT(STREAM_CALL),
		.from_ns = filter->from_ns,
		.to_ns = filter->to_ns < UINT64_MAX - CALL_MAX_NS ? filter->to_ns + CALL_MAX_NS
								  : UINT64_MAX,
	};
	int err;

	if (!recording_info(recording)->event_count[EVENT_CALL])
		return 0;
	err = recording_cursor_new(&reader->cursor, recording, &range);
	return err ? err : advance(reader);
}

int call_reader_new(struct call_reader **ret, struct model *model, const struct filter *filter,
		    bool with_hidden)
{
	struct call_reader *reader = xcalloc(1, sizeof(*reader));
	int err;

	reader->model = model;
	reader->filter = filter;
	reader->with_hidden = with_hidden;
	reader->takes_all_threads = !filter_limits_threads(filter);
	reader->takes_name = xcalloc(model->names.count, sizeof(bool));
	for (size_t i = 0; i < model->names.count; i++)
		reader->takes_name[i] = call_name_is_taken(filter, &model->names.items[i]);
	err = open_cursor(reader);
	if (err) {
		call_reader_free(reader);
		return err;
	}
	*ret = reader;
	return 0;
}

void call_reader_free(struct call_reader *reader)
{
	if (!reader)
		return;
	recording_cursor_free(reader->cursor);
	arena_release(&reader->arena);
	map64_release(&reader->lane_of_tid);
	free(reader->takes_name);
	free(reader->batch);
	free(reader);
}

/* ---- of one call ---- */

uint64_t call_inside_ns(const struct call *call, const struct filter *filter)
{
	uint64_t from_ns = call->start_ns, to_ns = call->end_ns;

	if (from_ns < filter->from_ns)
		from_ns = filter->from_ns;
	if (to_ns > filter->to_ns)
		to_ns = filter->to_ns;
	return to_ns > from_ns ? to_ns - from_ns : 0;
}

const char *call_end_word(const struct call *call)
{
	if (call->flags & EVENT_SPAN_EXEC)
		return "exec";
	if (call->flags & EVENT_SPAN_OPEN)
		return "unfinished";
	if (call->flags & EVENT_SPAN_BROKEN)
		return "inferred";
	return "";
}
