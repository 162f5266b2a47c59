/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a Perfetto trace as a viewer does, and says what it understood as lines of text.
 *
 * It follows the rules of Perfetto's trace_processor: events of a CPU are sorted by time; who left
 * the CPU and who woke a thread is taken from the switch before; the first compact switch of a CPU
 * is dropped; ids mean what was interned earlier on the same sequence. What a viewer would complain
 * about is collected in `problems`.
 *
 * Times are microseconds since SYNTH_ORIGIN_NS, so that the lines look like those of synth.h.
 */
#ifndef DASHCAM_TESTS_PERFETTO_READER_H
#define DASHCAM_TESTS_PERFETTO_READER_H

#include <stddef.h>

#include "base/memory.h"

struct perfetto_reading {
	/*
	 * In the order of time, then CPU:
	 *	100 cpu0 switch 10:S > 11 name prio 120         "full" behind it: not in compact
	 *form 150 cpu1 waking 10 by 11 on cpu0 [in interrupt] [full] 50 cpu0 born 11 worker of 10
	 *as thread 60 cpu0 rename 11 old > new 70 cpu0 end 11 80 cpu0 blocked 10 in futex_wait 90
	 *cpu0 lost                                    at the bundle's first event
	 */
	struct buffer sched;
	/* Slices on the processor, as drawn: "cpu0 100..150 main 10 S"; "?" where one is not
	 * closed. */
	struct buffer slices;
	struct buffer tracks;  /* track descriptors and events, as written */
	struct buffer samples; /* StackSample and PerfSample, as written */
	struct buffer tree;    /* processes and threads */
	struct buffer machine; /* uuid, system, clocks, attributes */
	struct buffer problems;
	size_t switches; /* how many of each a viewer understood */
	size_t wakings;
	size_t full; /* of both, in full */
};

void perfetto_read(struct perfetto_reading *ret, const void *trace, size_t size);
void perfetto_reading_release(struct perfetto_reading *reading);

#endif
