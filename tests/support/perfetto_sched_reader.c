/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/perfetto_sched_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "support/synth.h"

#define CPUS 1024

/* One event of a bundle, compact or in full: fields by what they mean. */
struct sched_event {
	uint64_t time_ns;
	uint64_t order; /* of equal times, the one that was read first */
	uint32_t cpu;
	enum {
		SWITCH,
		WAKING,
		BORN,
		RENAME,
		END,
		BLOCKED,
		LOST
	} kind;
	bool is_full;
	bool is_in_interrupt;
	bool is_thread;
	uint32_t emitter;
	uint32_t prev_tid;
	uint32_t prev_state;
	uint32_t tid; /* next, wakee, newborn ... */
	uint32_t prio;
	uint32_t target_cpu;
	char name[64];
	char old_name[64];
};

struct running {
	bool is_known;
	bool has_slice;
	uint32_t tid;
	uint64_t since_ns;
	char name[64];
};

struct sched_reader {
	struct perfetto_reading *out;
	const char *(*symbol)(void *context, uint64_t sequence, uint64_t iid);
	void *context;
	struct sched_event *events;
	size_t count;
	size_t capacity;
	struct running running[CPUS];
};

void sched_reader_time(struct buffer *out, uint64_t time_ns)
{
	int64_t ns = (int64_t)(time_ns - SYNTH_ORIGIN_NS);

	if (ns % 1000)
		buffer_printf(out, "%.3f", (double)ns / 1000);
	else
		buffer_printf(out, "%" PRId64, ns / 1000);
}

struct sched_reader *sched_reader_new(struct perfetto_reading *out,
				      const char *(*symbol)(void *context, uint64_t sequence,
							    uint64_t iid),
				      void *context)
{
	struct sched_reader *reader = xcalloc(1, sizeof(*reader));

	reader->out = out;
	reader->symbol = symbol;
	reader->context = context;
	return reader;
}

static struct sched_event *new_event(struct sched_reader *reader, uint32_t cpu, uint64_t time_ns)
{
	struct sched_event *event;

	array_reserve((void **)&reader->events, &reader->capacity, reader->count + 1,
		      sizeof(*reader->events));
	event = &reader->events[reader->count];
	*event = (struct sched_event){.time_ns = time_ns, .order = reader->count++, .cpu = cpu};
	return event;
}

static void set_name(char name[64], struct protodec bytes)
{
	snprintf(name, 64, "%s", protodec_as_text(bytes));
}

/* ---- the compact form ---- */

struct compact {
	struct protodec columns[13];
	struct protodec names[1024];
	size_t name_count;
};

static bool next_of(struct sched_reader *reader, struct protodec *columns, const int *which,
		    unsigned int count, uint64_t *values)
{
	unsigned int got = 0;

	for (unsigned int i = 0; i < count; i++)
		got += protodec_varint(&columns[which[i]], &values[i]);
	if (got > 0 && got < count)
		buffer_printf(&reader->out->problems, "columns of unequal length\n");
	return got == count;
}

static void set_interned_name(struct sched_reader *reader, struct sched_event *event,
			      const struct compact *compact, uint64_t index)
{
	if (index >= compact->name_count)
		buffer_printf(&reader->out->problems, "no name %" PRIu64 "\n", index);
	else
		set_name(event->name, compact->names[index]);
}

static void take_compact(struct sched_reader *reader, uint32_t cpu, struct protodec message)
{
	static const int switch_columns[] = {1, 2, 3, 4, 6};
	static const int waking_columns[] = {7, 8, 9, 10, 11, 12};
	struct compact *compact = xcalloc(1, sizeof(*compact));
	struct protodec_field field;
	uint64_t values[6], time_ns = 0;

	while (protodec_next(&message, &field)) {
		if (field.number == 5 && compact->name_count < 1024)
			compact->names[compact->name_count++] = field.bytes;
		else if (field.number < 13)
			compact->columns[field.number] = field.bytes;
	}
	while (next_of(reader, compact->columns, switch_columns, 5, values)) {
		struct sched_event *event = new_event(reader, cpu, time_ns += values[0]);

		event->kind = SWITCH;
		event->prev_state = (uint32_t)values[1];
		event->tid = (uint32_t)values[2];
		event->prio = (uint32_t)values[3];
		set_interned_name(reader, event, compact, values[4]);
	}
	time_ns = 0;
	while (next_of(reader, compact->columns, waking_columns, 6, values)) {
		struct sched_event *event = new_event(reader, cpu, time_ns += values[0]);

		event->kind = WAKING;
		event->tid = (uint32_t)values[1];
		event->target_cpu = (uint32_t)values[2];
		event->prio = (uint32_t)values[3];
		set_interned_name(reader, event, compact, values[4]);
		event->is_in_interrupt = values[5] & 0x18;
	}
	free(compact);
}

/* ---- events in full ---- */

static void take_full(struct sched_reader *reader, uint64_t sequence, uint32_t cpu,
		      struct protodec message)
{
	struct sched_event *event = new_event(reader, cpu, protodec_number(message, 1));
	struct protodec_field field;

	event->is_full = true;
	event->emitter = (uint32_t)protodec_number(message, 2);
	while (protodec_next(&message, &field)) {
		struct protodec payload = field.bytes;

		switch (field.number) {
		case 4:
			event->kind = SWITCH;
			event->prev_tid = (uint32_t)protodec_number(payload, 2);
			event->prev_state = (uint32_t)protodec_number(payload, 4);
			event->tid = (uint32_t)protodec_number(payload, 6);
			event->prio = (uint32_t)protodec_number(payload, 7);
			set_name(event->name, protodec_bytes(payload, 5));
			break;
		case 18:
			event->kind = BLOCKED;
			event->tid = (uint32_t)protodec_number(payload, 1);
			snprintf(event->name, sizeof(event->name), "%s",
				 reader->symbol(reader->context, sequence,
						protodec_number(payload, 2)));
			break;
		case 20:
		case 114:
			event->kind = WAKING;
			event->tid = (uint32_t)protodec_number(payload, 2);
			event->prio = (uint32_t)protodec_number(payload, 3);
			event->target_cpu = (uint32_t)protodec_number(payload, 5);
			set_name(event->name, protodec_bytes(payload, 1));
			break;
		case 235:
			event->kind = BORN;
			event->tid = (uint32_t)protodec_number(payload, 1);
			event->is_thread = protodec_number(payload, 3) & 0x10000;
			set_name(event->name, protodec_bytes(payload, 2));
			break;
		case 236:
			event->kind = RENAME;
			event->tid = (uint32_t)protodec_number(payload, 1);
			set_name(event->old_name, protodec_bytes(payload, 2));
			set_name(event->name, protodec_bytes(payload, 3));
			break;
		case 240:
			event->kind = END;
			event->tid = (uint32_t)protodec_number(payload, 2);
			set_name(event->name, protodec_bytes(payload, 1));
			break;
		}
	}
}

void sched_reader_bundle(struct sched_reader *reader, uint64_t sequence, struct protodec bundle)
{
	uint64_t cpu = protodec_number(bundle, 1);
	bool has_lost_events = protodec_number(bundle, 3);
	size_t first = reader->count;
	struct protodec_field field;

	if (cpu >= CPUS) {
		buffer_printf(&reader->out->problems, "cpu %" PRIu64 "\n", cpu);
		return;
	}
	take_compact(reader, (uint32_t)cpu, protodec_bytes(bundle, 4));
	while (protodec_next(&bundle, &field)) {
		if (field.number == 2)
			take_full(reader, sequence, (uint32_t)cpu, field.bytes);
	}
	if (has_lost_events) {
		uint64_t time_ns = UINT64_MAX;
		struct sched_event *event;

		for (size_t i = first; i < reader->count; i++) {
			if (reader->events[i].time_ns < time_ns)
				time_ns = reader->events[i].time_ns;
		}
		event = new_event(reader, (uint32_t)cpu,
				  reader->count > first ? time_ns : SYNTH_ORIGIN_NS);
		event->kind = LOST;
	}
}

/* ---- understanding them ---- */

static const char *state_text(uint32_t state)
{
	switch (state) {
	case 0:
		return "R";
	case 1:
		return "S";
	case 2:
		return "D";
	case 4:
		return "T";
	case 8:
		return "t";
	case 0x10:
		return "X";
	case 0x20:
		return "Z";
	case 0x40:
		return "P";
	case 0x80:
		return "I";
	case 0x100:
		return "R+";
	default:
		return "invalid";
	}
}

static void close_slice(struct sched_reader *reader, uint32_t cpu, uint64_t time_ns,
			const char *state)
{
	struct running *running = &reader->running[cpu];
	struct buffer *out = &reader->out->slices;

	if (!running->has_slice)
		return;
	buffer_printf(out, "cpu%u ", cpu);
	sched_reader_time(out, running->since_ns);
	buffer_printf(out, "..");
	if (time_ns)
		sched_reader_time(out, time_ns);
	buffer_printf(out, " %s %u %s\n", running->name, running->tid, state);
	running->has_slice = false;
}

static void understand_switch(struct sched_reader *reader, struct sched_event *event)
{
	struct running *running = &reader->running[event->cpu];
	bool is_dropped = !event->is_full && !running->is_known;

	if (is_dropped)
		buffer_printf(&reader->out->problems, "a first switch of cpu%u is dropped\n",
			      event->cpu);
	if (!event->is_full)
		event->prev_tid = running->tid;
	else if (running->is_known && running->tid != event->prev_tid)
		buffer_printf(&reader->out->problems, "%u ran on cpu%u, not %u\n", running->tid,
			      event->cpu, event->prev_tid);
	close_slice(reader, event->cpu, event->time_ns, state_text(event->prev_state));
	*running = (struct running){
		.is_known = true, .has_slice = true, .tid = event->tid, .since_ns = event->time_ns};
	memcpy(running->name, event->name, sizeof(running->name));
	buffer_printf(&reader->out->sched, "switch %u:%s > %u %s prio %u", event->prev_tid,
		      state_text(event->prev_state), event->tid, event->name, event->prio);
	reader->out->switches += !is_dropped;
	reader->out->full += event->is_full;
}

static void understand_waking(struct sched_reader *reader, struct sched_event *event)
{
	struct running *running = &reader->running[event->cpu];

	if (!event->is_full && !running->is_known)
		buffer_printf(&reader->out->problems, "a waking on cpu%u is dropped\n", event->cpu);
	else
		reader->out->wakings++;
	reader->out->full += event->is_full;
	buffer_printf(&reader->out->sched, "waking %u by %u on cpu%u%s", event->tid,
		      event->is_full ? event->emitter : running->tid, event->target_cpu,
		      event->is_in_interrupt ? " in interrupt" : "");
}

static void understand(struct sched_reader *reader, struct sched_event *event)
{
	struct buffer *out = &reader->out->sched;

	sched_reader_time(out, event->time_ns);
	buffer_printf(out, " cpu%u ", event->cpu);
	switch (event->kind) {
	case SWITCH:
		understand_switch(reader, event);
		break;
	case WAKING:
		understand_waking(reader, event);
		break;
	case BORN:
		buffer_printf(out, "born %u %s of %u as %s", event->tid, event->name,
			      event->emitter, event->is_thread ? "thread" : "process");
		break;
	case RENAME:
		buffer_printf(out, "rename %u %s > %s", event->tid, event->old_name, event->name);
		break;
	case END:
		buffer_printf(out, "end %u %s", event->tid, event->name);
		break;
	case BLOCKED:
		buffer_printf(out, "blocked %u in %s", event->tid, event->name);
		break;
	case LOST:
		buffer_printf(out, "lost");
		break;
	}
	if (event->is_full && event->kind <= WAKING)
		buffer_printf(out, " full");
	buffer_printf(out, "\n");
}

static int compare_events(const void *a, const void *b)
{
	const struct sched_event *left = a, *right = b;

	if (left->time_ns != right->time_ns)
		return left->time_ns < right->time_ns ? -1 : 1;
	if (left->cpu != right->cpu)
		return left->cpu < right->cpu ? -1 : 1;
	return left->order < right->order ? -1 : left->order > right->order;
}

void sched_reader_finish(struct sched_reader *reader)
{
	if (reader->count)
		qsort(reader->events, reader->count, sizeof(*reader->events), compare_events);
	for (size_t i = 0; i < reader->count; i++)
		understand(reader, &reader->events[i]);
	for (uint32_t cpu = 0; cpu < CPUS; cpu++)
		close_slice(reader, cpu, 0, "?");
	free(reader->events);
	free(reader);
}
