/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stolen time: how long each CPU was ready to run while the hypervisor ran something else, as
 * /proc/stat counts it, in ticks.
 */
#ifndef DASHCAM_CAPTURE_STEAL_H
#define DASHCAM_CAPTURE_STEAL_H

#include <stdbool.h>
#include <stdint.h>

struct event_steal;
struct steal;

/* *RET is NULL, with a negative errno and a sentence, if /proc/stat cannot be read. */
int steal_open(struct steal **ret, unsigned int cpu_count);
void steal_close(struct steal *steal); /* NULL is fine */

/*
 * To be called as often as one likes; looks once a second. For each CPU whose stolen time has grown
 * since the last look TAKE gets an event; times are NOW_NS and earlier ones given here. The first
 * look only remembers.
 */
void steal_look(struct steal *steal, uint64_t now_ns,
		void (*take)(void *context, const struct event_steal *event), void *context);

/* A line of /proc/stat: true if it is of one CPU and says how long was stolen from it. */
bool steal_parse(const char *line, unsigned int *ret_cpu, uint64_t *ret_ticks);

#endif
