/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One round of draining: from the logs of all CPUs and the side band to the sink and the naming
 * thread.
 */
#ifndef DASHCAM_CAPTURE_DRAIN_H
#define DASHCAM_CAPTURE_DRAIN_H

#include "base/hash.h"
#include "capture/capture.h"
#include "capture/cgroup_watch.h"
#include "capture/logs.h"
#include "capture/naming.h"
#include "capture/side_band.h"
#include "capture/steal.h"

struct functions;

struct drain {
	struct capture_sink sink;
	unsigned int cpu_count;
	struct log_reader *logs[EVENT_LOG_KINDS]; /* one per CPU each; NULL: there is no such log */
	struct side_band *side_band;              /* NULL: not available; borrowed */
	struct returns *returns;                  /* NULL: no function is traced; borrowed */
	struct steal *steal;                      /* NULL: not wanted */
	struct naming *naming;                    /* borrowed */
	const struct functions *functions;        /* that are traced; borrowed */
	struct map64 objects;                     /* ids of files and sockets that were handed on */
	struct cgroup_watch cgroups;
	struct naming_batch batch; /* of this round */
	struct buffer bytes;       /* scratch */
	struct buffer timed;
	uint64_t boot_offset_ns; /* CLOCK_BOOTTIME - CLOCK_MONOTONIC, at this round */
	uint64_t stop_ns;        /* when the recording ended; 0: not yet */
	uint64_t lost_evidence;  /* events of the evidence logs that were overwritten so far */
	struct capture_totals totals;
	int error; /* first one the sink returned */
};

/* Returns 0 or the sink's error. */
int drain_round(struct drain *drain);

/* Hands a loss event to the sink and counts it. Times on the sink's clock. */
void drain_report_loss(struct drain *drain, const struct event_loss *loss);

/* Hands a finished event to the sink's evidence, beside those of the logs. */
void drain_report(struct drain *drain, const struct event_header *event);

/* Hands a clock event (all clocks, now) to the sink. */
void drain_report_clock(struct drain *drain);

/* After the last round: has the naming thread look at those who had a CPU. */
void drain_finish(struct drain *drain);

void drain_release(struct drain *drain);

#endif
