/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/logs.h"

#include <stdatomic.h>
#include <string.h>

#include "event/schema.h"

/* An unfinished record is the work of a writer that was interrupted. After so many rounds with
 * newer records behind it, it is given up and counted as lost. */
#define STUCK_ROUNDS_MAX 16

void log_reader_init(struct log_reader *reader, struct log_head *head, enum event_log log,
		     uint32_t key, uint64_t size_bytes)
{
	*reader =
		(struct log_reader){.head = head, .log = log, .key = key, .size_bytes = size_bytes};
}

static uint64_t load_position(const struct log_reader *reader)
{
	return __atomic_load_n(&reader->head->position, __ATOMIC_ACQUIRE);
}

#define KIND_BIT(kind) (UINT64_C(1) << (kind))

/* Logs of slots of 32 bytes: the kinds of events that are in them. 0: records of many sizes. */
static const uint64_t slot_kinds[EVENT_LOG_KINDS] = {
	[EVENT_LOG_SWITCH] =
		KIND_BIT(EVENT_SWITCH) | KIND_BIT(EVENT_WAKING) | KIND_BIT(EVENT_RESUME),
	[EVENT_LOG_CALL] = KIND_BIT(EVENT_CALL),
};

/* A record of such a log. */
struct slot {
	struct event_header header;
	char rest[LOG_SLOT_UNIT - sizeof(struct event_header)];
};

static uint64_t units_of(const struct log_reader *reader, uint64_t position)
{
	return slot_kinds[reader->log] ? position : position & LOG_UNITS_MASK;
}

/* The position behind an acquire fence: what was copied before is judged by it. */
static uint64_t units_now(const struct log_reader *reader)
{
	atomic_thread_fence(memory_order_acquire);
	return units_of(reader, load_position(reader));
}

static const char *record_at(const struct log_reader *reader, uint64_t unit,
			     unsigned int unit_bytes)
{
	return (const char *)reader->head + LOG_HEAD_BYTES +
	       ((unit * unit_bytes) & (reader->size_bytes - 1));
}

/* Where reading starts again after a lap: a little inside the circle, or the next record is gone
 * before it is copied. */
static uint64_t oldest_safe(uint64_t end, uint64_t units)
{
	return end - units + units / 16;
}

static void note_gap(struct log_reader *reader, struct log_round *round, uint64_t lost,
		     uint64_t to_ns)
{
	if (lost == 0)
		return;
	if (round->lost == 0)
		round->lost_from_ns = reader->last_time_ns;
	round->lost += lost;
	round->lost_to_ns = to_ns;
}

static bool is_sound_slot(const struct log_reader *reader, const struct event_header *header)
{
	return header->size == LOG_SLOT_UNIT && header->kind < EVENT_KIND_LIMIT &&
	       slot_kinds[reader->log] & KIND_BIT(header->kind);
}

/* A thread that makes calls can be put off its CPU in the middle of writing one, and stay off for
 * long if its cgroup's quota is spent: it is waited for as long as that costs nothing but memory.
 */
static bool is_given_up(const struct log_reader *reader, uint64_t at, uint64_t end)
{
	if (reader->stuck_rounds <= STUCK_ROUNDS_MAX)
		return false;
	return reader->log != EVENT_LOG_CALL || (end - at) * LOG_SLOT_UNIT > reader->size_bytes / 4;
}

/* Copies units [from, to) of the circle to the end of OUT, in one or two pieces. */
static void copy_units(const struct log_reader *reader, struct buffer *out, uint64_t from,
		       uint64_t to)
{
	uint64_t bytes = (to - from) * LOG_SLOT_UNIT;
	uint64_t offset = (from * LOG_SLOT_UNIT) & (reader->size_bytes - 1);
	uint64_t first = bytes < reader->size_bytes - offset ? bytes : reader->size_bytes - offset;
	const char *data = (const char *)reader->head + LOG_HEAD_BYTES;
	char *copy = buffer_extend(out, bytes);

	memcpy(copy, data + offset, first);
	memcpy(copy + first, data, bytes - first);
}

/* Judges the copied records of units [from, to) and keeps the whole ones at START of OUT. */
static void keep_whole(struct log_reader *reader, struct buffer *out, size_t start, uint64_t from,
		       uint64_t to, struct log_round *round)
{
	struct slot *records = (struct slot *)(out->data + start);
	uint64_t units = reader->size_bytes / LOG_SLOT_UNIT, end = units_now(reader);
	uint64_t alive = end > units ? end - units : 0, gone = 0;
	size_t kept = 0;

	for (uint64_t at = from; at < to; at++) {
		struct slot *record = &records[at - from];
		bool is_marked = record->header.mark == log_mark(at, reader->key);

		if (at < alive || (!is_marked && is_given_up(reader, at, end)) ||
		    (is_marked && !is_sound_slot(reader, &record->header))) {
			gone++;
			reader->stuck_rounds = 0;
			continue;
		}
		if (!is_marked) {
			to = at; /* still being written */
			reader->stuck_rounds++;
			break;
		}
		note_gap(reader, round, gone, record->header.time_ns);
		gone = 0;
		reader->last_time_ns = record->header.time_ns;
		record->header.mark = 0;
		records[kept++] = *record;
		reader->stuck_rounds = 0;
	}
	note_gap(reader, round, gone, reader->last_time_ns);
	round->events += kept;
	out->size = start + kept * LOG_SLOT_UNIT;
	reader->next = to;
}

static void read_slots(struct log_reader *reader, struct buffer *out, struct log_round *round)
{
	uint64_t units = reader->size_bytes / LOG_SLOT_UNIT, end = load_position(reader);
	uint64_t from = reader->next, skipped = 0;
	size_t start = out->size;

	round->fill = (double)(end - from) / (double)units;
	if (end - from > units) {
		skipped = oldest_safe(end, units) - from;
		from += skipped;
	}
	copy_units(reader, out, from, end);
	if (skipped > 0)
		round->lost_from_ns = reader->last_time_ns;
	round->lost = skipped;
	keep_whole(reader, out, start, from, end, round);
	if (skipped > 0 && round->lost == skipped)
		round->lost_to_ns = round->events > 0
					    ? ((struct event_header *)(out->data + start))->time_ns
					    : reader->last_time_ns;
}

/* Copies the record at UNIT if it is whole. Returns its size in bytes, 0 if it is not. */
static size_t copy_record(const struct log_reader *reader, uint64_t unit, struct buffer *out)
{
	uint64_t units = reader->size_bytes / LOG_EVIDENCE_UNIT;
	const char *at = record_at(reader, unit, LOG_EVIDENCE_UNIT);
	struct event_header header;
	size_t start = out->size;

	memcpy(&header, at, sizeof(header));
	if (header.mark != log_mark(unit, reader->key) || units_now(reader) > unit + units)
		return 0;
	if (header.size < sizeof(header) || header.size > EVENT_SIZE_MAX)
		return 0;
	memcpy(buffer_extend(out, header.size), at, header.size);
	((struct event_header *)(out->data + start))->mark = 0;
	if (units_now(reader) > unit + units) {
		out->size = start;
		return 0;
	}
	return header.size;
}

/* The first whole record from UNIT on; where the next will be if there is none. */
static uint64_t find_record(const struct log_reader *reader, uint64_t unit)
{
	struct buffer record = {0};
	uint64_t end = units_now(reader);

	while (unit < end && !copy_record(reader, unit, &record))
		unit++;
	buffer_release(&record);
	return unit;
}

/* Notes where a gap begins and ends; how much it swallowed shows in the count of records. */
static void open_gap(struct log_reader *reader)
{
	if (!reader->in_gap)
		reader->gap_from_ns = reader->last_time_ns;
	reader->in_gap = true;
	reader->gap_to_ns = 0;
}

/* Reads the record at reader->next. False: it is not finished, come back later. */
static bool read_one(struct log_reader *reader, struct buffer *out, struct log_round *round)
{
	uint64_t units = reader->size_bytes / LOG_EVIDENCE_UNIT;
	size_t start = out->size, size;
	struct event_header *event;

	if (units_now(reader) > reader->next + units) {
		open_gap(reader);
		reader->next = find_record(reader, oldest_safe(units_now(reader), units));
		return true;
	}
	size = copy_record(reader, reader->next, out);
	if (size == 0) {
		if (reader->stuck_rounds++ < STUCK_ROUNDS_MAX)
			return false;
		open_gap(reader);
		reader->next = find_record(reader, reader->next + 1);
		return true;
	}
	event = (struct event_header *)(out->data + start);
	reader->stuck_rounds = 0;
	reader->next += (size + LOG_EVIDENCE_UNIT - 1) / LOG_EVIDENCE_UNIT;
	if (!event_is_sound(event, size)) {
		out->size = start;
		open_gap(reader);
		return true;
	}
	reader->last_time_ns = event->time_ns;
	if (reader->in_gap && reader->gap_to_ns == 0)
		reader->gap_to_ns = event->time_ns;
	round->events++;
	return true;
}

static void read_evidence(struct log_reader *reader, struct buffer *out, struct log_round *round)
{
	uint64_t position = load_position(reader), end = units_of(reader, position);
	uint64_t reserved = position >> LOG_COUNT_SHIFT;

	round->fill =
		(double)(end - reader->next) / (double)(reader->size_bytes / LOG_EVIDENCE_UNIT);
	while (reader->next < end) {
		if (!read_one(reader, out, round))
			break;
	}
	reader->records += round->events;
	/* a gap may have taken the reader beyond `end`: how much is lost, the next round knows */
	if (!reader->in_gap || reader->next != end)
		return;
	/* Everything before `end` has been dealt with: what was reserved and not read is lost. */
	round->lost = (reserved - reader->records) & LOG_COUNT_MASK;
	round->lost_from_ns = reader->gap_from_ns;
	round->lost_to_ns = reader->gap_to_ns ? reader->gap_to_ns : reader->last_time_ns;
	reader->records += round->lost;
	reader->in_gap = false;
}

uint64_t log_written(const struct log_reader *reader)
{
	uint64_t position = load_position(reader);

	if (slot_kinds[reader->log])
		return position;
	return reader->records +
	       (((position >> LOG_COUNT_SHIFT) - reader->records) & LOG_COUNT_MASK);
}

void log_read(struct log_reader *reader, struct buffer *out, struct log_round *ret_round)
{
	*ret_round = (struct log_round){0};
	if (slot_kinds[reader->log])
		read_slots(reader, out, ret_round);
	else
		read_evidence(reader, out, ret_round);
}
