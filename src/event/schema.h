/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event table: what each kind is called, what its fields are and what they mean.
 *
 * Text, JSON, CSV, SQL columns, Perfetto arguments, the manual page and the copy of the table in
 * each recording all come from here. Offsets, sizes and signs are taken from the structs by the
 * compiler; only the meaning and one sentence of help are written by hand.
 */
#ifndef DASHCAM_EVENT_SCHEMA_H
#define DASHCAM_EVENT_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"

/* What a field's bits say, and so how it is printed. Numbers are stored in recordings: never reuse.
 */
enum event_meaning {
	MEANING_RESERVED = 0, /* padding: never shown */
	MEANING_COUNT = 1,    /* a plain number */
	MEANING_TIME_NS = 2,  /* a moment on the recording's clock */
	MEANING_DURATION_NS = 3,
	MEANING_TID = 4,
	MEANING_PID = 5,
	MEANING_CPU = 6,
	MEANING_STATE = 7,  /* task state bits */
	MEANING_STACK = 8,  /* id of a stack event */
	MEANING_OBJECT = 9, /* id of a file or socket event */
	MEANING_FLAGS = 10,
	MEANING_ADDRESS = 11, /* shown in hexadecimal */
	MEANING_SYSCALL = 12,
	MEANING_BYTES = 13,  /* a size */
	MEANING_TEXT = 14,   /* characters up to a NUL */
	MEANING_BINARY = 15, /* shown as hexadecimal bytes */
	MEANING_FRAMES = 16, /* tail of 64-bit frames */
	MEANING_MODULE = 17, /* id of a module event */
	MEANING_TEXTS = 18,  /* tail of two NUL-terminated strings */
	MEANING_MODE = 19,   /* st_mode, shown in octal */
};

struct event_field {
	const char *name;
	const char *help;
	uint16_t offset;
	uint16_t size;  /* of one element; 0 for a tail, which runs to the event's end */
	uint16_t count; /* elements: 1, or the length of a fixed array */
	uint16_t meaning;
	bool is_signed;
	int16_t if_absent; /* what a recording says that was made before the field was added */
};

struct event_schema {
	const char *name; /* NULL: no such kind */
	const char *says;
	uint16_t fixed_size; /* bytes of the struct without its tail */
	uint16_t field_count;
	const struct event_field *fields; /* without the header */
};

/* The row of a kind; NULL if this version knows no such kind. */
const struct event_schema *event_schema(unsigned int kind);

/* A field of a kind by its name; NULL if there is none. */
const struct event_field *event_field_find(unsigned int kind, const char *name);

/*
 * Checks that the SIZE bytes at EVENT begin with one whole, well-formed event of a known kind: the
 * size fits and is a multiple of 8, the fixed part is there, every text tail is NUL-terminated,
 * every frame tail has its frames. Reads nothing outside. Returns true if so.
 */
bool event_is_sound(const struct event_header *event, size_t size);

/* The value of an integer field (element INDEX) of a sound event, sign-extended where it is signed.
 */
int64_t event_field_value(const struct event_header *event, const struct event_field *field,
			  unsigned int index);

/* The N-th (from 0) of the NUL-terminated strings in a text tail of a sound event that begins at
 * TEXT;
 * "" if the tail has fewer. */
const char *event_tail_text(const struct event_header *event, const char *text, unsigned int n);

/* Why events were lost, in words; "unknown" for a reason that this version does not know. */
const char *event_loss_why(unsigned int reason);
/* What was lost, in one word: "switch" or "evidence" (events of that log), "mapping", "stack",
 * "wait". */
const char *event_loss_what(const struct event_loss *loss);

/* Rounds an event's size up to the multiple of 8 that events have. */
static inline size_t event_align(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

#endif
