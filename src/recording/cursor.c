/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading in the order of time: one run of chunks per stream and CPU, merged by a heap.
 *
 * Within a run events may be out of order by a little, also across the end of a chunk. A run sorts
 * what it has decoded and holds back events that are younger than the oldest event of its chunks to
 * come, so what it hands out is in order. What it may hold back is limited; an event that then
 * comes too late is dropped and counted, so that time never goes backwards for who reads.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "event/schema.h"
#include "recording/chunk.h"

#define HELD_BACK_MAX (16u << 20) /* bytes of events that one run may hold back */
#define LOADED_MAX    (1u << 30)  /* bytes of decoded events in one cursor */

struct run_chunk {
	const struct chunk *chunk;
	uint64_t rest_from_ns; /* the earliest event of this chunk and those behind it */
};

struct run {
	uint16_t stream;
	uint16_t cpu;
	uint64_t time_ns; /* of the event at hand */
	struct run_chunk *chunks;
	size_t chunk_count;
	size_t chunk_capacity;
	size_t next_chunk;
	struct buffer events; /* decoded */
	struct buffer spare;
	uint32_t *order; /* offsets in events, in the order of handing out */
	size_t order_count;
	size_t order_capacity;
	size_t at;    /* in order: the event at hand */
	size_t limit; /* in order: from here on events are held back */
};

struct recording_cursor {
	const struct recording *recording;
	struct recording_range range;
	struct chunk_loader loader;
	struct run **heap;
	size_t heap_count;
	size_t heap_capacity;
	uint64_t loaded_bytes;
	uint64_t last_ns; /* of the event handed out last */
	bool is_handed;   /* the top of the heap was handed out: go on from there */
	uint64_t damaged;
};

static const struct event_header *event_at(const struct run *run, size_t at)
{
	return (const void *)(run->events.data + run->order[at]);
}

static void run_free(struct run *run)
{
	free(run->chunks);
	buffer_release(&run->events);
	buffer_release(&run->spare);
	free(run->order);
	free(run);
}

/* ---- a run: decoding and putting in order ---- */

/* Keeps only the events that were not handed out, at the front. */
static void keep_rest(struct run *run)
{
	struct buffer swap;

	buffer_clear(&run->spare);
	for (size_t i = run->at; i < run->order_count; i++) {
		const struct event_header *event = event_at(run, i);

		run->order[i - run->at] = (uint32_t)run->spare.size;
		buffer_add(&run->spare, event, event->size);
	}
	run->order_count -= run->at;
	run->at = 0;
	swap = run->events;
	run->events = run->spare;
	run->spare = swap;
}

static bool is_wanted(const struct recording_cursor *cursor, const struct run *run,
		      const struct event_header *event)
{
	return run->stream == STREAM_TABLE ||
	       (event->time_ns >= cursor->range.from_ns && event->time_ns <= cursor->range.to_ns);
}

/* Appends the sound events from offset FROM on to the order. Returns true if the whole is in order.
 */
static bool order_events(struct recording_cursor *cursor, struct run *run,
			 const struct chunk *chunk, size_t from)
{
	uint64_t last_ns = run->order_count ? event_at(run, run->order_count - 1)->time_ns : 0;
	bool is_table = run->stream == STREAM_TABLE;
	bool is_ordered = true;

	array_reserve((void **)&run->order, &run->order_capacity,
		      run->order_count + (run->events.size - from) / sizeof(struct event_header),
		      sizeof(*run->order));
	while (from < run->events.size) {
		const struct event_header *event = (const void *)(run->events.data + from);
		size_t left = run->events.size - from;

		if (!event_is_framed(event, left)) {
			cursor->damaged++;
			break;
		}
		if (!event_is_sound(event, left) ||
		    (!is_table &&
		     (event->time_ns < chunk->first_ns || event->time_ns > chunk->last_ns))) {
			cursor->damaged++;
		} else if (is_wanted(cursor, run, event)) {
			is_ordered &= event->time_ns >= last_ns;
			last_ns = event->time_ns;
			run->order[run->order_count++] = (uint32_t)from;
		}
		from += event->size;
	}
	return is_ordered || is_table;
}

/* By time; of equal times what was written first, which stands first in the buffer. */
static int compare_events(const void *a, const void *b, void *events)
{
	uint32_t at_a = *(const uint32_t *)a, at_b = *(const uint32_t *)b;
	const struct event_header *event_a = (const void *)((const char *)events + at_a);
	const struct event_header *event_b = (const void *)((const char *)events + at_b);

	if (event_a->time_ns != event_b->time_ns)
		return event_a->time_ns < event_b->time_ns ? -1 : 1;
	return at_a < at_b ? -1 : at_a > at_b;
}

/* Sets how far the run may be read before its next chunk must be there. */
static void set_limit(struct run *run)
{
	uint64_t rest_from_ns;

	run->limit = run->order_count;
	if (run->stream == STREAM_TABLE || run->next_chunk == run->chunk_count)
		return;
	rest_from_ns = run->chunks[run->next_chunk].rest_from_ns;
	while (run->limit > run->at && event_at(run, run->limit - 1)->time_ns > rest_from_ns)
		run->limit--;
	if (run->limit == run->at && run->events.size > HELD_BACK_MAX)
		run->limit = run->order_count;
}

/* Loads the next chunk of the run behind what it holds back. */
static int load_next(struct recording_cursor *cursor, struct run *run)
{
	const struct chunk *chunk = run->chunks[run->next_chunk++].chunk;
	uint64_t dropped = cursor->loader.dropped;
	size_t from;
	int err;

	cursor->loaded_bytes -= run->events.size;
	keep_rest(run);
	from = run->events.size;
	err = chunk_load(cursor->recording, chunk, &cursor->loader, &run->events);
	cursor->damaged += (err != 0) + cursor->loader.dropped - dropped;
	cursor->loaded_bytes += run->events.size;
	if (cursor->loaded_bytes > LOADED_MAX)
		return fail(-E2BIG, "the recording wants more than 1 GB of memory to be read");
	if (!err && !order_events(cursor, run, chunk, from))
		qsort_r(run->order, run->order_count, sizeof(*run->order), compare_events,
			run->events.data);
	set_limit(run);
	return 0;
}

/* Makes sure that the run has an event at hand. 1; 0 if it is at its end; or a negative errno. */
static int run_fill(struct recording_cursor *cursor, struct run *run)
{
	while (run->at == run->limit) {
		int err;

		if (run->next_chunk == run->chunk_count)
			return 0;
		err = load_next(cursor, run);
		if (err)
			return err;
	}
	run->time_ns = run->stream == STREAM_TABLE ? 0 : event_at(run, run->at)->time_ns;
	return 1;
}

/* ---- the heap of runs ---- */

static unsigned int stream_rank(unsigned int stream)
{
	return stream == STREAM_TABLE ? 0 : 1 + stream;
}

static bool is_before(const struct run *a, const struct run *b)
{
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns;
	if (a->stream != b->stream)
		return stream_rank(a->stream) < stream_rank(b->stream);
	return a->cpu < b->cpu;
}

static void sift_down(struct recording_cursor *cursor, size_t at)
{
	struct run **heap = cursor->heap;
	struct run *moving = heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= cursor->heap_count)
			break;
		if (child + 1 < cursor->heap_count && is_before(heap[child + 1], heap[child]))
			child++;
		if (!is_before(heap[child], moving))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moving;
}

static void remove_run(struct recording_cursor *cursor, size_t at)
{
	cursor->loaded_bytes -= cursor->heap[at]->events.size;
	run_free(cursor->heap[at]);
	cursor->heap[at] = cursor->heap[--cursor->heap_count];
}

/* Goes on from the event that was handed out. */
static int advance(struct recording_cursor *cursor)
{
	struct run *run = cursor->heap[0];

	run->at++;
	if (run->at < run->limit) {
		if (run->stream != STREAM_TABLE)
			run->time_ns = event_at(run, run->at)->time_ns;
	} else {
		int filled = run_fill(cursor, run);

		if (filled < 0)
			return filled;
		if (!filled)
			remove_run(cursor, 0);
	}
	if (cursor->heap_count > 0)
		sift_down(cursor, 0);
	return 0;
}

/* ---- the cursor ---- */

/* Table chunks form one run whatever their CPU: their order is that of the file. */
static struct run *find_run(struct recording_cursor *cursor, struct map64 *runs,
			    const struct chunk *chunk)
{
	uint16_t cpu = chunk->stream == STREAM_TABLE ? 0 : chunk->cpu;
	uint64_t key = (uint64_t)chunk->stream << 16 | cpu;
	uint64_t *found = map64_get(runs, key);
	struct run *run;

	if (found)
		return cursor->heap[*found];
	run = xcalloc(1, sizeof(*run));
	run->stream = chunk->stream;
	run->cpu = cpu;
	array_reserve((void **)&cursor->heap, &cursor->heap_capacity, cursor->heap_count + 1,
		      sizeof(struct run *));
	map64_put(runs, key, cursor->heap_count);
	cursor->heap[cursor->heap_count++] = run;
	return run;
}

static bool chunk_is_inside(const struct chunk *chunk, const struct recording_range *range)
{
	if (!(range->streams & STREAM_BIT(chunk->stream)))
		return false;
	return chunk->stream == STREAM_TABLE ||
	       (chunk->last_ns >= range->from_ns && chunk->first_ns <= range->to_ns);
}

static void find_runs(struct recording_cursor *cursor)
{
	const struct recording *recording = cursor->recording;
	struct map64 runs = {0};

	for (size_t i = 0; i < recording->chunk_count; i++) {
		const struct chunk *chunk = &recording->chunks[i];
		struct run *run;

		if (!chunk_is_inside(chunk, &cursor->range))
			continue;
		run = find_run(cursor, &runs, chunk);
		array_reserve((void **)&run->chunks, &run->chunk_capacity, run->chunk_count + 1,
			      sizeof(*run->chunks));
		run->chunks[run->chunk_count++].chunk = chunk;
	}
	map64_release(&runs);
	for (size_t i = 0; i < cursor->heap_count; i++) {
		struct run *run = cursor->heap[i];
		uint64_t rest_from_ns = UINT64_MAX;

		for (size_t j = run->chunk_count; j-- > 0;) {
			if (run->chunks[j].chunk->first_ns < rest_from_ns)
				rest_from_ns = run->chunks[j].chunk->first_ns;
			run->chunks[j].rest_from_ns = rest_from_ns;
		}
	}
}

/* Loads the first events of every run and builds the heap. */
static int start_runs(struct recording_cursor *cursor)
{
	for (size_t i = cursor->heap_count; i-- > 0;) {
		int filled = run_fill(cursor, cursor->heap[i]);

		if (filled < 0)
			return filled;
		if (!filled)
			remove_run(cursor, i);
	}
	for (size_t i = cursor->heap_count / 2; i-- > 0;)
		sift_down(cursor, i);
	return 0;
}

int recording_cursor_new(struct recording_cursor **ret, struct recording *recording,
			 const struct recording_range *range)
{
	struct recording_cursor *cursor = xcalloc(1, sizeof(*cursor));
	int err;

	cursor->recording = recording;
	cursor->range = *range;
	find_runs(cursor);
	err = start_runs(cursor);
	if (err) {
		recording_cursor_free(cursor);
		return err;
	}
	*ret = cursor;
	return 0;
}

int recording_cursor_next(struct recording_cursor *cursor, const struct event_header **ret_event)
{
	for (;;) {
		struct run *run;

		if (cursor->is_handed) {
			int err = advance(cursor);

			if (err)
				return err;
		}
		cursor->is_handed = cursor->heap_count > 0;
		if (!cursor->is_handed)
			return 0;
		run = cursor->heap[0];
		if (run->time_ns < cursor->last_ns) {
			cursor->damaged++;
			continue;
		}
		cursor->last_ns = run->time_ns;
		*ret_event = event_at(run, run->at);
		return 1;
	}
}

uint64_t recording_cursor_damaged(const struct recording_cursor *cursor)
{
	return cursor->damaged;
}

void recording_cursor_free(struct recording_cursor *cursor)
{
	if (!cursor)
		return;
	for (size_t i = 0; i < cursor->heap_count; i++)
		run_free(cursor->heap[i]);
	free(cursor->heap);
	chunk_loader_release(&cursor->loader);
	free(cursor);
}
