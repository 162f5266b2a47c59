/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/nonsense.h"

#include <string.h>

#include "event/schema.h"
#include "support/synth.h"

#define CPUS 4

static uint64_t draw(uint64_t *random, uint64_t limit)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*random >> 33) % limit;
}

/* Small numbers, so that threads and CPUs meet; now and then an absurd one. */
static void fill(struct event_header *event, uint64_t *random)
{
	const struct event_schema *schema = event_schema(event->kind);

	for (unsigned int i = 0; i < schema->field_count; i++) {
		const struct event_field *field = &schema->fields[i];
		bool is_time =
			field->meaning == MEANING_TIME_NS || field->meaning == MEANING_DURATION_NS;
		uint64_t value = is_time ? 1000 * draw(random, 100000) : draw(random, 4);

		if (draw(random, 200) == 0)
			value = ~draw(random, 3);
		if (field->meaning == MEANING_TIME_NS)
			value += SYNTH_ORIGIN_NS;
		if (field->meaning == MEANING_CPU || field->size == 0)
			value = draw(random, CPUS);
		if (field->meaning == MEANING_TEXT || field->meaning == MEANING_TEXTS)
			continue;
		for (unsigned int n = 0; field->size && n < field->count; n++)
			memcpy((char *)event + field->offset + n * field->size, &value,
			       field->size);
	}
}

static void add_nonsense(struct synth *synth, uint64_t *random)
{
	/* what the model is made of is more frequent than what is looked up */
	static const uint16_t kinds[] = {
		EVENT_SWITCH, EVENT_SWITCH,    EVENT_SWITCH,     EVENT_SWITCH, EVENT_SWITCH,
		EVENT_WAKING, EVENT_WAKING,    EVENT_WAKING,     EVENT_WAKING, EVENT_RESUME,
		EVENT_WAIT,   EVENT_WAIT,      EVENT_WAIT,       EVENT_SAMPLE, EVENT_SAMPLE,
		EVENT_FORK,   EVENT_EXEC,      EVENT_EXIT,       EVENT_RENAME, EVENT_LOSS,
		EVENT_THREAD, EVENT_IRQ,       EVENT_DISK,       EVENT_DISK,   EVENT_RECLAIM,
		EVENT_STEAL,  EVENT_TCP_STATE, EVENT_RETRANSMIT, EVENT_SPAN,   EVENT_SPAN_NAME,
		EVENT_SIGNAL, EVENT_FILE,      EVENT_SOCKET,     EVENT_STACK,  EVENT_FRAME,
		EVENT_MODULE, EVENT_CGROUP,
	};
	union {
		struct event_header header;
		char bytes[512];
	} space = {0};
	uint16_t kind = kinds[draw(random, sizeof(kinds) / sizeof(kinds[0]))];

	/* gaps are rare, or nothing would be known of anything */
	if (kind == EVENT_LOSS && draw(random, 10))
		kind = EVENT_SWITCH;
	space.header.kind = kind;
	space.header.size = (uint16_t)event_align(event_schema(kind)->fixed_size + 8u);
	space.header.time_ns = SYNTH_ORIGIN_NS + 1000 * draw(random, 1000000);
	fill(&space.header, random);
	if (event_is_sound(&space.header, space.header.size))
		synth_event(synth, (uint16_t)draw(random, CPUS), &space.header);
}

struct recording *nonsense_recording(uint64_t seed, unsigned int events)
{
	struct synth *synth = synth_new();
	struct recording *recording;
	uint64_t random = seed;

	for (unsigned int i = 0; i < events; i++)
		add_nonsense(synth, &random);
	recording = synth_to_memory(synth);
	synth_free(synth);
	return recording;
}
