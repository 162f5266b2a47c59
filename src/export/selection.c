/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/selection.h"

#include "base/memory.h"

void selection_init(struct selection *selection, const struct model *model,
		    const struct filter *filter)
{
	size_t count = model_thread_count(model);

	*selection = (struct selection){
		.model = model,
		.takes = xcalloc(count + 1, sizeof(*selection->takes)),
		.takes_all_threads =
			!filter->pid_count && !filter->tid_count && !filter->comm_count,
		.from_ns = filter->from_ns,
		.to_ns = filter->to_ns,
	};
	for (size_t i = 0; i < count; i++)
		selection->takes[i] = filter_takes_thread(filter, model_thread(model, i));
}

void selection_release(struct selection *selection)
{
	free(selection->takes);
	*selection = (struct selection){0};
}

bool selection_takes_thread(const struct selection *selection, const struct thread *thread)
{
	return selection->takes_all_threads || (thread && selection->takes[thread->index]);
}

bool selection_takes_tid(const struct selection *selection, uint32_t tid, uint64_t time_ns)
{
	return selection->takes_all_threads ||
	       selection_takes_thread(selection, model_thread_at(selection->model, tid, time_ns));
}

bool selection_takes_wait(const struct selection *selection, const struct wait *wait)
{
	return wait->end_ns >= selection->from_ns && wait->start_ns <= selection->to_ns &&
	       selection_takes_thread(selection, wait->thread);
}
