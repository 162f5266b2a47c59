/* SPDX-License-Identifier: BSD-2-Clause */
#include "query/delay.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "query/internal.h"

/* Enough for any recording a person can read; keeps a hostile one from taking all memory. */
#define ENTRIES_MAX 4000000

/* One CPU: its delays, in the order in which they began. */
struct lane {
	size_t begin; /* in delays.waits */
	size_t end;
	size_t next;    /* the first that no run has reached yet */
	size_t *active; /* delays that may reach into the next run */
	size_t active_count;
	size_t active_capacity;
	uint8_t running_prio;
	uint8_t ended_prio; /* of the run that ended at switched_ns */
	uint64_t switched_ns;
};

struct delays {
	const struct wait **waits; /* by CPU, then by wake_ns */
	size_t count;
	struct lane *lanes;
	size_t lane_count;
	struct digest_culprit *culprits;
	size_t culprit_count;
	size_t culprit_capacity;
	struct map64 culprit_of; /* (position in waits, thread index) to position in culprits */
	struct digest_queued *queued;
	size_t queued_count;
	size_t queued_capacity;
	bool is_cut;
};

static int compare_waits(const void *a, const void *b)
{
	const struct wait *x = *(const struct wait *const *)a, *y = *(const struct wait *const *)b;

	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	if (x->wake_ns != y->wake_ns)
		return x->wake_ns < y->wake_ns ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static bool is_delay(const struct query *query, const struct wait *wait, uint64_t min_ns)
{
	return !wait->is_open && wait_runnable_ns(wait) >= min_ns && wait_runnable_ns(wait) > 0 &&
	       query_takes_thread(query, wait->thread) &&
	       query_takes_time(query, wait->start_ns, wait->end_ns);
}

static void make_lanes(struct delays *delays)
{
	delays->lane_count = delays->count ? delays->waits[delays->count - 1]->cpu + 1u : 0;
	delays->lanes = xcalloc(delays->lane_count + 1, sizeof(*delays->lanes));
	for (size_t i = 0; i < delays->count; i++) {
		struct lane *lane = &delays->lanes[delays->waits[i]->cpu];

		if (lane->begin == lane->end)
			lane->begin = lane->next = i;
		lane->end = i + 1;
	}
}

struct delays *delays_new(struct query *query, uint64_t min_ns)
{
	struct delays *delays = xcalloc(1, sizeof(*delays));
	size_t capacity = 0;

	for (size_t i = 0; i < model_wait_count(query->model); i++) {
		const struct wait *wait = model_wait(query->model, i);

		if (!is_delay(query, wait, min_ns))
			continue;
		array_reserve((void **)&delays->waits, &capacity, delays->count + 1,
			      sizeof(*delays->waits));
		delays->waits[delays->count++] = wait;
	}
	if (delays->count)
		qsort(delays->waits, delays->count, sizeof(*delays->waits), compare_waits);
	make_lanes(delays);
	return delays;
}

void delays_free(struct delays *delays)
{
	if (!delays)
		return;
	for (size_t i = 0; i < delays->lane_count; i++)
		free(delays->lanes[i].active);
	free(delays->lanes);
	free(delays->waits);
	free(delays->culprits);
	free(delays->queued);
	map64_release(&delays->culprit_of);
	free(delays);
}

void delays_event(struct delays *delays, const struct event_header *event)
{
	const struct event_switch *change = (const struct event_switch *)event;
	struct lane *lane;

	if (event->kind != EVENT_SWITCH || change->cpu >= delays->lane_count)
		return;
	lane = &delays->lanes[change->cpu];
	lane->ended_prio = lane->running_prio;
	lane->running_prio = change->next_prio;
	lane->switched_ns = event->time_ns;
}

static struct digest_culprit *culprit_of(struct delays *delays, size_t i, struct thread *thread)
{
	uint64_t key = (uint64_t)i << 32 | (thread ? thread->index : UINT32_MAX);
	uint64_t *found = map64_get(&delays->culprit_of, key);

	if (found)
		return &delays->culprits[*found];
	if (delays->culprit_count == ENTRIES_MAX) {
		delays->is_cut = true;
		return NULL;
	}
	map64_put(&delays->culprit_of, key, delays->culprit_count);
	array_reserve((void **)&delays->culprits, &delays->culprit_capacity,
		      delays->culprit_count + 1, sizeof(*delays->culprits));
	delays->culprits[delays->culprit_count] =
		(struct digest_culprit){.wait = delays->waits[i], .thread = thread};
	return &delays->culprits[delays->culprit_count++];
}

static void add_queued(struct delays *delays, const struct wait *wait, struct thread *thread,
		       bool is_running, uint64_t since_ns)
{
	if (delays->queued_count == ENTRIES_MAX) {
		delays->is_cut = true;
		return;
	}
	array_reserve((void **)&delays->queued, &delays->queued_capacity, delays->queued_count + 1,
		      sizeof(*delays->queued));
	delays->queued[delays->queued_count++] = (struct digest_queued){
		.wait = wait,
		.thread = thread,
		.position = is_running ? 0 : 1, /* places are given when all are known */
		.since_ns = since_ns,
	};
}

/* A run and a delay on the same CPU that touch each other. */
static void charge(struct delays *delays, size_t i, struct thread *thread, uint8_t prio,
		   uint64_t from_ns, uint64_t to_ns)
{
	const struct wait *wait = delays->waits[i];
	struct digest_culprit *culprit;

	if (from_ns <= wait->wake_ns && wait->wake_ns < to_ns)
		add_queued(delays, wait, thread, true, from_ns);
	if (from_ns < wait->wake_ns)
		from_ns = wait->wake_ns;
	if (to_ns > wait->end_ns)
		to_ns = wait->end_ns;
	if (to_ns <= from_ns)
		return;
	culprit = culprit_of(delays, i, thread);
	if (!culprit)
		return;
	culprit->ran_ns += to_ns - from_ns;
	culprit->runs++;
	culprit->prio = prio;
}

void delays_run(struct delays *delays, struct thread *thread, uint16_t cpu, uint64_t from_ns,
		uint64_t to_ns)
{
	struct lane *lane;
	uint8_t prio;
	size_t kept = 0;

	if (cpu >= delays->lane_count)
		return;
	lane = &delays->lanes[cpu];
	prio = to_ns == lane->switched_ns ? lane->ended_prio : lane->running_prio;
	while (lane->next < lane->end && delays->waits[lane->next]->wake_ns < to_ns) {
		array_reserve((void **)&lane->active, &lane->active_capacity,
			      lane->active_count + 1, sizeof(*lane->active));
		lane->active[lane->active_count++] = lane->next++;
	}
	for (size_t i = 0; i < lane->active_count; i++) {
		size_t delay = lane->active[i];

		if (delays->waits[delay]->end_ns <= from_ns)
			continue;
		charge(delays, delay, thread, prio, from_ns, to_ns);
		lane->active[kept++] = delay;
	}
	lane->active_count = kept;
}

/* The first delay of a lane that began at TIME_NS or later. */
static size_t first_from(const struct delays *delays, const struct lane *lane, uint64_t time_ns)
{
	size_t low = lane->begin, high = lane->end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (delays->waits[middle]->wake_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* WAIT, short or long, stood in the queue of each delay that began while it was runnable. */
void delays_wait(struct delays *delays, const struct wait *wait)
{
	const struct lane *lane;

	if (wait->is_open || wait->cpu >= delays->lane_count || wait->wake_ns == wait->end_ns)
		return;
	lane = &delays->lanes[wait->cpu];
	for (size_t i = first_from(delays, lane, wait->wake_ns); i < lane->end; i++) {
		const struct wait *delay = delays->waits[i];

		if (delay->wake_ns >= wait->end_ns)
			break;
		if (delay->thread != wait->thread)
			add_queued(delays, delay, wait->thread, false, wait->wake_ns);
	}
}

/* ---- the end: order, places, what is left over ---- */

static int compare_culprits(const void *a, const void *b)
{
	const struct digest_culprit *x = a, *y = b;

	if (x->wait->id != y->wait->id)
		return x->wait->id < y->wait->id ? -1 : 1;
	if (x->ran_ns != y->ran_ns)
		return x->ran_ns > y->ran_ns ? -1 : 1;
	if (!x->thread || !y->thread)
		return !x->thread - !y->thread;
	return x->thread->index < y->thread->index ? -1 : x->thread->index > y->thread->index;
}

static int compare_queued(const void *a, const void *b)
{
	const struct digest_queued *x = a, *y = b;

	if (x->wait->id != y->wait->id)
		return x->wait->id < y->wait->id ? -1 : 1;
	if (!x->position != !y->position)
		return x->position ? 1 : -1;
	if (x->since_ns != y->since_ns)
		return x->since_ns < y->since_ns ? -1 : 1;
	return x->thread->index < y->thread->index ? -1 : x->thread->index > y->thread->index;
}

/* What no run accounts for is a gap in what was seen. */
static void add_unknown(struct delays *delays)
{
	uint64_t *accounted_ns = xcalloc(delays->count + 1, sizeof(*accounted_ns));
	uint64_t key, place;

	for (size_t at = 0; map64_next(&delays->culprit_of, &at, &key, &place);)
		accounted_ns[key >> 32] += delays->culprits[place].ran_ns;
	for (size_t i = 0; i < delays->count; i++) {
		uint64_t runnable_ns = wait_runnable_ns(delays->waits[i]);
		struct digest_culprit *unknown;

		if (accounted_ns[i] >= runnable_ns)
			continue;
		unknown = culprit_of(delays, i, NULL);
		if (unknown)
			unknown->ran_ns = runnable_ns - accounted_ns[i];
	}
	free(accounted_ns);
}

static void give_places(struct delays *delays)
{
	struct digest_queued *queued = delays->queued;

	if (delays->queued_count)
		qsort(queued, delays->queued_count, sizeof(*queued), compare_queued);
	for (size_t i = 0; i < delays->queued_count; i++) {
		if (!queued[i].position)
			continue;
		queued[i].position = i > 0 && queued[i - 1].wait == queued[i].wait
					     ? queued[i - 1].position + 1
					     : 1;
	}
}

void delays_finish(struct delays *delays, struct digest *digest)
{
	add_unknown(delays);
	if (delays->culprit_count)
		qsort(delays->culprits, delays->culprit_count, sizeof(*delays->culprits),
		      compare_culprits);
	give_places(delays);
	digest->culprits = delays->culprits;
	digest->culprit_count = delays->culprit_count;
	digest->queued = delays->queued;
	digest->queued_count = delays->queued_count;
	digest->is_cut |= delays->is_cut;
	delays->culprits = NULL;
	delays->queued = NULL;
}
