/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which threads and which time a report or an export is about.
 */
#ifndef DASHCAM_MODEL_FILTER_H
#define DASHCAM_MODEL_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

/* Empty lists and the whole range: everything. The lists are borrowed. */
struct filter {
	const uint32_t *pids;
	size_t pid_count;
	const uint32_t *tids;
	size_t tid_count;
	const char *const *comms; /* shell globs (fnmatch) on the thread's last name */
	size_t comm_count;
	bool targets_only; /* only threads the recording was made for, see struct thread */
	uint64_t from_ns; /* on the recording's clock */
	uint64_t to_ns;
	/* Of calls: as if only these had been traced. Patterns as call_name_matches takes them. */
	const char *const *functions;
	size_t function_count;
	const char *const *no_functions;
	size_t no_function_count;
	uint32_t call_depth; /* only calls with fewer around them; 0: no limit */
};

/* True if the filter lets the thread through: each kind of list that is not empty must match. The idle
 * task passes only where every thread does. */
bool filter_takes_thread(const struct filter *filter, const struct thread *thread);
bool filter_limits_threads(const struct filter *filter); /* not every thread passes */
bool filter_limits_calls(const struct filter *filter); /* not every name of calls passes */
bool filter_is_everything(const struct filter *filter); /* no lists, whole time */

#endif
