/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which processes' cgroups are worth a look, told from the events as they are drained. The looking
 * is the naming thread's work; here nothing is read.
 *
 * Wanted are: processes that evidence is taken of; again those whose CPU time or memory was at its
 * limit; and in the end all that had a CPU, because they were in others' way.
 */
#ifndef DASHCAM_CAPTURE_CGROUP_WATCH_H
#define DASHCAM_CAPTURE_CGROUP_WATCH_H

#include <stdint.h>

#include "base/hash.h"
#include "capture/naming.h"
#include "event/event.h"

/* Zero-initialised is empty. */
struct cgroup_watch {
	uint64_t *had_cpu;      /* a bit for each tid */
	struct map64 processes; /* pids that were asked for */
	struct map64 asked_ns;  /* when a thread that was at a limit was asked for, by tid */
};

/* EVENT is of the switch log; called for each. */
void cgroup_watch_switch(struct cgroup_watch *watch, const struct event_switch *event,
			 struct naming_batch *batch);
/* EVENT is of the evidence log. */
void cgroup_watch_evidence(struct cgroup_watch *watch, const struct event_header *event,
			   struct naming_batch *batch);
/* At the end: all that had a CPU, up to a limit. */
void cgroup_watch_rest(struct cgroup_watch *watch, uint64_t time_ns, struct naming_batch *batch);
void cgroup_watch_release(struct cgroup_watch *watch);

#endif
