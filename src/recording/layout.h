/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event table in a recording, and what to do when it is another version's.
 *
 * A recording begins with KIND_INFO and FIELD_INFO events that say which kinds and fields its
 * writer knew. A kind laid out as in this version passes unchanged; one that differs is rebuilt
 * field by field, matched by name (a field the file lacks is zero, one this version lacks is
 * dropped); a kind this version does not know is left out and counted. The two kinds of the table
 * itself never change.
 */
#ifndef DASHCAM_RECORDING_LAYOUT_H
#define DASHCAM_RECORDING_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "event/event.h"

/* True if the SIZE bytes at EVENT begin with something that has the length it says: enough to step
 * over it, also if this version does not know its kind. */
static inline bool event_is_framed(const struct event_header *event, size_t size)
{
	return size >= sizeof(*event) && event->size >= sizeof(*event) && event->size <= size &&
	       event->size % 8 == 0;
}

/* A hash of this version's kinds and fields (names, places, signs; not the help). */
uint64_t layouts_hash(void);

/* Appends this version's table as events of time TIME_NS. */
void layouts_write(struct buffer *events, uint64_t time_ns);

/* How the kinds of one recording become those of this version. */
struct layouts;

/* Reads the table events among SIZE bytes of hostile events. The caller frees. */
struct layouts *layouts_read(const void *events, size_t size);
void layouts_free(struct layouts *layouts); /* NULL is fine */

/* True if this version knows the kind with the file's number KIND. */
bool layouts_knows(const struct layouts *layouts, unsigned int kind);

/*
 * Appends the SIZE bytes of hostile events at EVENTS to OUT, rebuilt where needed. *RET_DROPPED
 * grows by the events that were not whole.
 */
void layouts_translate(const struct layouts *layouts, const void *events, size_t size,
		       struct buffer *out, uint64_t *ret_dropped);

#endif
