/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/info_facts.h"

#include <string.h>

#include "event/schema.h"

/* While reading: where names and losses are. The number behind a hash is that of the entry. */
struct reader {
	struct info_facts *facts;
	struct map64 fact_by_name;
	struct map64 hook_by_name;
	struct map64 loss_by_place;
	struct map64 span_names; /* id: const char * */
	struct map64 counts;     /* id of a span_name: number of the entry */
};

static void read_meta(struct reader *reader, const struct event_meta *event)
{
	struct info_facts *facts = reader->facts;
	const char *name = event_tail_text(&event->header, event->text, 0);
	const char *value = event_tail_text(&event->header, event->text, 1);
	uint64_t *found = map64_get(&reader->fact_by_name, hash_text(name));

	if (found) {
		facts->facts[*found].value = arena_strdup(&facts->texts, value);
		return;
	}
	map64_put(&reader->fact_by_name, hash_text(name), facts->fact_count);
	array_reserve((void **)&facts->facts, &facts->fact_capacity, facts->fact_count + 1,
		      sizeof(*facts->facts));
	facts->facts[facts->fact_count++] = (struct info_fact){
		.name = arena_strdup(&facts->texts, name),
		.value = arena_strdup(&facts->texts, value),
	};
}

static void read_hook(struct reader *reader, const struct event_hook *event)
{
	struct info_facts *facts = reader->facts;
	const char *name = event_tail_text(&event->header, event->text, 0);
	uint64_t *found = map64_get(&reader->hook_by_name, hash_text(name));
	struct info_hook hook = {
		.status = event->status,
		.error = event->error,
		.name = arena_strdup(&facts->texts, name),
		.text = arena_strdup(&facts->texts,
				     event_tail_text(&event->header, event->text, 1)),
	};

	if (found) {
		facts->hooks[*found] = hook;
		return;
	}
	map64_put(&reader->hook_by_name, hash_text(name), facts->hook_count);
	array_reserve((void **)&facts->hooks, &facts->hook_capacity, facts->hook_count + 1,
		      sizeof(hook));
	facts->hooks[facts->hook_count++] = hook;
}

static void read_loss(struct reader *reader, const struct event_loss *event)
{
	struct info_facts *facts = reader->facts;
	uint64_t place = (uint64_t)event->cpu << 48 | (uint64_t)event->log << 32 | event->reason;
	uint64_t *found = map64_get(&reader->loss_by_place, place);
	struct info_loss *loss;

	facts->lost_events += event->events;
	if (!found) {
		found = map64_put(&reader->loss_by_place, place, facts->loss_count);
		array_reserve((void **)&facts->losses, &facts->loss_capacity, facts->loss_count + 1,
			      sizeof(*facts->losses));
		facts->losses[facts->loss_count++] = (struct info_loss){
			.cpu = event->cpu,
			.log = event->log,
			.reason = event->reason,
			.from_ns = event->from_ns,
		};
	}
	loss = &facts->losses[*found];
	loss->events += event->events;
	if (event->from_ns < loss->from_ns)
		loss->from_ns = event->from_ns;
	if (event->to_ns > loss->to_ns)
		loss->to_ns = event->to_ns;
}

static void read_span_name(struct reader *reader, const struct event_span_name *event)
{
	if (!map64_get(&reader->span_names, event->name))
		map64_put(&reader->span_names, event->name,
			  (uintptr_t)arena_strdup(&reader->facts->texts, event->text));
}

/* Told again: the newest holds. */
static void read_call_count(struct reader *reader, const struct event_call_count *event)
{
	struct info_facts *facts = reader->facts;
	const uint64_t *known = map64_get(&reader->counts, event->name);

	if (!event->calls)
		return;
	if (!known) {
		known = map64_put(&reader->counts, event->name, facts->counted_count);
		array_reserve((void **)&facts->counted, &facts->counted_capacity,
			      facts->counted_count + 1, sizeof(*facts->counted));
		facts->counted_count++;
	}
	facts->counted[*known] =
		(struct info_counted){.calls = event->calls, .since_ns = event->since_ns};
}

/* Definitions may stand behind the counts. */
static void name_counted(struct reader *reader)
{
	uint64_t id, entry;
	size_t at = 0;

	while (map64_next(&reader->counts, &at, &id, &entry)) {
		const uint64_t *name = map64_get(&reader->span_names, id);

		reader->facts->counted[entry].name = name ? (const char *)(uintptr_t)*name : "?";
	}
}

static int compare_counted(const void *a, const void *b)
{
	const struct info_counted *x = a, *y = b;

	if (x->calls != y->calls)
		return x->calls > y->calls ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void read_clock(struct info_facts *facts, const struct event_clock *event)
{
	if (facts->has_clock)
		return;
	facts->has_clock = true;
	facts->clock_ns = event->header.time_ns;
	facts->realtime_ns = event->realtime_ns;
}

static void read_event(struct reader *reader, const struct event_header *event)
{
	switch (event->kind) {
	case EVENT_META:
		read_meta(reader, (const void *)event);
		break;
	case EVENT_HOOK:
		read_hook(reader, (const void *)event);
		break;
	case EVENT_LOSS:
		read_loss(reader, (const void *)event);
		break;
	case EVENT_SPAN_NAME:
		read_span_name(reader, (const void *)event);
		break;
	case EVENT_CALL_COUNT:
		read_call_count(reader, (const void *)event);
		break;
	case EVENT_CLOCK:
		read_clock(reader->facts, (const void *)event);
		break;
	default:
		break;
	}
}

static int compare_losses(const void *a, const void *b)
{
	const struct info_loss *x = a, *y = b;

	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	if (x->log != y->log)
		return x->log < y->log ? -1 : 1;
	return x->reason < y->reason ? -1 : x->reason > y->reason;
}

int info_facts_read(struct info_facts *ret, struct recording *recording, unsigned int streams)
{
	struct recording_range range = {.streams = streams, .to_ns = UINT64_MAX};
	struct reader reader = {.facts = ret};
	const struct event_header *event;
	struct recording_cursor *cursor;
	int got;

	*ret = (struct info_facts){.fact_count = 0};
	got = recording_cursor_new(&cursor, recording, &range);
	if (got)
		return got;
	while ((got = recording_cursor_next(cursor, &event)) == 1)
		read_event(&reader, event);
	ret->damaged = recording_cursor_damaged(cursor);
	recording_cursor_free(cursor);
	name_counted(&reader);
	if (ret->counted_count > 0)
		qsort(ret->counted, ret->counted_count, sizeof(*ret->counted), compare_counted);
	map64_release(&reader.span_names);
	map64_release(&reader.counts);
	map64_release(&reader.fact_by_name);
	map64_release(&reader.hook_by_name);
	map64_release(&reader.loss_by_place);
	if (ret->loss_count > 0)
		qsort(ret->losses, ret->loss_count, sizeof(*ret->losses), compare_losses);
	return got;
}

void info_facts_release(struct info_facts *facts)
{
	arena_release(&facts->texts);
	free(facts->facts);
	free(facts->hooks);
	free(facts->losses);
	free(facts->counted);
	*facts = (struct info_facts){.fact_count = 0};
}

const char *info_fact(const struct info_facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->fact_count; i++) {
		if (!strcmp(facts->facts[i].name, name))
			return facts->facts[i].value;
	}
	return NULL;
}
