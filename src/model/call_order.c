/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls by their starts, in memory that does not grow with their number.
 *
 * They are written when they end, so a short call is at most its own length away from its place.
 * The first pass keeps the long ones: all while there are few, else those from a length on that
 * grows until few enough remain. The second pass holds the short ones in a heap until nothing that
 * is still to come can have begun before them. Where all could be kept, there is no second pass.
 */
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "model/call.h"
#include "model/internal.h"

#define LONG_CALLS_MAX (1u << 20)
#define FIRST_LIMIT_NS NS_PER_US

/* The calls of a thread that have begun and may go on, outermost first. */
struct open_calls {
	struct open_call {
		uint64_t end_ns;
		uint16_t depth;
	} * items;
	size_t count, capacity;
};

struct call_order {
	struct model *model;
	const struct filter *filter;
	struct call *long_calls; /* by start */
	size_t long_count, long_capacity, long_max;
	size_t long_at;
	uint64_t long_from_ns;      /* how long those are */
	struct call_reader *reader; /* of the second pass; NULL: over, or not needed */
	uint64_t read_ns;           /* what is to come ends there or later */
	struct call *heap;          /* short ones, the one that began first on top */
	size_t heap_count, heap_capacity;
	struct call current;
	struct open_calls *lanes; /* by lane */
	size_t lane_count, lane_capacity;
};

/* ---- order ---- */

static bool is_before(const struct call *a, const struct call *b)
{
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns;
	if (a->lane != b->lane)
		return a->lane < b->lane;
	if (a->depth != b->depth)
		return a->depth < b->depth;
	return a->end_ns < b->end_ns;
}

static int compare_starts(const void *a, const void *b)
{
	return is_before(a, b) ? -1 : is_before(b, a);
}

static void heap_push(struct call_order *order, const struct call *call)
{
	size_t at = order->heap_count;

	array_reserve((void **)&order->heap, &order->heap_capacity, at + 1, sizeof(*order->heap));
	order->heap_count++;
	while (at > 0 && is_before(call, &order->heap[(at - 1) / 2])) {
		order->heap[at] = order->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	order->heap[at] = *call;
}

static void heap_pop(struct call_order *order)
{
	struct call *heap = order->heap;
	size_t count = --order->heap_count, at = 0;

	for (size_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && is_before(&heap[child + 1], &heap[child]))
			child++;
		if (!is_before(&heap[child], &heap[count]))
			break;
		heap[at] = heap[child];
	}
	heap[at] = heap[count];
}

/* ---- the first pass ---- */

static uint64_t length_of(const struct call *call)
{
	return call->end_ns - call->start_ns;
}

/* Lengthens what counts as long until half of the room is free. */
static void keep_longer(struct call_order *order)
{
	while (order->long_count > order->long_max / 2) {
		size_t kept = 0;

		order->long_from_ns =
			order->long_from_ns ? order->long_from_ns * 4 : FIRST_LIMIT_NS;
		for (size_t i = 0; i < order->long_count; i++) {
			if (length_of(&order->long_calls[i]) >= order->long_from_ns)
				order->long_calls[kept++] = order->long_calls[i];
		}
		order->long_count = kept;
	}
}

static int find_long(struct call_order *order)
{
	struct call_reader *reader;
	const struct call *call;
	int more = call_reader_new(&reader, order->model, order->filter, false);

	if (more)
		return more;
	while ((more = call_reader_next(reader, &call)) > 0) {
		if (order->long_count == order->long_max)
			keep_longer(order);
		if (length_of(call) < order->long_from_ns)
			continue;
		array_reserve((void **)&order->long_calls, &order->long_capacity,
			      order->long_count + 1, sizeof(*order->long_calls));
		order->long_calls[order->long_count++] = *call;
	}
	call_reader_free(reader);
	if (order->long_count)
		qsort(order->long_calls, order->long_count, sizeof(*order->long_calls),
		      compare_starts);
	return more;
}

int call_order_new(struct call_order **ret, struct model *model, const struct filter *filter)
{
	return call_order_new_in(ret, model, filter, LONG_CALLS_MAX);
}

int call_order_new_in(struct call_order **ret, struct model *model, const struct filter *filter,
		      size_t long_calls_max)
{
	struct call_order *order = xcalloc(1, sizeof(*order));
	int err;

	order->model = model;
	order->filter = filter;
	order->long_max = long_calls_max;
	err = find_long(order);
	if (!err && order->long_from_ns)
		err = call_reader_new(&order->reader, model, filter, false);
	if (err) {
		call_order_free(order);
		return err;
	}
	*ret = order;
	return 0;
}

void call_order_free(struct call_order *order)
{
	if (!order)
		return;
	call_reader_free(order->reader);
	for (size_t i = 0; i < order->lane_count; i++)
		free(order->lanes[i].items);
	free(order->lanes);
	free(order->long_calls);
	free(order->heap);
	free(order);
}

/* ---- the second pass ---- */

/* Reads one call more: a short one goes to the heap. */
static int read_one(struct call_order *order)
{
	const struct call *call;
	int more = call_reader_next(order->reader, &call);

	if (more > 0) {
		order->read_ns = call->end_ns;
		if (length_of(call) < order->long_from_ns)
			heap_push(order, call);
	} else {
		call_reader_free(order->reader);
		order->reader = NULL;
	}
	return more < 0 ? more : 0;
}

/* The call that begins first of those that are known; NULL if there is none. */
static const struct call *first_known(const struct call_order *order)
{
	const struct call *one = order->heap_count ? order->heap : NULL;
	const struct call *other =
		order->long_at < order->long_count ? &order->long_calls[order->long_at] : NULL;

	if (one && other)
		return is_before(other, one) ? other : one;
	return one ? one : other;
}

/* May a short call that is still to come begin before CALL, or with it? */
static bool may_be_preceded(const struct call_order *order, const struct call *call)
{
	return order->reader && call->start_ns + order->long_from_ns >= order->read_ns;
}

/* Finds how many of its thread are around the call, and opens it. */
static void open_call(struct call_order *order, struct call *call)
{
	struct open_calls *open;

	array_reserve((void **)&order->lanes, &order->lane_capacity, call->lane + (size_t)1,
		      sizeof(*order->lanes));
	while (order->lane_count <= call->lane)
		order->lanes[order->lane_count++] = (struct open_calls){.count = 0};
	open = &order->lanes[call->lane];
	while (open->count > 0 && (open->items[open->count - 1].depth >= call->depth ||
				   open->items[open->count - 1].end_ns < call->end_ns))
		open->count--;
	call->level = (uint32_t)open->count;
	array_reserve((void **)&open->items, &open->capacity, open->count + 1,
		      sizeof(*open->items));
	open->items[open->count++] =
		(struct open_call){.end_ns = call->end_ns, .depth = call->depth};
}

int call_order_next(struct call_order *order, const struct call **ret)
{
	const struct call *first = first_known(order);

	while (order->reader && (!first || may_be_preceded(order, first))) {
		int err = read_one(order);

		if (err)
			return err;
		first = first_known(order);
	}
	if (!first)
		return 0;
	order->current = *first;
	if (order->heap_count && first == order->heap)
		heap_pop(order);
	else
		order->long_at++;
	open_call(order, &order->current);
	*ret = &order->current;
	return 1;
}
