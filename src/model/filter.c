/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/filter.h"

#include <fnmatch.h>

static bool has_number(const uint32_t *numbers, size_t count, uint32_t number)
{
	for (size_t i = 0; i < count; i++) {
		if (numbers[i] == number)
			return true;
	}
	return count == 0;
}

static bool has_comm(const struct filter *filter, const char *comm)
{
	for (size_t i = 0; i < filter->comm_count; i++) {
		if (!fnmatch(filter->comms[i], comm, 0))
			return true;
	}
	return filter->comm_count == 0;
}

bool filter_limits_threads(const struct filter *filter)
{
	return filter->pid_count || filter->tid_count || filter->comm_count || filter->targets_only;
}

bool filter_takes_thread(const struct filter *filter, const struct thread *thread)
{
	if (thread->tid == 0)
		return !filter_limits_threads(filter);
	return (!filter->targets_only || thread->is_target) &&
	       has_number(filter->pids, filter->pid_count, thread->process->pid) &&
	       has_number(filter->tids, filter->tid_count, thread->tid) &&
	       has_comm(filter, thread->comm);
}

bool filter_limits_calls(const struct filter *filter)
{
	return filter->function_count || filter->no_function_count;
}

bool filter_is_everything(const struct filter *filter)
{
	return !filter_limits_threads(filter) && !filter_limits_calls(filter) &&
	       !filter->call_depth && filter->from_ns == 0 && filter->to_ns == UINT64_MAX;
}
