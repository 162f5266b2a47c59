/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events and recordings for tests: made from a seed, so that a test can say exactly what must come
 * back.
 */
#ifndef DASHCAM_TESTS_RECORDING_MAKER_H
#define DASHCAM_TESTS_RECORDING_MAKER_H

#include "base/memory.h"
#include "recording/recording.h"

/* The next number of a small generator whose state is *SEED. */
uint64_t maker_random(uint64_t *seed);

/* Appends a sound event of KIND at TIME_NS; its fields and tail are filled from SEED. */
void maker_add_event(struct buffer *events, unsigned int kind, uint64_t time_ns, uint64_t seed);

/* Appends COUNT wakings and as many switches of two threads that take turns on CPU, a waking before
 * each switch, 2000 ns apart with a deviation of 200 ns, as a pipe between two threads makes them.
 */
void maker_add_pipe(struct buffer *events, uint16_t cpu, uint64_t from_ns, size_t count,
		    uint64_t seed);

/* A name for a scratch file in TMPDIR, else in memory: files that are written thousands of times are
 * slow on a disk. The caller unlinks and frees. */
char *maker_path(const char *name);

/* The content of a file; fails the test if it cannot be read. */
void maker_read_file(const char *path, struct buffer *ret);
void maker_write_file(const char *path, const void *bytes, size_t size);

/* All that a cursor over STREAMS gives, one event behind the other in EVENTS. Checks that each is
 * sound and, without STREAM_TABLE, that time never goes back. Returns what recording_cursor_next
 * gave at last. */
int maker_read_all(struct recording *recording, unsigned int streams, struct buffer *events,
		   uint64_t *ret_damaged);

#define MAKER_ALL_STREAMS                                                                          \
	(STREAM_BIT(STREAM_SWITCH) | STREAM_BIT(STREAM_EVIDENCE) | STREAM_BIT(STREAM_TABLE))

#endif
