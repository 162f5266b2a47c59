/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the history: its parts and who fills them.
 *
 *	history_read.c    listens to the one pass over a recording, then puts what it heard in order
 *	history_events.c  events that the model does not know: by what they are about
 *	history.c         what others ask
 */
#ifndef DASHCAM_ANALYSIS_HISTORY_INTERNAL_H
#define DASHCAM_ANALYSIS_HISTORY_INTERNAL_H

#include "analysis/history.h"
#include "base/memory.h"

/* Lists of numbers sorted into groups: those of group G are items[first[G]] .. items[first[G + 1]].
 */
struct grouping {
	uint32_t *items;
	uint32_t *first;
	uint32_t group_count;
};

/* Sorts the numbers below COUNT by what group_of says of each, keeping their order within a group.
 * MODEL_NONE leaves one out. */
void grouping_make(struct grouping *grouping, uint32_t group_count, size_t count,
		   uint32_t (*group_of)(const void *context, size_t i), const void *context);
void grouping_release(struct grouping *grouping);

static inline size_t group_size(const struct grouping *grouping, uint32_t which)
{
	return which < grouping->group_count ? grouping->first[which + 1] - grouping->first[which]
					     : 0;
}

static inline uint32_t group_item(const struct grouping *grouping, uint32_t which, size_t i)
{
	return grouping->items[grouping->first[which] + i];
}

/* All events of a kind. */
struct kept_events {
	const struct event_header **events; /* in the order of time */
	size_t count;
	size_t capacity;
	struct map64 numbers;   /* of what they are about: the number of its group */
	struct grouping by_key; /* of events */
	uint64_t *earliest_ns;  /* for each item of by_key: when it or one behind it in its group
				   began */
};

void kept_events_add(struct kept_events *kept, struct arena *arena,
		     const struct event_header *event);
/* All are there. */
void kept_events_seal(struct kept_events *kept);
void kept_events_release(struct kept_events *kept);

struct cpu_gap {
	uint64_t from_ns;
	uint64_t to_ns;
	uint16_t cpu;
};

struct history {
	struct model *model;
	struct turn *turns; /* in the order in which they were told */
	size_t turn_count;
	size_t turn_capacity;
	struct grouping by_thread; /* of turns */
	struct grouping by_cpu;    /* of turns with runs */
	struct grouping by_waker;  /* of waits that a thread ended; made when first asked for */
	struct grouping samples;   /* of the model's samples, by thread */
	uint32_t *last_turn;       /* of each thread while reading; MODEL_NONE */
	size_t last_turn_count;
	size_t last_turn_capacity;
	int16_t *priority; /* by tid: of the last switch-in; -1 */
	size_t priority_count;
	size_t priority_capacity;
	struct kept_events kept[EVENT_KIND_LIMIT];
	struct cpu_gap *gaps; /* by CPU, then time */
	size_t gap_count;
	struct map64 habits;
	struct arena arena;
};

/* ---- history_gaps.c ---- */

void history_gaps_make(struct history *history);

#endif
