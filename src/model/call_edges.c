/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/call_edges.h"

#include <stdlib.h>

#include "base/memory.h"

struct call_edges {
	struct call_order *order;
	const struct call *next; /* the call that begins next; NULL: none */
	struct call *ends;       /* heap of calls whose end was not told: the first end on top */
	size_t end_count, end_capacity;
	struct call_edge edge;
};

/* ---- the heap of ends ---- */

static bool ends_before(const struct call *a, const struct call *b)
{
	if (a->end_ns != b->end_ns)
		return a->end_ns < b->end_ns;
	if (a->lane != b->lane)
		return a->lane < b->lane;
	return a->level > b->level;
}

static void push_end(struct call_edges *edges, const struct call *call)
{
	size_t at = edges->end_count;

	array_reserve((void **)&edges->ends, &edges->end_capacity, at + 1, sizeof(*edges->ends));
	edges->end_count++;
	for (; at > 0 && ends_before(call, &edges->ends[(at - 1) / 2]); at = (at - 1) / 2)
		edges->ends[at] = edges->ends[(at - 1) / 2];
	edges->ends[at] = *call;
}

static void pop_end(struct call_edges *edges)
{
	struct call *ends = edges->ends;
	size_t count = --edges->end_count, at = 0;

	for (size_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && ends_before(&ends[child + 1], &ends[child]))
			child++;
		if (!ends_before(&ends[child], &ends[count]))
			break;
		ends[at] = ends[child];
	}
	ends[at] = ends[count];
}

/* ---- edges in order ---- */

/* Is the end on top told before the next call begins? */
static bool end_is_next(const struct call_edges *edges)
{
	const struct call *end = edges->ends, *next = edges->next;

	if (!edges->end_count)
		return false;
	if (!next || end->end_ns < next->start_ns)
		return true;
	return end->end_ns == next->start_ns &&
	       !(end->lane == next->lane && next->level > end->level);
}

/* Reads the call that begins next. 0, or a negative errno. */
static int advance(struct call_edges *edges)
{
	int more = call_order_next(edges->order, &edges->next);

	if (more <= 0)
		edges->next = NULL;
	return more < 0 ? more : 0;
}

static void set_edge(struct call_edges *edges, enum call_edge_kind kind, const struct call *call)
{
	edges->edge.kind = kind;
	edges->edge.call = *call;
	edges->edge.time_ns = kind == CALL_EDGE_BEGIN ? call->start_ns : call->end_ns;
}

int call_edges_next(struct call_edges *edges, const struct call_edge **ret)
{
	*ret = &edges->edge;
	while (!end_is_next(edges)) {
		struct call call;
		int err;

		if (!edges->next)
			return 0;
		call = *edges->next;
		push_end(edges, &call);
		err = advance(edges);
		if (err)
			return err;
		if (call.has_inner) {
			set_edge(edges, CALL_EDGE_BEGIN, &call);
			return 1;
		}
	}
	set_edge(edges, edges->ends[0].has_inner ? CALL_EDGE_END : CALL_EDGE_LEAF, &edges->ends[0]);
	pop_end(edges);
	return 1;
}

int call_edges_new(struct call_edges **ret, struct model *model, const struct filter *filter)
{
	struct call_edges *edges = xcalloc(1, sizeof(*edges));
	int err = call_order_new(&edges->order, model, filter);

	if (!err)
		err = advance(edges);
	if (err) {
		call_edges_free(edges);
		return err;
	}
	*ret = edges;
	return 0;
}

void call_edges_free(struct call_edges *edges)
{
	if (!edges)
		return;
	call_order_free(edges->order);
	free(edges->ends);
	free(edges);
}
