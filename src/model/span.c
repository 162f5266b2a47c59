/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/schema.h"
#include "model/internal.h"

void spans_add(struct model *model, const struct event_span *event, struct thread *thread)
{
	const uint64_t *known = map64_get(&model->tables.span_names, event->name);
	const struct event_span_name *name =
		known ? (const struct event_span_name *)(uintptr_t)*known : NULL;
	uint64_t end_ns = event->header.time_ns;

	array_reserve((void **)&model->spans, &model->span_capacity, model->span_count + 1,
		      sizeof(*model->spans));
	model->spans[model->span_count] = (struct span){
		.id = (uint32_t)model->span_count,
		.parent = MODEL_NONE,
		.thread = thread,
		.name = name ? name->text : "?",
		.function = name ? event_tail_text(&name->header, name->text, 1) : "",
		.start_ns = event->start_ns < end_ns ? event->start_ns : end_ns,
		.end_ns = end_ns,
		.depth = event->depth,
		.flags = event->flags,
	};
	model->span_count++;
}

/* What lies around another comes before it. */
static int compare_spans(const void *a, const void *b)
{
	const struct span *left = a, *right = b;

	if (left->start_ns != right->start_ns)
		return left->start_ns < right->start_ns ? -1 : 1;
	if (left->depth != right->depth)
		return left->depth < right->depth ? -1 : 1;
	return left->id < right->id ? -1 : 1;
}

static bool is_around(const struct span *outer, const struct span *inner)
{
	return outer->depth < inner->depth && outer->end_ns >= inner->end_ns;
}

void spans_seal(struct model *model)
{
	struct span *spans = model->spans;
	uint32_t *latest = xmalloc((model->roster.thread_count + 1) * sizeof(*latest));

	if (model->span_count)
		qsort(spans, model->span_count, sizeof(*spans), compare_spans);
	for (size_t i = 0; i < model->roster.thread_count; i++)
		latest[i] = MODEL_NONE;
	for (size_t i = 0; i < model->span_count; i++) {
		uint32_t *around = &latest[spans[i].thread->index];

		spans[i].id = (uint32_t)i;
		while (*around != MODEL_NONE && !is_around(&spans[*around], &spans[i]))
			*around = spans[*around].parent;
		spans[i].parent = *around;
		*around = (uint32_t)i;
	}
	free(latest);
}

size_t model_span_count(const struct model *model)
{
	return model->span_count;
}

const struct span *model_span(const struct model *model, size_t i)
{
	return &model->spans[i];
}
