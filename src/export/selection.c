/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/selection.h"

#include "base/memory.h"
#include "event/schema.h"

void selection_init(struct selection *selection, const struct model *model,
		    const struct filter *filter)
{
	size_t count = model_thread_count(model);

	*selection = (struct selection){
		.model = model,
		.takes = xcalloc(count + 1, sizeof(*selection->takes)),
		.takes_all_threads = !filter_limits_threads(filter),
		.from_ns = filter->from_ns,
		.to_ns = filter->to_ns,
	};
	for (size_t i = 0; i < count; i++) {
		const struct thread *thread = model_thread(model, i);

		selection->takes[i] = filter_takes_thread(filter, thread);
		if (selection->takes[i] && thread->process)
			map64_put(&selection->pids, thread->process->pid, 0);
	}
}

void selection_release(struct selection *selection)
{
	free(selection->takes);
	map64_release(&selection->pids);
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

bool selection_takes_pid(const struct selection *selection, uint32_t pid)
{
	return selection->takes_all_threads || map64_get(&selection->pids, pid);
}

bool selection_takes_wait(const struct selection *selection, const struct wait *wait)
{
	return wait->end_ns >= selection->from_ns && wait->start_ns <= selection->to_ns &&
	       selection_takes_thread(selection, wait->thread);
}

bool selection_takes_event(const struct selection *selection, const struct event_header *event)
{
	const struct event_schema *schema = event_schema(event->kind);
	const struct event_field *tid, *pid;

	if (selection->takes_all_threads || event->kind == EVENT_LOSS)
		return true;
	tid = event_field_find(event->kind, "tid");
	if (tid)
		return selection_takes_tid(selection, (uint32_t)event_field_value(event, tid, 0),
					   event->time_ns);
	pid = event_field_find(event->kind, "pid");
	if (pid)
		return selection_takes_pid(selection, (uint32_t)event_field_value(event, pid, 0));
	for (unsigned int i = 0; i < schema->field_count; i++) {
		const struct event_field *field = &schema->fields[i];

		if (field->meaning == MEANING_TID &&
		    selection_takes_tid(selection, (uint32_t)event_field_value(event, field, 0),
					event->time_ns))
			return true;
	}
	return false;
}
