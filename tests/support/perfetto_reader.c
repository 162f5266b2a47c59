/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/perfetto_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "support/perfetto_sched_reader.h"
#include "support/protodec.h"
#include "support/synth.h"

struct reader {
	struct perfetto_reading *out;
	struct sched_reader *sched;
	struct map64 interned; /* sequence, table and iid to the entry's place in entries */
	struct protodec *entries;
	size_t entry_count;
	size_t entry_capacity;
	struct map64 sequences; /* those that have begun */
	struct slice_edge *edges;
	size_t edge_count;
	size_t edge_capacity;
	struct map64 tracks;
};

/* Where a slice begins or ends. */
struct slice_edge {
	uint64_t track;
	uint64_t time_ns;
	size_t order; /* of equal times, the one that was written first */
	bool is_end;
};

/* ---- interned data ---- */

static uint64_t interned_key(uint64_t sequence, uint32_t table, uint64_t iid)
{
	return sequence << 48 | (uint64_t)table << 40 | iid;
}

static void take_interned(struct reader *reader, uint64_t sequence, struct protodec data)
{
	struct protodec_field field;

	while (protodec_next(&data, &field)) {
		uint64_t iid = protodec_number(field.bytes, 1);
		uint64_t key = interned_key(sequence, field.number, iid);

		if (iid == 0 || map64_get(&reader->interned, key))
			buffer_printf(&reader->out->problems, "iid %" PRIu64 " of table %u again\n",
				      iid, field.number);
		array_reserve((void **)&reader->entries, &reader->entry_capacity,
			      reader->entry_count + 1, sizeof(*reader->entries));
		map64_put(&reader->interned, key, reader->entry_count);
		reader->entries[reader->entry_count++] = field.bytes;
	}
}

static struct protodec interned(struct reader *reader, uint64_t sequence, uint32_t table,
				uint64_t iid)
{
	uint64_t *at = map64_get(&reader->interned, interned_key(sequence, table, iid));

	if (at)
		return reader->entries[*at];
	buffer_printf(&reader->out->problems, "undefined iid %" PRIu64 " of table %u\n", iid,
		      table);
	return (struct protodec){0};
}

static const char *interned_text(struct reader *reader, uint64_t sequence, uint32_t table,
				 uint64_t iid)
{
	return protodec_text(interned(reader, sequence, table, iid), 2);
}

/* Also checks that what a frame points to is there. */
static void add_frame(struct reader *reader, uint64_t sequence, uint64_t iid, struct buffer *out)
{
	struct protodec frame = interned(reader, sequence, 6, iid);
	struct protodec mapping = interned(reader, sequence, 19, protodec_number(frame, 3));

	interned(reader, sequence, 17, protodec_number(mapping, 7));
	if (protodec_has(mapping, 2))
		interned(reader, sequence, 16, protodec_number(mapping, 2));
	if (!protodec_has(frame, 4))
		buffer_printf(&reader->out->problems, "a frame without rel_pc\n");
	buffer_printf(out, "%s", interned_text(reader, sequence, 5, protodec_number(frame, 2)));
	if (protodec_has(frame, 5))
		buffer_printf(out, "@%s:%" PRIu64,
			      interned_text(reader, sequence, 18, protodec_number(frame, 5)),
			      protodec_number(frame, 6));
}

static void add_callstack(struct reader *reader, uint64_t sequence, uint64_t iid,
			  struct buffer *out)
{
	struct protodec stack = interned(reader, sequence, 7, iid);
	struct protodec_field field;
	bool is_first = true;

	buffer_printf(out, " [");
	while (protodec_next(&stack, &field)) {
		if (field.number != 2)
			continue;
		buffer_printf(out, "%s", is_first ? "" : ";");
		add_frame(reader, sequence, field.value, out);
		is_first = false;
	}
	buffer_printf(out, "]");
}

/* ---- tracks ---- */

static void take_track(struct reader *reader, uint64_t time_ns, struct protodec track)
{
	struct buffer *out = &reader->out->tracks;
	struct protodec thread = protodec_bytes(track, 4);
	uint64_t uuid = protodec_number(track, 1);

	if (map64_get(&reader->tracks, uuid))
		buffer_printf(&reader->out->problems, "track %" PRIu64 " again\n", uuid);
	map64_put(&reader->tracks, uuid, 0);
	sched_reader_time(out, time_ns);
	buffer_printf(out, " track %" PRIu64, uuid);
	if (protodec_has(track, 2))
		buffer_printf(out, " '%s'", protodec_text(track, 2));
	if (protodec_has(track, 5))
		buffer_printf(out, " in %" PRIu64, protodec_number(track, 5));
	if (protodec_has(track, 4))
		buffer_printf(out, " thread %" PRIu64 "/%" PRIu64 " '%s'",
			      protodec_number(thread, 1), protodec_number(thread, 2),
			      protodec_text(thread, 5));
	buffer_printf(out, "\n");
}

static void add_value(struct protodec annotation, struct buffer *out)
{
	struct protodec_field field;

	while (protodec_next(&annotation, &field)) {
		if (field.number == 3 || field.number == 4)
			buffer_printf(out, "%" PRIu64, field.value);
		else if (field.number == 6)
			buffer_printf(out, "'%s'", protodec_as_text(field.bytes));
		else if (field.number == 7)
			buffer_printf(out, "0x%" PRIx64, field.value);
		else if (field.number == 12) {
			add_value(field.bytes, out);
			buffer_printf(out, ",");
		}
	}
}

static void add_arg(struct reader *reader, uint64_t sequence, struct protodec arg,
		    struct buffer *out)
{
	if (protodec_has(arg, 10))
		buffer_printf(out, " %s=", protodec_text(arg, 10));
	else
		buffer_printf(out,
			      " %s=", interned_text(reader, sequence, 3, protodec_number(arg, 1)));
	add_value(arg, out);
}

static void take_event(struct reader *reader, uint64_t sequence, uint64_t time_ns,
		       struct protodec event)
{
	static const char *const types[] = {"?", "begin", "end", "instant"};
	struct buffer *out = &reader->out->tracks;
	uint64_t type = protodec_number(event, 9), track = protodec_number(event, 11);
	struct protodec_field field;

	if (type == 1 || type == 2) {
		array_reserve((void **)&reader->edges, &reader->edge_capacity,
			      reader->edge_count + 1, sizeof(*reader->edges));
		reader->edges[reader->edge_count] =
			(struct slice_edge){track, time_ns, reader->edge_count, type == 2};
		reader->edge_count++;
	}
	if (!map64_get(&reader->tracks, track))
		buffer_printf(&reader->out->problems, "no track %" PRIu64 "\n", track);
	sched_reader_time(out, time_ns);
	buffer_printf(out, " on %" PRIu64 " %s", track, types[type < 4 ? type : 0]);
	while (protodec_next(&event, &field)) {
		if (field.number == 10)
			buffer_printf(out, " '%s'",
				      interned_text(reader, sequence, 2, field.value));
		else if (field.number == 23)
			buffer_printf(out, " '%s'", protodec_as_text(field.bytes));
		else if (field.number == 4)
			add_arg(reader, sequence, field.bytes, out);
		else if (field.number == 56)
			add_callstack(reader, sequence, field.value, out);
		else if (field.number == 47)
			buffer_printf(out, " arrow %" PRIu64 " begins", field.value);
		else if (field.number == 48)
			buffer_printf(out, " arrow %" PRIu64 " ends", field.value);
	}
	buffer_printf(out, "\n");
}

static int compare_edges(const void *a, const void *b)
{
	const struct slice_edge *left = a, *right = b;

	if (left->track != right->track)
		return left->track < right->track ? -1 : 1;
	if (left->time_ns != right->time_ns)
		return left->time_ns < right->time_ns ? -1 : 1;
	return left->order < right->order ? -1 : 1;
}

/* An end closes the innermost slice of its track, whatever it was meant for: waits must not
 * overlap. In one lies at most its time in the run queue. */
static void check_nesting(struct reader *reader)
{
	unsigned int depth = 0;

	if (reader->edge_count)
		qsort(reader->edges, reader->edge_count, sizeof(*reader->edges), compare_edges);
	for (size_t i = 0; i < reader->edge_count; i++) {
		const struct slice_edge *edge = &reader->edges[i];

		if (i > 0 && edge->track != edge[-1].track)
			depth = 0;
		if (edge->is_end ? depth == 0 : depth == 2) {
			buffer_printf(&reader->out->problems,
				      "slices of track %" PRIu64 " overlap\n", edge->track);
			continue;
		}
		depth += edge->is_end ? -1 : 1;
	}
}

/* ---- samples ---- */

static void take_stack_sample(struct reader *reader, uint64_t sequence, uint64_t time_ns,
			      struct protodec sample)
{
	struct buffer *out = &reader->out->samples;
	struct protodec task = protodec_bytes(sample, 1), execution = protodec_bytes(sample, 3);

	sched_reader_time(out, time_ns);
	buffer_printf(out, " sequence %" PRIu64 " %" PRIu64 "/%" PRIu64, sequence,
		      protodec_number(task, 2), protodec_number(task, 3));
	if (protodec_has(sample, 3))
		buffer_printf(out, " cpu%" PRIu64 " mode %" PRIu64, protodec_number(execution, 2),
			      protodec_number(execution, 3));
	buffer_printf(out, " weight %" PRIu64, protodec_number(sample, 11));
	if (protodec_has(sample, 6))
		add_callstack(reader, sequence, protodec_number(sample, 6), out);
	buffer_printf(out, "\n");
}

static void take_perf_sample(struct reader *reader, uint64_t sequence, uint64_t time_ns,
			     struct protodec sample)
{
	struct buffer *out = &reader->out->samples;

	sched_reader_time(out, time_ns);
	buffer_printf(out, " perf %" PRIu64 "/%" PRIu64 " cpu%" PRIu64 " mode %" PRIu64,
		      protodec_number(sample, 2), protodec_number(sample, 3),
		      protodec_number(sample, 1), protodec_number(sample, 5));
	if (protodec_has(sample, 4))
		add_callstack(reader, sequence, protodec_number(sample, 4), out);
	buffer_printf(out, "\n");
}

static void take_defaults(struct reader *reader, uint64_t sequence, struct protodec defaults)
{
	struct protodec source = protodec_bytes(defaults, 100);
	struct protodec counter = protodec_bytes(source, 2);

	if (protodec_number(defaults, 58) != 6)
		buffer_printf(&reader->out->problems, "sequence %" PRIu64 " is not BOOTTIME\n",
			      sequence);
	if (protodec_has(defaults, 100))
		buffer_printf(&reader->out->samples,
			      "sequence %" PRIu64 " is %s: %s, unit %" PRIu64 "\n", sequence,
			      protodec_text(source, 1), protodec_text(counter, 2),
			      protodec_number(counter, 3));
}

/* ---- processes, machine ---- */

static void add_cmdline(struct protodec process, struct buffer *out)
{
	struct protodec_field field;

	while (protodec_next(&process, &field)) {
		if (field.number == 3)
			buffer_printf(out, " '%s'", protodec_as_text(field.bytes));
	}
}

static void take_tree(struct reader *reader, uint64_t time_ns, struct protodec tree)
{
	struct buffer *out = &reader->out->tree;
	struct protodec_field field;

	while (protodec_next(&tree, &field)) {
		struct protodec entry = field.bytes;

		sched_reader_time(out, time_ns);
		if (field.number == 1) {
			buffer_printf(out, " process %" PRIu64 " of %" PRIu64,
				      protodec_number(entry, 1), protodec_number(entry, 2));
			add_cmdline(entry, out);
			buffer_printf(out, "%s%s", protodec_number(entry, 8) ? " kernel" : "",
				      protodec_number(entry, 9) ? " name only" : "");
		} else {
			buffer_printf(out, " thread %" PRIu64 " '%s' in %" PRIu64,
				      protodec_number(entry, 1), protodec_text(entry, 2),
				      protodec_number(entry, 3));
		}
		buffer_printf(out, "\n");
	}
}

static void take_clocks(struct reader *reader, struct protodec snapshot)
{
	struct buffer *out = &reader->out->machine;
	struct protodec_field field;

	buffer_printf(out, "clocks, primary %" PRIu64 ":", protodec_number(snapshot, 2));
	while (protodec_next(&snapshot, &field)) {
		if (field.number == 1)
			buffer_printf(out, " %" PRIu64 "=%" PRIu64, protodec_number(field.bytes, 1),
				      protodec_number(field.bytes, 2));
	}
	buffer_printf(out, "\n");
}

static void take_attributes(struct reader *reader, struct protodec attributes)
{
	struct protodec_field field;

	while (protodec_next(&attributes, &field)) {
		if (protodec_has(field.bytes, 3))
			buffer_printf(&reader->out->machine, "%s '%s'\n",
				      protodec_text(field.bytes, 1), protodec_text(field.bytes, 3));
		else
			buffer_printf(&reader->out->machine, "%s %" PRIu64 "\n",
				      protodec_text(field.bytes, 1),
				      protodec_number(field.bytes, 2));
	}
}

static void take_system(struct reader *reader, struct protodec info)
{
	struct protodec utsname = protodec_bytes(info, 1);

	buffer_printf(&reader->out->machine, "system '%s' '%s' '%s' '%s' %" PRIu64 " cpus\n",
		      protodec_text(utsname, 1), protodec_text(utsname, 2),
		      protodec_text(utsname, 3), protodec_text(utsname, 4),
		      protodec_number(info, 8));
}

/* ---- packets ---- */

static const char *kernel_symbol(void *context, uint64_t sequence, uint64_t iid)
{
	return interned_text(context, sequence, 26, iid);
}

static void take_payload(struct reader *reader, uint64_t sequence, uint64_t time_ns,
			 const struct protodec_field *field)
{
	switch (field->number) {
	case 1:
		sched_reader_bundle(reader->sched, sequence, field->bytes);
		break;
	case 2:
		take_tree(reader, time_ns, field->bytes);
		break;
	case 6:
		take_clocks(reader, field->bytes);
		break;
	case 11:
		take_event(reader, sequence, time_ns, field->bytes);
		break;
	case 45:
		take_system(reader, field->bytes);
		break;
	case 60:
		take_track(reader, time_ns, field->bytes);
		break;
	case 66:
		take_perf_sample(reader, sequence, time_ns, field->bytes);
		break;
	case 126:
		take_attributes(reader, field->bytes);
		break;
	case 135:
		take_stack_sample(reader, sequence, time_ns, field->bytes);
		break;
	}
}

/* A sequence begins with cleared state, or all that needs state is skipped. */
static void check_flags(struct reader *reader, uint64_t sequence, uint64_t flags)
{
	bool has_begun = map64_get(&reader->sequences, sequence);

	if (sequence == 0 || flags != (has_begun ? 2 : 1))
		buffer_printf(&reader->out->problems, "sequence %" PRIu64 " flags %" PRIu64 "\n",
			      sequence, flags);
	map64_put(&reader->sequences, sequence, 0);
}

static void take_packet(struct reader *reader, struct protodec packet)
{
	uint64_t sequence = protodec_number(packet, 10), time_ns = protodec_number(packet, 8);
	struct protodec_field field;

	check_flags(reader, sequence, protodec_number(packet, 13));
	if (protodec_has(packet, 59))
		take_defaults(reader, sequence, protodec_bytes(packet, 59));
	take_interned(reader, sequence, protodec_bytes(packet, 12));
	while (protodec_next(&packet, &field))
		take_payload(reader, sequence, time_ns, &field);
	if (packet.is_broken)
		buffer_printf(&reader->out->problems, "a broken packet\n");
}

void perfetto_read(struct perfetto_reading *ret, const void *trace, size_t size)
{
	struct reader reader = {.out = ret};
	struct protodec message = protodec_of(trace, size);
	struct protodec_field field;

	*ret = (struct perfetto_reading){0};
	reader.sched = sched_reader_new(ret, kernel_symbol, &reader);
	while (protodec_next(&message, &field)) {
		if (field.number != 1 || !field.is_bytes)
			buffer_printf(&ret->problems, "not a packet\n");
		take_packet(&reader, field.bytes);
	}
	if (message.is_broken)
		buffer_printf(&ret->problems, "a broken trace\n");
	sched_reader_finish(reader.sched);
	check_nesting(&reader);
	map64_release(&reader.interned);
	map64_release(&reader.sequences);
	map64_release(&reader.tracks);
	free(reader.entries);
	free(reader.edges);
}

void perfetto_reading_release(struct perfetto_reading *reading)
{
	buffer_release(&reading->sched);
	buffer_release(&reading->slices);
	buffer_release(&reading->tracks);
	buffer_release(&reading->samples);
	buffer_release(&reading->tree);
	buffer_release(&reading->machine);
	buffer_release(&reading->problems);
}
