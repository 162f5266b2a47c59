/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/history.h"

#include <string.h>

#include "base/memory.h"

/* Kinds that are kept whole, because the model does not know them. */
static const enum event_kind kept_kinds[] = {
	EVENT_IRQ, EVENT_DISK, EVENT_RECLAIM, EVENT_TCP_STATE, EVENT_RETRANSMIT, EVENT_STEAL,
};

/* The kernel's PID_MAX_LIMIT. */
#define TID_LIMIT (4u << 20)

struct kept_events {
	const struct event_header **events;
	size_t count;
	size_t capacity;
	uint64_t longest_ns;
};

/* Lists of numbers sorted into groups: those of group G are items[first[G]] .. items[first[G + 1]].
 */
struct grouping {
	uint32_t *items;
	uint32_t *first;
	uint32_t group_count;
};

struct history {
	struct model *model;
	struct turn *turns; /* in the order in which they were told */
	size_t turn_count;
	size_t turn_capacity;
	struct grouping by_thread; /* of turns */
	struct grouping by_cpu;    /* of turns with runs */
	struct grouping samples;   /* of the model's samples, by thread */
	uint32_t *last_turn;       /* of each thread while replaying; MODEL_NONE */
	int16_t *priority;         /* by tid: of the last switch-in; -1 */
	size_t priority_count;
	size_t priority_capacity;
	struct kept_events kept[EVENT_KIND_LIMIT];
	struct map64 habits;
	struct arena arena;
};

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
	history->last_turn[thread->index] = (uint32_t)history->turn_count++;
	return turn;
}

static struct turn *last_turn(const struct history *history, const struct thread *thread)
{
	uint32_t i = history->last_turn[thread->index];

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
	turn->wait = wait->id;
	turn->waker = wait->waker ? wait->waker->index : MODEL_NONE;
	turn->flags |= TURN_HAS_WAIT | (wait->wake_seen ? TURN_WAKE_SEEN : 0) |
		       (wait->waker_is_irq ? TURN_WAKER_IRQ : 0) | (wait->is_open ? TURN_OPEN : 0);
}

static void on_run(void *context, struct thread *thread, uint16_t cpu, uint64_t from_ns,
		   uint64_t to_ns, uint16_t end_state, uint8_t flags, bool is_cut)
{
	struct history *history = context;
	struct turn *turn = last_turn(history, thread);

	(void)end_state, (void)flags, (void)is_cut;
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

/* An event's time is when it ended. MODEL_TIME_UNKNOWN: it does not say when it began. */
static uint64_t begin_of(const struct event_header *event)
{
	switch (event->kind) {
	case EVENT_IRQ:
		return ((const struct event_irq *)event)->from_ns;
	case EVENT_STEAL:
		return ((const struct event_steal *)event)->from_ns;
	case EVENT_DISK:
		return ((const struct event_disk *)event)->queued_ns;
	default:
		return MODEL_TIME_UNKNOWN;
	}
}

static void keep_event(struct history *history, const struct event_header *event)
{
	struct kept_events *kept = &history->kept[event->kind];
	uint64_t begin_ns = begin_of(event);

	if (begin_ns < event->time_ns && event->time_ns - begin_ns > kept->longest_ns)
		kept->longest_ns = event->time_ns - begin_ns;
	array_reserve((void **)&kept->events, &kept->capacity, kept->count + 1,
		      sizeof(*kept->events));
	kept->events[kept->count++] = arena_copy(&history->arena, event, event->size);
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
			keep_event(history, event);
	}
}

/* Sorts the numbers below COUNT by group_of, keeping their order within a group. MODEL_NONE leaves
 * one out. */
static void group(struct grouping *grouping, uint32_t group_count, size_t count,
		  uint32_t (*group_of)(const struct history *, size_t),
		  const struct history *history)
{
	uint32_t *next = xcalloc(group_count + 1, sizeof(*next));

	grouping->group_count = group_count;
	grouping->first = xcalloc(group_count + 1, sizeof(*grouping->first));
	for (size_t i = 0; i < count; i++) {
		uint32_t which = group_of(history, i);

		if (which < group_count)
			grouping->first[which + 1]++;
	}
	for (uint32_t i = 0; i < group_count; i++)
		grouping->first[i + 1] += grouping->first[i];
	memcpy(next, grouping->first, (group_count + 1) * sizeof(*next));
	grouping->items = xcalloc((size_t)grouping->first[group_count] + 1, sizeof(uint32_t));
	for (size_t i = 0; i < count; i++) {
		uint32_t which = group_of(history, i);

		if (which < group_count)
			grouping->items[next[which]++] = (uint32_t)i;
	}
	free(next);
}

static void grouping_release(struct grouping *grouping)
{
	free(grouping->items);
	free(grouping->first);
}

static uint32_t thread_of_turn(const struct history *history, size_t i)
{
	return history->turns[i].thread;
}

static uint32_t cpu_of_turn(const struct history *history, size_t i)
{
	const struct turn *turn = &history->turns[i];

	return turn->flags & TURN_HAS_RUN ? turn->cpu : MODEL_NONE;
}

static uint32_t thread_of_sample(const struct history *history, size_t i)
{
	return model_sample(history->model, i)->thread->index;
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

int history_new(struct history **ret, struct model *model)
{
	struct history *history = xcalloc(1, sizeof(*history));
	uint32_t thread_count = (uint32_t)model_thread_count(model);
	struct model_listener listener = {
		.context = history, .run = on_run, .wait = on_wait, .event = on_event};
	int err;

	history->model = model;
	history->last_turn = xmalloc((thread_count + 1) * sizeof(*history->last_turn));
	memset(history->last_turn, 0xff, (thread_count + 1) * sizeof(*history->last_turn));
	err = model_replay(model, 0, UINT64_MAX, &listener);
	free(history->last_turn);
	history->last_turn = NULL;
	if (err) {
		history_free(history);
		return err;
	}
	group(&history->by_thread, thread_count, history->turn_count, thread_of_turn, history);
	group(&history->by_cpu, cpu_limit(history), history->turn_count, cpu_of_turn, history);
	group(&history->samples, thread_count, model_sample_count(model), thread_of_sample,
	      history);
	settle(history, &history->by_thread);
	settle(history, &history->by_cpu);
	*ret = history;
	return 0;
}

void history_free(struct history *history)
{
	if (!history)
		return;
	for (size_t i = 0; i < EVENT_KIND_LIMIT; i++)
		free(history->kept[i].events);
	grouping_release(&history->by_thread);
	grouping_release(&history->by_cpu);
	grouping_release(&history->samples);
	map64_release(&history->habits);
	arena_release(&history->arena);
	free(history->turns);
	free(history->last_turn);
	free(history->priority);
	free(history);
}

struct model *history_model(const struct history *history)
{
	return history->model;
}

static size_t group_size(const struct grouping *grouping, uint32_t which)
{
	return which < grouping->group_count ? grouping->first[which + 1] - grouping->first[which]
					     : 0;
}

static uint32_t group_item(const struct grouping *grouping, uint32_t which, size_t i)
{
	return grouping->items[grouping->first[which] + i];
}

/* The first turn of a group that ends after TIME_NS. */
static size_t turn_after(const struct history *history, const struct grouping *grouping,
			 uint32_t which, uint64_t time_ns)
{
	size_t low = 0, high = group_size(grouping, which);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (history->turns[group_item(grouping, which, middle)].to_ns <= time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
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

struct history_events history_events(const struct history *history, enum event_kind kind)
{
	const struct kept_events *kept = &history->kept[kind];

	return (struct history_events){
		.events = kept->events, .count = kept->count, .longest_ns = kept->longest_ns};
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

bool history_events_are_over(const struct history_events *events, size_t i, uint64_t time_ns)
{
	uint64_t end_ns = events->events[i]->time_ns;

	return end_ns >= time_ns && end_ns - time_ns >= events->longest_ns;
}

int history_priority(const struct history *history, const struct thread *thread)
{
	return thread->tid < history->priority_count ? history->priority[thread->tid] : -1;
}

struct map64 *history_habits(const struct history *history)
{
	return &((struct history *)history)->habits;
}
