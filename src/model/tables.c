/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "event/schema.h"
#include "model/internal.h"

static void add_meta(struct model *model, const struct event_meta *event)
{
	struct tables *tables = &model->tables;
	const char *name = model_text(model, event->text);
	size_t i = 0;

	/* told again: the newest holds */
	while (i < tables->meta_count && tables->metas[i].name != name)
		i++;
	if (i == tables->meta_count) {
		array_reserve((void **)&tables->metas, &tables->meta_capacity, i + 1,
			      sizeof(*tables->metas));
		tables->meta_count++;
	}
	tables->metas[i].name = name;
	tables->metas[i].value = model_text(model, event_tail_text(&event->header, event->text, 1));
}

static bool is_same_birth(const struct event_thread *a, const struct event_thread *b)
{
	uint64_t apart_ns =
		a->start_ns > b->start_ns ? a->start_ns - b->start_ns : b->start_ns - a->start_ns;

	return a->pid == b->pid && apart_ns < THREAD_START_GRAIN_NS;
}

static void add_row(struct model *model, const struct event_thread *event)
{
	struct tables *tables = &model->tables;
	const uint64_t *newest = map64_get(&tables->row_of_tid, event->tid);
	uint32_t older = newest ? (uint32_t)*newest : MODEL_NONE;

	if (event->tid == 0)
		return;
	event = arena_copy(&model->arena, event, event->header.size);
	if (older != MODEL_NONE && is_same_birth(tables->rows[older].event, event)) {
		tables->rows[older].event = event;
		return;
	}
	map64_put(&tables->row_of_tid, event->tid, tables->row_count);
	array_reserve((void **)&tables->rows, &tables->row_capacity, tables->row_count + 1,
		      sizeof(*tables->rows));
	tables->rows[tables->row_count++] = (struct thread_row){.event = event, .older = older};
}

static void add_hook(struct model *model, const struct event_header *event)
{
	struct tables *tables = &model->tables;

	array_reserve((void **)&tables->hooks, &tables->hook_capacity, tables->hook_count + 1,
		      sizeof(*tables->hooks));
	tables->hooks[tables->hook_count++] = arena_copy(&model->arena, event, event->size);
}

static void add_cgroup(struct model *model, const struct event_header *event)
{
	struct tables *tables = &model->tables;

	array_reserve((void **)&tables->cgroups, &tables->cgroup_capacity, tables->cgroup_count + 1,
		      sizeof(*tables->cgroups));
	tables->cgroups[tables->cgroup_count++] = arena_copy(&model->arena, event, event->size);
}

static void add_loss(struct tables *tables, const struct event_loss *event)
{
	array_reserve((void **)&tables->losses, &tables->loss_capacity, tables->loss_count + 1,
		      sizeof(*tables->losses));
	tables->losses[tables->loss_count++] = *event;
}

static void add_clock(struct tables *tables, const struct event_clock *event)
{
	array_reserve((void **)&tables->clocks, &tables->clock_capacity, tables->clock_count + 1,
		      sizeof(*tables->clocks));
	tables->clocks[tables->clock_count++] = *event;
}

static void add_object(struct model *model, struct map64 *map, uint64_t id,
		       const struct event_header *event)
{
	if (id && !map64_get(map, id))
		map64_put(map, id, (uintptr_t)arena_copy(&model->arena, event, event->size));
}

static void add(struct model *model, const struct event_header *event)
{
	struct tables *tables = &model->tables;

	switch (event->kind) {
	case EVENT_META:
		add_meta(model, (const struct event_meta *)event);
		break;
	case EVENT_THREAD:
		add_row(model, (const struct event_thread *)event);
		break;
	case EVENT_HOOK:
		add_hook(model, event);
		break;
	case EVENT_CGROUP:
		add_cgroup(model, event);
		break;
	case EVENT_LOSS:
		add_loss(tables, (const struct event_loss *)event);
		break;
	case EVENT_CLOCK:
		add_clock(tables, (const struct event_clock *)event);
		break;
	case EVENT_FILE:
		add_object(model, &tables->files, ((const struct event_file *)event)->id, event);
		break;
	case EVENT_SOCKET:
		add_object(model, &tables->sockets, ((const struct event_socket *)event)->id,
			   event);
		break;
	case EVENT_SPAN_NAME:
		add_object(model, &tables->span_names,
			   ((const struct event_span_name *)event)->name, event);
		break;
	case EVENT_CALL_COUNT:
		map64_put(&tables->call_counts, ((const struct event_call_count *)event)->name,
			  (uintptr_t)arena_copy(&model->arena, event, event->size));
		break;
	case EVENT_STACK:
		stack_table_add_stack(model->stacks, (const struct event_stack *)event);
		break;
	case EVENT_MODULE:
		stack_table_add_module(model->stacks, (const struct event_module *)event);
		break;
	case EVENT_FRAME:
		stack_table_add_frame(model->stacks, (const struct event_frame *)event);
		break;
	default:
		break;
	}
}

/* ---- what the losses mean for the state machine ---- */

static int compare_spans(const void *a, const void *b)
{
	const struct span_of_time *left = a, *right = b;

	if (left->from_ns != right->from_ns)
		return left->from_ns < right->from_ns ? -1 : 1;
	return left->cpu < right->cpu ? -1 : left->cpu > right->cpu;
}

/* Joins what overlaps, in place; returns how many are left. */
static size_t merge_spans(struct span_of_time *spans, size_t count)
{
	size_t merged = 0;

	for (size_t i = 0; i < count; i++) {
		struct span_of_time *last = merged ? &spans[merged - 1] : NULL;

		if (!last || spans[i].from_ns > last->to_ns)
			spans[merged++] = spans[i];
		else if (spans[i].to_ns > last->to_ns)
			last->to_ns = spans[i].to_ns;
	}
	return merged;
}

/* Single events that the kernel skipped leave no trace of when: only what was overwritten counts.
 */
static bool is_gap(const struct event_loss *loss)
{
	return loss->log == EVENT_LOG_SWITCH && loss->reason == EVENT_LOSS_OVERWRITTEN &&
	       loss->from_ns <= loss->to_ns;
}

static void seal_losses(struct tables *tables)
{
	tables->gaps = xcalloc(tables->loss_count + 1, sizeof(*tables->gaps));
	tables->doubts = xcalloc(tables->loss_count + 1, sizeof(*tables->doubts));
	for (size_t i = 0; i < tables->loss_count; i++) {
		const struct event_loss *loss = &tables->losses[i];

		if (is_gap(loss))
			tables->gaps[tables->gap_count++] =
				(struct span_of_time){loss->from_ns, loss->to_ns, loss->cpu};
	}
	qsort(tables->gaps, tables->gap_count, sizeof(*tables->gaps), compare_spans);
	memcpy(tables->doubts, tables->gaps, tables->gap_count * sizeof(*tables->gaps));
	tables->doubt_count = merge_spans(tables->doubts, tables->gap_count);
}

uint64_t tables_doubt_from(const struct tables *tables, uint64_t time_ns)
{
	size_t low = 0, high = tables->doubt_count;

	/* the first that ends at or after the time */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tables->doubts[middle].to_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == tables->doubt_count)
		return UINT64_MAX;
	return tables->doubts[low].from_ns > time_ns ? tables->doubts[low].from_ns : time_ns;
}

int tables_read(struct model *model)
{
	struct recording_range range = {
		.streams = STREAM_BIT(STREAM_TABLE) | STREAM_BIT(STREAM_EVIDENCE),
		.to_ns = UINT64_MAX,
	};
	struct recording_cursor *cursor;
	const struct event_header *event;
	int more;

	more = recording_cursor_new(&cursor, model->recording, &range);
	if (more)
		return more;
	while ((more = recording_cursor_next(cursor, &event)) > 0)
		add(model, event);
	recording_cursor_free(cursor);
	if (more)
		return more;
	seal_losses(&model->tables);
	call_names_seal(model);
	stack_table_seal(model->stacks);
	return 0;
}

void tables_release(struct tables *tables)
{
	free(tables->metas);
	free(tables->losses);
	free(tables->hooks);
	free(tables->clocks);
	free(tables->cgroups);
	free(tables->rows);
	free(tables->gaps);
	free(tables->doubts);
	map64_release(&tables->files);
	map64_release(&tables->sockets);
	map64_release(&tables->span_names);
	map64_release(&tables->call_counts);
	map64_release(&tables->row_of_tid);
}
