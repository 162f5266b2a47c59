/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "analysis/history_internal.h"

/* Kinds that are kept whole, because the model does not know them. */
static const enum event_kind kept_kinds[] = {
	EVENT_IRQ, EVENT_DISK, EVENT_RECLAIM, EVENT_TCP_STATE, EVENT_RETRANSMIT, EVENT_STEAL,
};

/* The kernel's PID_MAX_LIMIT. */
#define TID_LIMIT (4u << 20)

/* ---- listening ---- */

static uint32_t *last_turn_number(struct history *history, const struct thread *thread)
{
	size_t need = (size_t)thread->index + 1;

	array_reserve((void **)&history->last_turn, &history->last_turn_capacity, need,
		      sizeof(*history->last_turn));
	for (; history->last_turn_count < need; history->last_turn_count++)
		history->last_turn[history->last_turn_count] = MODEL_NONE;
	return &history->last_turn[thread->index];
}

static struct turn *new_turn(struct history *history, const struct thread *thread)
{
	struct turn *turn;

	array_reserve((void **)&history->turns, &history->turn_capacity, history->turn_count + 1,
		      sizeof(*history->turns));
	turn = &history->turns[history->turn_count];
	memset(turn, 0, sizeof(*turn));
	turn->thread = thread->index;
	turn->waker = turn->wait = MODEL_NONE;
	turn->prev_syscall = EVENT_NO_SYSCALL;
	*last_turn_number(history, thread) = (uint32_t)history->turn_count++;
	return turn;
}

static struct turn *last_turn(struct history *history, const struct thread *thread)
{
	uint32_t i = *last_turn_number(history, thread);

	return i == MODEL_NONE ? NULL : &history->turns[i];
}

/* The wait may be told before or after the run that follows it: evidence comes late. */
static void on_wait(void *context, const struct wait *wait)
{
	struct history *history = context;
	struct turn *turn = last_turn(history, wait->thread);

	if (!turn || turn->flags & TURN_HAS_WAIT || turn->from_ns != wait->end_ns)
		turn = new_turn(history, wait->thread);
	if (!(turn->flags & TURN_HAS_RUN)) {
		turn->from_ns = turn->to_ns = wait->end_ns;
		turn->cpu = wait->cpu;
	}
	turn->start_ns = wait->start_ns;
	turn->wake_ns = wait->wake_ns;
	turn->prev_state = wait->prev_state;
	turn->switch_flags = wait->switch_flags;
	turn->prev_syscall = wait->syscall;
	turn->waker = wait->waker ? wait->waker->index : MODEL_NONE;
	turn->flags |= TURN_HAS_WAIT | (wait->wake_seen ? TURN_WAKE_SEEN : 0) |
		       (wait->waker_is_irq ? TURN_WAKER_IRQ : 0) | (wait->is_open ? TURN_OPEN : 0);
}

/* An idle CPU is one where nobody runs: that needs no turns. */
static void on_run(void *context, struct thread *thread, uint16_t cpu, uint64_t from_ns,
		   uint64_t to_ns, uint16_t end_state, uint8_t flags, bool is_cut)
{
	struct history *history = context;
	struct turn *turn;

	(void)end_state, (void)flags, (void)is_cut;
	if (thread->tid == 0)
		return;
	turn = last_turn(history, thread);
	if (!turn || turn->flags & TURN_HAS_RUN || turn->from_ns != from_ns ||
	    turn->flags & TURN_OPEN) {
		turn = new_turn(history, thread);
		turn->start_ns = turn->wake_ns = from_ns;
	}
	turn->from_ns = from_ns;
	turn->to_ns = to_ns;
	turn->cpu = cpu;
	turn->flags |= TURN_HAS_RUN;
}

static void note_priority(struct history *history, const struct event_switch *event)
{
	size_t need = (size_t)event->next_tid + 1;

	if (event->next_tid > TID_LIMIT)
		return;
	if (need > history->priority_count) {
		array_reserve((void **)&history->priority, &history->priority_capacity, need,
			      sizeof(*history->priority));
		for (; history->priority_count < need; history->priority_count++)
			history->priority[history->priority_count] = -1;
	}
	history->priority[event->next_tid] = event->next_prio;
}

static void on_event(void *context, const struct event_header *event)
{
	struct history *history = context;

	if (event->kind == EVENT_SWITCH) {
		note_priority(history, (const void *)event);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kept_kinds); i++) {
		if (event->kind == kept_kinds[i])
			kept_events_add(&history->kept[event->kind], &history->arena, event);
	}
}

/* ---- putting in order ---- */

void grouping_make(struct grouping *grouping, uint32_t group_count, size_t count,
		   uint32_t (*group_of)(const void *context, size_t i), const void *context)
{
	uint32_t *next = xcalloc(group_count + 1, sizeof(*next));

	grouping->group_count = group_count;
	grouping->first = xcalloc(group_count + 1, sizeof(*grouping->first));
	for (size_t i = 0; i < count; i++) {
		uint32_t which = group_of(context, i);

		if (which < group_count)
			grouping->first[which + 1]++;
	}
	for (uint32_t i = 0; i < group_count; i++)
		grouping->first[i + 1] += grouping->first[i];
	memcpy(next, grouping->first, (group_count + 1) * sizeof(*next));
	grouping->items = xcalloc((size_t)grouping->first[group_count] + 1, sizeof(uint32_t));
	for (size_t i = 0; i < count; i++) {
		uint32_t which = group_of(context, i);

		if (which < group_count)
			grouping->items[next[which]++] = (uint32_t)i;
	}
	free(next);
}

void grouping_release(struct grouping *grouping)
{
	free(grouping->items);
	free(grouping->first);
}

static uint32_t thread_of_turn(const void *context, size_t i)
{
	return ((const struct history *)context)->turns[i].thread;
}

static uint32_t cpu_of_turn(const void *context, size_t i)
{
	const struct turn *turn = &((const struct history *)context)->turns[i];

	return turn->flags & TURN_HAS_RUN ? turn->cpu : MODEL_NONE;
}

static uint32_t thread_of_sample(const void *context, size_t i)
{
	return model_sample(((const struct history *)context)->model, i)->thread->index;
}

/* The order of a group is that of its items' ends; they are told almost in order, so this is cheap.
 */
static void settle(struct history *history, struct grouping *grouping)
{
	for (uint32_t g = 0; g < grouping->group_count; g++) {
		uint32_t *items = grouping->items + grouping->first[g];
		size_t count = grouping->first[g + 1] - grouping->first[g];

		for (size_t i = 1; i < count; i++) {
			uint32_t item = items[i];
			size_t at = i;

			for (;
			     at && history->turns[items[at - 1]].to_ns > history->turns[item].to_ns;
			     at--)
				items[at] = items[at - 1];
			items[at] = item;
		}
	}
}

static uint32_t cpu_limit(const struct history *history)
{
	uint32_t limit = model_cpu_count(history->model);

	for (size_t i = 0; i < history->turn_count; i++) {
		if (history->turns[i].cpu >= limit)
			limit = history->turns[i].cpu + 1u;
	}
	return limit;
}

/* How long each CPU was busy before each of its runs. */
static void sum_runs(struct history *history)
{
	const struct grouping *grouping = &history->by_cpu;

	for (uint32_t cpu = 0; cpu < grouping->group_count; cpu++) {
		uint64_t busy_ns = 0;

		for (uint32_t i = grouping->first[cpu]; i < grouping->first[cpu + 1]; i++) {
			struct turn *turn = &history->turns[grouping->items[i]];

			turn->busy_before_ns = busy_ns;
			turn->place = i - grouping->first[cpu];
			busy_ns += turn->to_ns - turn->from_ns;
		}
	}
}

/* Tells turns which of the model's waits are theirs. Both are in the order of their ends. */
static void join_waits(struct history *history)
{
	const struct grouping *grouping = &history->by_thread;
	uint32_t *next = xmalloc((grouping->group_count + 1) * sizeof(*next));

	memcpy(next, grouping->first, (grouping->group_count + 1) * sizeof(*next));
	for (size_t i = 0; i < model_wait_count(history->model); i++) {
		const struct wait *wait = model_wait(history->model, i);
		uint32_t thread = wait->thread->index, end = grouping->first[thread + 1];
		struct turn *turn;

		while (next[thread] < end &&
		       history->turns[grouping->items[next[thread]]].from_ns < wait->end_ns)
			next[thread]++;
		for (uint32_t at = next[thread]; at < end; at++) {
			turn = &history->turns[grouping->items[at]];
			if (turn->from_ns != wait->end_ns)
				break;
			if (!(turn->flags & TURN_HAS_WAIT) || turn->start_ns != wait->start_ns ||
			    turn->wait != MODEL_NONE)
				continue;
			turn->wait = wait->id;
			/* what stacks say of it was not known while reading */
			turn->flags |= wait->waker_is_irq ? TURN_WAKER_IRQ : 0;
			break;
		}
	}
	free(next);
}

static void seal(struct history *history)
{
	struct model *model = history->model;
	uint32_t thread_count = (uint32_t)model_thread_count(model);

	free(history->last_turn);
	history->last_turn = NULL;
	grouping_make(&history->by_thread, thread_count, history->turn_count, thread_of_turn,
		      history);
	grouping_make(&history->by_cpu, cpu_limit(history), history->turn_count, cpu_of_turn,
		      history);
	grouping_make(&history->samples, thread_count, model_sample_count(model), thread_of_sample,
		      history);
	settle(history, &history->by_thread);
	settle(history, &history->by_cpu);
	sum_runs(history);
	history_gaps_make(history);
	join_waits(history);
	for (size_t i = 0; i < model_cgroup_count(model); i++)
		kept_events_add(&history->kept[EVENT_CGROUP], &history->arena,
				&model_cgroup(model, i)->header);
	for (size_t kind = 0; kind < EVENT_KIND_LIMIT; kind++)
		kept_events_seal(&history->kept[kind]);
}

int history_new(struct history **ret, struct recording *recording)
{
	struct history *history = xcalloc(1, sizeof(*history));
	struct model_listener listener = {
		.context = history, .run = on_run, .wait = on_wait, .event = on_event};
	struct model_options options = {.min_wait_ns = UINT64_MAX, .listener = &listener};
	int err = model_new(&history->model, recording, &options);

	if (err) {
		history_free(history);
		return err;
	}
	seal(history);
	*ret = history;
	return 0;
}

void history_free(struct history *history)
{
	if (!history)
		return;
	for (size_t i = 0; i < EVENT_KIND_LIMIT; i++)
		kept_events_release(&history->kept[i]);
	grouping_release(&history->by_thread);
	grouping_release(&history->by_cpu);
	grouping_release(&history->by_waker);
	grouping_release(&history->samples);
	map64_release(&history->habits);
	arena_release(&history->arena);
	free(history->turns);
	free(history->last_turn);
	free(history->priority);
	model_free(history->model);
	free(history);
}
