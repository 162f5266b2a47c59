/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last seconds of a capture, in memory, to be looked at as if they were a recording.
 *
 * Definitions are kept for good. Events older than the window are forgotten, but what they said of
 * who lives under which name is not: it goes into a roster, with which every look begins.
 */
#ifndef DASHCAM_CMD_WINDOW_H
#define DASHCAM_CMD_WINDOW_H

#include <stdint.h>

#include "base/hash.h"
#include "base/memory.h"
#include "recording/recording.h"

struct window_chunk;

/* Zero-initialised is empty. Not thread-safe. */
struct window {
	struct buffer definitions;
	struct window_chunk *chunks; /* in the order they came */
	size_t count;
	size_t capacity;
	struct map64 roster; /* tid -> struct event_thread * of who lived when the window begins */
	struct map64 deaths; /* tid -> when it ended, as long as older events may still be here */
};

/* Takes events of one stream and CPU, as recording_write does. */
void window_add(struct window *window, enum recording_stream stream, uint16_t cpu,
		const void *events, size_t size);

/* Forgets what ended before BEFORE_NS. */
void window_forget(struct window *window, uint64_t before_ns);

/* What is left, as a recording in memory that stands for itself; the caller closes it. */
struct recording *window_look(const struct window *window);

void window_release(struct window *window);

#endif
