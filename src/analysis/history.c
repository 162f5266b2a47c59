/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "analysis/history_internal.h"

struct model *history_model(const struct history *history)
{
	return history->model;
}

/* ---- turns ---- */

/* The first turn of a group that ends after TIME_NS; it is known to be in LOW..HIGH. */
static size_t search(const struct history *history, const struct grouping *grouping, uint32_t which,
		     size_t low, size_t high, uint64_t time_ns)
{
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (history->turns[group_item(grouping, which, middle)].to_ns <= time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t turn_after(const struct history *history, const struct grouping *grouping,
			 uint32_t which, uint64_t time_ns)
{
	return search(history, grouping, which, 0, group_size(grouping, which), time_ns);
}

size_t history_turn_count(const struct history *history, const struct thread *thread)
{
	return group_size(&history->by_thread, thread->index);
}

const struct turn *history_turn(const struct history *history, const struct thread *thread,
				size_t i)
{
	return &history->turns[group_item(&history->by_thread, thread->index, i)];
}

size_t history_turn_after(const struct history *history, const struct thread *thread,
			  uint64_t time_ns)
{
	return turn_after(history, &history->by_thread, thread->index, time_ns);
}

const struct wait *history_wait(const struct history *history, const struct turn *turn)
{
	return turn->flags & TURN_HAS_WAIT && turn->wait != MODEL_NONE
		       ? model_wait(history->model, turn->wait)
		       : NULL;
}

struct thread *history_waker(const struct history *history, const struct turn *turn)
{
	return turn->waker == MODEL_NONE ? NULL : model_thread(history->model, turn->waker);
}

/* ---- CPUs ---- */

size_t history_cpu_run_count(const struct history *history, uint16_t cpu)
{
	return group_size(&history->by_cpu, cpu);
}

const struct turn *history_cpu_run(const struct history *history, uint16_t cpu, size_t i)
{
	return &history->turns[group_item(&history->by_cpu, cpu, i)];
}

size_t history_cpu_run_after(const struct history *history, uint16_t cpu, uint64_t time_ns)
{
	return turn_after(history, &history->by_cpu, cpu, time_ns);
}

/* The same for a time before run NEAR, which is not far: looks further and further back. */
static size_t run_after_near(const struct history *history, uint16_t cpu, size_t near,
			     uint64_t time_ns)
{
	size_t low = near, step = 1;

	while (low > 0 && history_cpu_run(history, cpu, low - 1)->to_ns > time_ns) {
		low = low > step ? low - step : 0;
		step *= 2;
	}
	return search(history, &history->by_cpu, cpu, low, near, time_ns);
}

/* How long a CPU was busy up to TIME_NS; AT is its first run that ends behind that. */
static uint64_t busy_until_ns(const struct history *history, uint16_t cpu, size_t at,
			      uint64_t time_ns)
{
	const struct turn *run;

	if (at < history_cpu_run_count(history, cpu)) {
		run = history_cpu_run(history, cpu, at);
		return run->busy_before_ns + (time_ns > run->from_ns ? time_ns - run->from_ns : 0);
	}
	if (!at)
		return 0;
	run = history_cpu_run(history, cpu, at - 1);
	return run->busy_before_ns + run->to_ns - run->from_ns;
}

/* FIRST and LAST are the CPU's first runs that end behind FROM_NS and TO_NS. */
static uint64_t busy_between_ns(const struct history *history, uint16_t cpu, size_t first,
				size_t last, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t before_ns = busy_until_ns(history, cpu, first, from_ns);
	uint64_t after_ns = busy_until_ns(history, cpu, last, to_ns);
	uint64_t busy_ns = after_ns > before_ns ? after_ns - before_ns : 0;

	/* only in nonsense do runs of a CPU lie over each other */
	return busy_ns < to_ns - from_ns ? busy_ns : to_ns - from_ns;
}

uint64_t history_cpu_busy_ns(const struct history *history, uint16_t cpu, uint64_t from_ns,
			     uint64_t to_ns)
{
	return busy_between_ns(history, cpu, history_cpu_run_after(history, cpu, from_ns),
			       history_cpu_run_after(history, cpu, to_ns), from_ns, to_ns);
}

uint64_t history_busy_before_ns(const struct history *history, const struct turn *turn,
				uint64_t from_ns, uint64_t to_ns)
{
	size_t first, last;

	if (!(turn->flags & TURN_HAS_RUN))
		return history_cpu_busy_ns(history, turn->cpu, from_ns, to_ns);
	last = run_after_near(history, turn->cpu, turn->place, to_ns);
	first = run_after_near(history, turn->cpu, last, from_ns);
	return busy_between_ns(history, turn->cpu, first, last, from_ns, to_ns);
}

/* ---- who woke whom ---- */

static uint32_t waker_of_turn(const void *context, size_t i)
{
	const struct turn *turn = &((const struct history *)context)->turns[i];

	return turn->flags & TURN_HAS_WAIT ? turn->waker : MODEL_NONE;
}

static int compare_wakes(const void *a, const void *b, void *context)
{
	const struct turn *turns = context;
	uint64_t left_ns = turns[*(const uint32_t *)a].wake_ns;
	uint64_t right_ns = turns[*(const uint32_t *)b].wake_ns;

	return left_ns == right_ns ? 0 : left_ns < right_ns ? -1 : 1;
}

/* Most explanations never ask. */
static const struct grouping *wakes(const struct history *history)
{
	struct history *mutable = (struct history *)history;
	struct grouping *grouping = &mutable->by_waker;

	if (grouping->first)
		return grouping;
	grouping_make(grouping, (uint32_t)model_thread_count(history->model), history->turn_count,
		      waker_of_turn, history);
	for (uint32_t i = 0; i < grouping->group_count; i++)
		qsort_r(grouping->items + grouping->first[i], group_size(grouping, i),
			sizeof(*grouping->items), compare_wakes, history->turns);
	return grouping;
}

static bool is_meant(const struct thread *woken, const struct thread *waker,
		     const struct thread *other)
{
	return other->process == waker->process ? woken == other : woken->process == other->process;
}

const struct turn *history_woken_by(const struct history *history, const struct thread *waker,
				    const struct thread *other, uint64_t from_ns, uint64_t to_ns)
{
	const struct grouping *grouping = wakes(history);
	size_t count = group_size(grouping, waker->index), low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (history->turns[group_item(grouping, waker->index, middle)].wake_ns < from_ns)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < count; low++) {
		const struct turn *turn = &history->turns[group_item(grouping, waker->index, low)];

		if (turn->wake_ns > to_ns)
			break;
		if (is_meant(model_thread(history->model, turn->thread), waker, other))
			return turn;
	}
	return NULL;
}

/* ---- samples and events ---- */

size_t history_sample_count(const struct history *history, const struct thread *thread)
{
	return group_size(&history->samples, thread->index);
}

const struct sample *history_sample(const struct history *history, const struct thread *thread,
				    size_t i)
{
	return model_sample(history->model, group_item(&history->samples, thread->index, i));
}

size_t history_sample_after(const struct history *history, const struct thread *thread,
			    uint64_t time_ns)
{
	size_t low = 0, high = history_sample_count(history, thread);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (history_sample(history, thread, middle)->time_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct history_events history_events(const struct history *history, enum event_kind kind)
{
	const struct kept_events *kept = &history->kept[kind];

	return (struct history_events){.events = kept->events, .count = kept->count};
}

size_t history_event_from(const struct history_events *events, uint64_t time_ns)
{
	size_t low = 0, high = events->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (events->events[middle]->time_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- habits ---- */

int history_priority(const struct history *history, const struct thread *thread)
{
	return thread->tid < history->priority_count ? history->priority[thread->tid] : -1;
}

struct map64 *history_habits(const struct history *history)
{
	return &((struct history *)history)->habits;
}
