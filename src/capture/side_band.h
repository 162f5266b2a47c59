/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The side band: perf's own records of mapped code (with build ids) and of exec, one ring per CPU.
 * They come with the clock of the logs (CLOCK_MONOTONIC), so that they can be put in order with
 * events.
 */
#ifndef DASHCAM_CAPTURE_SIDE_BAND_H
#define DASHCAM_CAPTURE_SIDE_BAND_H

#include <stdint.h>

#include "symbol/resolver.h"

struct side_band;

/* Opens a ring of RING_BYTES (rounded to a power of two pages) on each of CPU_LIMIT CPUs; offline
 * ones are skipped. */
int side_band_open(struct side_band **ret, unsigned int cpu_limit, uint32_t ring_bytes);
void side_band_close(struct side_band *band); /* NULL is fine */

struct side_band_listener {
	void *context;
	/* MAPPING and what it points to are borrowed for the call. */
	void (*map)(void *context, uint64_t time_ns, const struct resolver_mapping *mapping);
	void (*exec)(void *context, uint64_t time_ns, uint32_t pid);
	void (*lost)(void *context, uint64_t time_ns, uint16_t cpu, uint64_t records);
};

/* Hands over all records that have come, CPU after CPU. */
void side_band_read(struct side_band *band, const struct side_band_listener *listener);

#endif
