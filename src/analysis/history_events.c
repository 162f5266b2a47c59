/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kept events by what they are about, so that nobody has to look at all of them: interrupts by the
 * thread they took the CPU from, retransmissions by their connection, and so on.
 */
#include <stdlib.h>

#include "analysis/history_internal.h"

void kept_events_add(struct kept_events *kept, struct arena *arena,
		     const struct event_header *event)
{
	array_reserve((void **)&kept->events, &kept->capacity, kept->count + 1,
		      sizeof(*kept->events));
	kept->events[kept->count++] = arena_copy(arena, event, event->size);
}

/* What an event is about, as history_over_begin wants it; of other kinds all are about 0. */
static uint64_t key_of(const struct event_header *event)
{
	const struct event_retransmit *retransmit = (const void *)event;

	switch (event->kind) {
	case EVENT_IRQ:
		return ((const struct event_irq *)event)->tid;
	case EVENT_TCP_STATE:
		return ((const struct event_tcp_state *)event)->tid;
	case EVENT_RETRANSMIT:
		return history_connection_key(retransmit->local_port, retransmit->remote_port);
	case EVENT_CGROUP:
		return ((const struct event_cgroup *)event)->pid;
	default:
		return 0;
	}
}

/* When what it tells of began. */
static uint64_t begin_ns(const struct event_header *event)
{
	switch (event->kind) {
	case EVENT_IRQ:
		return ((const struct event_irq *)event)->from_ns;
	case EVENT_DISK:
		return ((const struct event_disk *)event)->queued_ns;
	case EVENT_STEAL:
		return ((const struct event_steal *)event)->from_ns;
	default:
		return event->time_ns;
	}
}

static uint32_t group_of(const void *context, size_t i)
{
	const struct kept_events *kept = context;

	return (uint32_t)*map64_get(&kept->numbers, key_of(kept->events[i]));
}

void kept_events_seal(struct kept_events *kept)
{
	uint32_t groups = 0;

	for (size_t i = 0; i < kept->count; i++) {
		uint64_t key = key_of(kept->events[i]);

		if (!map64_get(&kept->numbers, key))
			map64_put(&kept->numbers, key, groups++);
	}
	grouping_make(&kept->by_key, groups, kept->count, group_of, kept);
	kept->earliest_ns = xcalloc(kept->count + 1, sizeof(*kept->earliest_ns));
	for (uint32_t group = 0; group < groups; group++) {
		uint64_t earliest_ns = UINT64_MAX;

		for (uint32_t i = kept->by_key.first[group + 1]; i-- > kept->by_key.first[group];) {
			uint64_t ns = begin_ns(kept->events[kept->by_key.items[i]]);

			earliest_ns = ns < earliest_ns ? ns : earliest_ns;
			kept->earliest_ns[i] = earliest_ns;
		}
	}
}

void kept_events_release(struct kept_events *kept)
{
	free(kept->events);
	free(kept->earliest_ns);
	map64_release(&kept->numbers);
	grouping_release(&kept->by_key);
}

/* Of the events about one thing, the first at TIME_NS or later. */
static uint32_t first_from(const struct kept_events *kept, uint32_t low, uint32_t high,
			   uint64_t time_ns)
{
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (kept->events[kept->by_key.items[middle]]->time_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void history_over_begin(struct history_over *over, const struct history *history,
			enum event_kind kind, uint64_t key, uint64_t from_ns, uint64_t to_ns)
{
	const struct kept_events *kept = &history->kept[kind];
	const uint64_t *group = map64_get(&kept->numbers, key);

	*over = (struct history_over){.kept = kept, .from_ns = from_ns, .to_ns = to_ns};
	if (!group)
		return;
	over->end = kept->by_key.first[*group + 1];
	over->next = first_from(kept, kept->by_key.first[*group], over->end, from_ns);
}

const struct event_header *history_over_next(struct history_over *over)
{
	const struct kept_events *kept = over->kept;

	while (over->next < over->end && kept->earliest_ns[over->next] <= over->to_ns) {
		const struct event_header *event = kept->events[kept->by_key.items[over->next++]];

		over->looks++;
		if (begin_ns(event) <= over->to_ns)
			return event;
	}
	return NULL;
}
