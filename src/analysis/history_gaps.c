/* SPDX-License-Identifier: BSD-2-Clause */
/* When nothing is known of a CPU, because what it switched between was overwritten. */
#include <stdlib.h>

#include "analysis/history_internal.h"

static int compare_gaps(const void *a, const void *b)
{
	const struct cpu_gap *left = a, *right = b;

	if (left->cpu != right->cpu)
		return left->cpu < right->cpu ? -1 : 1;
	return left->from_ns == right->from_ns ? 0 : left->from_ns < right->from_ns ? -1 : 1;
}

void history_gaps_make(struct history *history)
{
	const struct model *model = history->model;

	history->gaps = arena_alloc(&history->arena,
				    (model_loss_count(model) + 1) * sizeof(*history->gaps));
	for (size_t i = 0; i < model_loss_count(model); i++) {
		const struct event_loss *loss = model_loss(model, i);

		if (loss->log == EVENT_LOG_SWITCH && loss->reason == EVENT_LOSS_OVERWRITTEN)
			history->gaps[history->gap_count++] = (struct cpu_gap){
				.cpu = loss->cpu, .from_ns = loss->from_ns, .to_ns = loss->to_ns};
	}
	qsort(history->gaps, history->gap_count, sizeof(*history->gaps), compare_gaps);
}

/* The first gap of CPU that ends behind TIME_NS: a log's gaps follow each other. */
static size_t gap_after(const struct history *history, uint16_t cpu, uint64_t time_ns)
{
	size_t low = 0, high = history->gap_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct cpu_gap *gap = &history->gaps[middle];

		if (gap->cpu < cpu || (gap->cpu == cpu && gap->to_ns <= time_ns))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t history_cpu_lost_ns(const struct history *history, uint16_t cpu, uint64_t from_ns,
			     uint64_t to_ns)
{
	uint64_t lost_ns = 0;

	for (size_t i = gap_after(history, cpu, from_ns); i < history->gap_count; i++) {
		const struct cpu_gap *gap = &history->gaps[i];

		if (gap->cpu != cpu || gap->from_ns >= to_ns)
			break;
		lost_ns += (gap->to_ns < to_ns ? gap->to_ns : to_ns) -
			   (gap->from_ns > from_ns ? gap->from_ns : from_ns);
	}
	return lost_ns;
}
