/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a filter lets through, worked out once per export: a flag per thread and a range of time.
 */
#ifndef DASHCAM_EXPORT_SELECTION_H
#define DASHCAM_EXPORT_SELECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "model/filter.h"
#include "model/model.h"

struct selection {
	const struct model *model;
	bool *takes;       /* by the thread's index */
	struct map64 pids; /* of processes with a thread that is taken, as keys */
	bool takes_all_threads;
	uint64_t from_ns;
	uint64_t to_ns;
};

void selection_init(struct selection *selection, const struct model *model,
		    const struct filter *filter);
void selection_release(struct selection *selection);

/* An unknown thread (NULL) passes only where all threads do. */
bool selection_takes_thread(const struct selection *selection, const struct thread *thread);

/* As above for the thread that had TID at TIME_NS. */
bool selection_takes_tid(const struct selection *selection, uint32_t tid, uint64_t time_ns);

/* True if a process with PID has a thread that is taken. */
bool selection_takes_pid(const struct selection *selection, uint32_t pid);

/* True if any part of the wait lies in the range and its thread is taken. */
bool selection_takes_wait(const struct selection *selection, const struct wait *wait);

/*
 * True for an event that a reader of chosen threads wants: its thread is taken (field "tid", else
 * its process, field "pid", else any of its threads). What concerns no thread passes only with all
 * threads, but for losses, which are never hidden. Time is not looked at.
 */
bool selection_takes_event(const struct selection *selection, const struct event_header *event);

static inline bool selection_takes_time(const struct selection *selection, uint64_t time_ns)
{
	return time_ns >= selection->from_ns && time_ns <= selection->to_ns;
}

#endif
