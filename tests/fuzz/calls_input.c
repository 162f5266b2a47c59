/* SPDX-License-Identifier: BSD-2-Clause */
#include "calls_input.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "model/call_edges.h"
#include "model/call_sums.h"
#include "model/call_tree.h"
#include "model/call_values.h"

#define LONG_CALLS_MAX 8

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "calls: %s\n", what);
	abort();
}

static void read_order(struct model *model, const struct filter *filter)
{
	struct call_order *order;
	const struct call *call;
	uint64_t last_ns = 0;

	if (call_order_new_in(&order, model, filter, LONG_CALLS_MAX))
		return;
	while (call_order_next(order, &call) > 0) {
		require(call->start_ns >= last_ns, "starts are not in order");
		require(call->end_ns >= call->start_ns, "a call ends before it starts");
		require(call->level <= call->depth, "more calls are around than can be");
		last_ns = call->start_ns;
	}
	call_order_free(order);
}

static void read_edges(struct model *model, const struct filter *filter)
{
	struct call_values *values;
	struct call_edges *edges;
	const struct call_edge *edge;
	int64_t open = 0;

	if (call_edges_new(&edges, model, filter))
		return;
	if (call_values_new(&values, model, filter)) {
		call_edges_free(edges);
		return;
	}
	while (call_edges_next(edges, &edge) > 0) {
		open += (edge->kind == CALL_EDGE_BEGIN) - (edge->kind == CALL_EDGE_END);
		call_values_read(values, edge->time_ns);
		call_values_take(values, &edge->call, edge->kind != CALL_EDGE_BEGIN, NULL);
	}
	require(open == 0 || *fail_text(), "a call that began did not end");
	call_values_free(values);
	call_edges_free(edges);
}

static void read_sums(struct model *model, const struct filter *filter)
{
	struct call_sums sums;
	struct call_tree tree;

	call_sums_make(&sums, model, filter);
	call_sums_release(&sums);
	if (!call_tree_make(&tree, model, filter, CALL_TREE_PROCESS)) {
		size_t count = 0;

		for (uint32_t at = 0; at != CALL_TREE_NONE; at = call_tree_next(&tree, at))
			count++;
		require(count == tree.count, "a node is not in the tree");
	}
	call_tree_release(&tree);
}

void calls_input(struct model *model)
{
	const char *pattern = "/a|m/";
	struct filter filter = {.to_ns = UINT64_MAX};

	for (unsigned int round = 0; round < 3; round++) {
		read_order(model, &filter);
		read_edges(model, &filter);
		read_sums(model, &filter);
		fail_clear();
		filter.no_functions = &pattern;
		filter.no_function_count = round == 0;
		filter.call_depth = round == 1 ? 2 : 0;
		filter.from_ns = (model_start_ns(model) + model_end_ns(model)) / 2;
	}
	model_read_spans(model);
	for (size_t i = 0; i < model_span_count(model); i++)
		require(model_span(model, i).parent == MODEL_NONE ||
				model_span(model, i).parent < i,
			"a span lies in a later one");
	fail_clear();
}
