/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Beginnings and ends of calls in the order of time. A call without others inside is one edge, told
 * at its end: its beginning may be earlier than edges of other threads that were told before.
 */
#ifndef DASHCAM_MODEL_CALL_EDGES_H
#define DASHCAM_MODEL_CALL_EDGES_H

#include "model/call.h"

enum call_edge_kind {
	CALL_EDGE_BEGIN,
	CALL_EDGE_END,
	CALL_EDGE_LEAF, /* both */
};

struct call_edge {
	enum call_edge_kind kind;
	uint64_t time_ns;
	struct call call;
};

struct call_edges;

/* Of the calls that FILTER lets through; it is borrowed. */
int call_edges_new(struct call_edges **ret, struct model *model, const struct filter *filter);
/* 1, 0 at the end, or a negative errno with a sentence. */
int call_edges_next(struct call_edges *edges, const struct call_edge **ret);
void call_edges_free(struct call_edges *edges); /* NULL is fine */

#endif
