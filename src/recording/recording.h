/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording: events in chunks, one run of chunks per log, read back in the order of time.
 *
 * The file (".dcam") is specified in dashcam-recording(5). It is written append-only by
 * recording_writer and can be read up to its last good chunk however the writing ended. A recording may
 * also live in memory only (live views): the same reader works on both.
 *
 * Events handed out are sound (event_is_sound) and of this version's layout, whatever wrote the file.
 * Everything read is hostile until checked: sizes, counts and compressed lengths have limits.
 */
#ifndef DASHCAM_RECORDING_RECORDING_H
#define DASHCAM_RECORDING_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"

/* Chunks of one stream and CPU hold events in order of time (but for a few microseconds). */
enum recording_stream {
	STREAM_SWITCH = 0,   /* switch, waking, resume */
	STREAM_EVIDENCE = 1, /* wait, sample, fork, exec, exit, rename, loss, clock: all else with a time */
	STREAM_TABLE = 2,    /* what defines ids and facts: stack, file, socket, thread, mapping, module,
				frame, meta, hook; in the order written */
	STREAM_CALL = 3,     /* call: one for each call of a traced function */
	STREAM_KINDS = 4,
};

#define STREAM_BIT(stream) (1u << (stream))

/* All streams whose events have a time. */
#define STREAM_TIMED                                                                               \
	(STREAM_BIT(STREAM_SWITCH) | STREAM_BIT(STREAM_EVIDENCE) | STREAM_BIT(STREAM_CALL))

struct recording;

struct recording_info {
	uint32_t format_version;
	uint64_t file_bytes;
	uint64_t good_bytes;    /* up to here everything is whole */
	bool is_torn;           /* it has no index: the writer did not finish, or the tail is damaged */
	char damage[160];       /* one sentence about it, or about a full disk; "" if whole */
	uint64_t chunks;
	uint64_t first_ns;      /* of the events that have a time; 0 if none */
	uint64_t last_ns;
	uint64_t event_count[EVENT_KIND_LIMIT]; /* per kind */
	uint64_t unknown_events; /* of kinds that this version does not know: never handed out */
	uint64_t decoded_bytes;
	uint16_t cpu_limit; /* one more than the highest CPU of a chunk */
};

/* Opens a file for reading. Fails with a sentence: not there, not a recording, newer than this version. */
int recording_open(struct recording **ret, const char *path);
void recording_close(struct recording *recording); /* NULL is fine */

/* Borrowed; good until close (of one in memory: until the next add). */
const struct recording_info *recording_info(const struct recording *recording);

/* What a cursor gives: streams (STREAM_BIT) and a range of time, both ends included. Table events have
 * no time of their own and are always inside. */
struct recording_range {
	unsigned int streams;
	uint64_t from_ns;
	uint64_t to_ns; /* UINT64_MAX: to the end */
};

struct recording_cursor;

/*
 * Reads events in the order of time, all CPUs and chosen streams merged (of equal times: STREAM_TABLE,
 * then STREAM_SWITCH, STREAM_EVIDENCE, STREAM_CALL). Chunks are decoded one per stream and CPU at a time,
 * and those outside the range are not decoded at all. Several cursors may be open.
 */
int recording_cursor_new(struct recording_cursor **ret, struct recording *recording,
			 const struct recording_range *range);
/* 1 and *ret_event (borrowed until the next call), 0 at the end, or a negative errno with a sentence.
 * A damaged chunk in the middle is skipped and counted in recording_cursor_damaged. */
int recording_cursor_next(struct recording_cursor *cursor, const struct event_header **ret_event);
uint64_t recording_cursor_damaged(const struct recording_cursor *cursor);
void recording_cursor_free(struct recording_cursor *cursor); /* NULL is fine */

/* ---- in memory: no cursor may be open while events are added or forgotten ---- */

struct recording *recording_memory_new(void);
/* Appends sound events of one stream and CPU; copies them. */
void recording_memory_add(struct recording *recording, enum recording_stream stream, uint16_t cpu,
			  const void *events, size_t size);
/* Forgets chunks of events with a time that end before BEFORE_NS. */
void recording_memory_forget(struct recording *recording, uint64_t before_ns);

/* ---- writing ---- */

struct recording_writer;

/* Creates the file (mode 0600, an existing one is replaced only if it is a regular file) and writes the
 * header and the event table. */
int recording_create(struct recording_writer **ret, const char *path);

/* Appends whole events of one stream and CPU (STREAM_TABLE: cpu 0). They are collected and written as
 * a chunk when enough have come. Not thread-safe. After an error (disk full) everything written before
 * is good, and further writes return the same error without trying. */
int recording_write(struct recording_writer *writer, enum recording_stream stream, uint16_t cpu,
		    const void *events, size_t size);

/* Writes out what is collected, so that a crash now loses nothing handed over before. */
int recording_flush(struct recording_writer *writer);

/* Bytes in the file so far. */
uint64_t recording_written_bytes(const struct recording_writer *writer);

/* Flushes, writes the index, closes and frees the writer, also when it fails. After a full disk the
 * index is written into the space kept for it, if that is possible. */
int recording_finish(struct recording_writer *writer);

#endif
