/* SPDX-License-Identifier: BSD-2-Clause */
/* Spans and calls as an array in the order of their starts, made when somebody asks for it. */
#include <stdlib.h>

#include "event/schema.h"
#include "model/call.h"
#include "model/internal.h"

void spans_add(struct model *model, const struct event_span *event)
{
	array_reserve((void **)&model->span_events, &model->span_event_capacity,
		      model->span_event_count + 1, sizeof(*model->span_events));
	model->span_events[model->span_event_count++] = *event;
}

/* Of each lane, the ids of the calls around the next one. */
struct around {
	uint32_t *ids; /* by level */
	size_t capacity;
};

struct around_lanes {
	struct around *items;
	size_t count, capacity;
};

static struct around *around_of(struct around_lanes *lanes, const struct call *call)
{
	struct around *around;

	array_reserve((void **)&lanes->items, &lanes->capacity, call->lane + (size_t)1,
		      sizeof(*lanes->items));
	while (lanes->count <= call->lane)
		lanes->items[lanes->count++] = (struct around){.ids = NULL};
	around = &lanes->items[call->lane];
	array_reserve((void **)&around->ids, &around->capacity, call->level + (size_t)1,
		      sizeof(*around->ids));
	return around;
}

static void add(struct model *model, struct around_lanes *lanes, const struct call *call)
{
	struct around *around = around_of(lanes, call);
	uint32_t id = (uint32_t)model->span_count;

	array_reserve((void **)&model->spans, &model->span_capacity, model->span_count + 1,
		      sizeof(*model->spans));
	model->spans[model->span_count++] = (struct packed_span){
		.start_ns = call->start_ns,
		.end_ns = call->end_ns,
		.thread = call->thread ? call->thread->index : MODEL_NONE,
		.parent = call->level ? around->ids[call->level - 1] : MODEL_NONE,
		.name = call->name,
		.depth = call->depth,
		.flags = call->flags,
	};
	around->ids[call->level] = id;
}

int model_read_spans(struct model *model)
{
	const struct filter everything = {.to_ns = UINT64_MAX};
	struct around_lanes lanes = {.count = 0};
	struct call_order *order;
	const struct call *call;
	int more;

	if (model->has_spans)
		return 0;
	more = call_order_new(&order, model, &everything);
	if (more)
		return more;
	while ((more = call_order_next(order, &call)) > 0 && model->span_count < MODEL_NONE)
		add(model, &lanes, call);
	call_order_free(order);
	for (size_t i = 0; i < lanes.count; i++)
		free(lanes.items[i].ids);
	free(lanes.items);
	model->has_spans = more == 0;
	return more < 0 ? more : 0;
}

size_t model_span_count(const struct model *model)
{
	return model->span_count;
}

struct span model_span(const struct model *model, size_t i)
{
	const struct packed_span *packed = &model->spans[i];
	const struct call_name *name = call_name_at(model, packed->name);

	return (struct span){
		.id = (uint32_t)i,
		.parent = packed->parent,
		.thread = packed->thread == MODEL_NONE ? NULL : model_thread(model, packed->thread),
		.of = name,
		.name = name->name,
		.function = name->where,
		.start_ns = packed->start_ns,
		.end_ns = packed->end_ns,
		.depth = packed->depth,
		.flags = packed->flags,
	};
}
