/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The columns codec: events of a few fixed layouts, turned so that equal bytes stand together.
 *
 * Events whose first 8 bytes agree (mark, kind, size) form a group. Of each group the first event
 * is kept whole, and every byte position that varies becomes a plane: that byte of all its events
 * in turn. Before that, time_ns is replaced by its difference to the event before (of any group),
 * and the 32 bits at offset 16 are xored with those at offset 20 of the latest switch event: the
 * thread that leaves a CPU, or wakes another one there, is nearly always the one that came last.
 *
 * The body: struct columns_head; per group struct columns_group, a bitmap of the planes that vary
 * (bit (b-8)%8 of byte (b-8)/8 for byte b), its first event from byte 8 on; then, with several
 * groups, the group of each event (1 byte each); then all planes, group by group, each without the
 * first event.
 */
#ifndef DASHCAM_RECORDING_COLUMNS_H
#define DASHCAM_RECORDING_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

#define COLUMNS_GROUPS_MAX 16
#define COLUMNS_RECORD_MAX 256

struct columns_head {
	uint32_t record_count;
	uint32_t group_count;
};

struct columns_group {
	uint64_t key; /* the first 8 bytes of its events */
	uint64_t record_count;
};

/* Ends of the parts of a body; each is best compressed as a block of its own, for its bytes are
 * alike. */
struct columns_cuts {
	size_t *offsets; /* rising; the last is the body's size */
	size_t count;
	size_t capacity;
};

void columns_cuts_release(struct columns_cuts *cuts);

/* No body of EVENTS_BYTES of events is larger. */
static inline size_t columns_body_max(size_t events_bytes)
{
	return 2 * events_bytes + 1024;
}

/*
 * Encodes SIZE bytes of sound events into *ret_body (emptied first) and *ret_cuts. Returns false if
 * they do not suit: more than COLUMNS_GROUPS_MAX layouts or events of more than COLUMNS_RECORD_MAX
 * bytes.
 */
bool columns_encode(const void *events, size_t size, struct buffer *ret_body,
		    struct columns_cuts *ret_cuts);

/* Decodes a body, hostile until checked, into exactly EVENTS_BYTES at EVENTS. False: it is
 * malformed. */
bool columns_decode(const void *body, size_t body_size, void *events, size_t events_bytes);

#endif
