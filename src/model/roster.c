/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "model/internal.h"

static struct process *add_process(struct model *model, uint32_t pid)
{
	struct roster *roster = &model->roster;
	struct process *process = arena_alloc(&model->arena, sizeof(*process));

	*process = (struct process){
		.index = (uint32_t)roster->process_count,
		.pid = pid,
		.uid = UINT32_MAX,
		.comm = "",
		.cmdline = "",
		.start_ns = MODEL_TIME_UNKNOWN,
		.end_ns = MODEL_TIME_UNKNOWN,
		.first_exec_ns = MODEL_TIME_UNKNOWN,
	};
	array_reserve((void **)&roster->processes, &roster->process_capacity,
		      roster->process_count + 1, sizeof(struct process *));
	roster->processes[roster->process_count++] = process;
	map64_put(&roster->process_of_pid, pid, process->index);
	return process;
}

/* The newest process with PID. */
static struct process *find_process(struct model *model, uint32_t pid)
{
	const uint64_t *index = map64_get(&model->roster.process_of_pid, pid);

	return index ? model->roster.processes[*index] : add_process(model, pid);
}

static bool is_leader(const struct thread *thread)
{
	return thread->tid == thread->process->pid;
}

/* COMM as of TIME_NS: not if a later one is known, from a look at who is alive. */
static void set_comm(struct model *model, struct thread *thread, const char *comm, uint64_t time_ns)
{
	char text[EVENT_COMM_SIZE + 1];

	if (time_ns < thread->named_ns)
		return;
	thread->named_ns = time_ns;
	snprintf(text, sizeof(text), "%.*s", EVENT_COMM_SIZE, comm);
	thread->comm = model_text(model, text);
	if (is_leader(thread) || !*thread->process->comm)
		thread->process->comm = thread->comm;
}

static void add_tenure(struct model *model, struct thread *thread, uint32_t tid, uint64_t from_ns)
{
	struct roster *roster = &model->roster;

	array_reserve((void **)&roster->tenures, &roster->tenure_capacity, roster->tenure_count + 1,
		      sizeof(struct tenure));
	roster->tenures[roster->tenure_count++] = (struct tenure){
		.tid = tid,
		.thread = thread,
		.from_ns = from_ns,
		.to_ns = MODEL_TIME_UNKNOWN,
	};
}

static struct tenure *newest_tenure(struct roster *roster, const struct thread *thread)
{
	size_t i = thread->index;

	/* thread N's first tenure is at N or behind; changes of tid are rare */
	while (roster->tenures[i].thread != thread ||
	       roster->tenures[i].to_ns != MODEL_TIME_UNKNOWN)
		i++;
	return &roster->tenures[i];
}

void roster_init(struct model *model)
{
	add_process(model, 0)->comm = "idle";
	model->roster.processes[0]->is_kernel = true;
}

void roster_release(struct roster *roster)
{
	free(roster->processes);
	free(roster->threads);
	free(roster->tenures);
	map64_release(&roster->process_of_pid);
}

struct thread *roster_add_thread(struct model *model, uint32_t tid, uint64_t start_ns,
				 bool was_born_here)
{
	struct roster *roster = &model->roster;
	struct thread *thread = arena_alloc(&model->arena, sizeof(*thread));

	thread->index = (uint32_t)roster->thread_count;
	thread->tid = tid;
	thread->process = find_process(model, tid == 0 ? 0 : MODEL_NONE);
	thread->comm = tid == 0 ? "idle" : "?";
	thread->is_kernel = tid == 0;
	thread->start_ns = start_ns;
	thread->end_ns = MODEL_TIME_UNKNOWN;
	thread->was_born_here = was_born_here;
	array_reserve((void **)&roster->threads, &roster->thread_capacity, roster->thread_count + 1,
		      sizeof(struct thread *));
	roster->threads[roster->thread_count++] = thread;
	add_tenure(model, thread, tid, was_born_here ? start_ns : 0);
	return thread;
}

void roster_end_thread(struct model *model, struct thread *thread, uint64_t time_ns)
{
	thread->has_ended = true;
	thread->end_ns = time_ns;
	newest_tenure(&model->roster, thread)->to_ns = time_ns;
}

void roster_change_tid(struct model *model, struct thread *thread, uint32_t tid, uint64_t time_ns)
{
	newest_tenure(&model->roster, thread)->to_ns = time_ns;
	add_tenure(model, thread, tid, time_ns);
	thread->tid = tid;
}

void roster_learn_pid(struct model *model, struct thread *thread, uint32_t pid)
{
	thread->process = find_process(model, pid);
	thread->is_kernel = thread->is_kernel || thread->process->is_kernel;
	if (!strcmp(thread->comm, "?") && *thread->process->comm)
		thread->comm = thread->process->comm;
}

void roster_row(struct model *model, struct thread *thread, const struct event_thread *row)
{
	struct process *process = find_process(model, row->pid);

	/* a new life of the pid */
	if (process->end_ns != MODEL_TIME_UNKNOWN && row->tid == row->pid &&
	    row->start_ns >= process->end_ns)
		process = add_process(model, row->pid);
	thread->process = process;
	thread->is_kernel = row->flags & EVENT_THREAD_KERNEL;
	thread->ns_tid = row->ns_tid;
	process->is_kernel = thread->is_kernel;
	process->ppid = row->ppid;
	process->uid = row->uid;
	set_comm(model, thread, row->comm, row->header.time_ns);
	if (!is_leader(thread))
		return;
	if (process->start_ns == MODEL_TIME_UNKNOWN)
		process->start_ns = row->start_ns;
	if (*row->cmdline)
		process->cmdline = model_text(model, row->cmdline);
}

void roster_fork(struct model *model, struct thread *thread, const struct thread *parent,
		 const struct event_fork *event)
{
	struct process *process;

	if (event->pid == event->parent_pid) {
		process = find_process(model, event->pid);
	} else {
		const struct process *from = parent->process;

		process = add_process(model, event->pid);
		process->ppid = event->parent_pid;
		process->uid = from->uid;
		process->cmdline = from->cmdline;
		process->is_kernel = from->is_kernel;
		process->start_ns = thread->start_ns;
		process->was_born_here = true;
	}
	thread->process = process;
	thread->is_kernel = process->is_kernel;
	thread->ns_tid = event->ns_tid;
	set_comm(model, thread, event->comm, event->header.time_ns);
}

void roster_exec(struct model *model, struct thread *thread, const struct event_exec *event)
{
	struct process *process = thread->process;

	/* the kernel starts its helpers so */
	process->is_kernel = thread->is_kernel = false;
	if (process->first_exec_ns == MODEL_TIME_UNKNOWN)
		process->first_exec_ns = event->header.time_ns;
	set_comm(model, thread, event->comm, event->header.time_ns);
	if (*event->cmdline)
		process->cmdline = model_text(model, event->cmdline);
}

void roster_exit(struct thread *thread, const struct event_exit *event)
{
	struct process *process = thread->process;

	/* The leader's status is what wait(2) gives; without it, the last thread's. */
	if (event->tid == process->pid || (event->process_ended && !process->exit_code))
		process->exit_code = event->exit_code;
	if (event->process_ended && process->end_ns == MODEL_TIME_UNKNOWN)
		process->end_ns = event->header.time_ns;
}

void roster_rename(struct model *model, struct thread *thread, const struct event_rename *event)
{
	set_comm(model, thread, event->comm, event->header.time_ns);
}

static int compare_tenures(const void *a, const void *b)
{
	const struct tenure *left = a, *right = b;

	if (left->tid != right->tid)
		return left->tid < right->tid ? -1 : 1;
	if (left->from_ns != right->from_ns)
		return left->from_ns < right->from_ns ? -1 : 1;
	return left->thread->index < right->thread->index ? -1 : 1;
}

void roster_seal(struct model *model)
{
	struct roster *roster = &model->roster;

	qsort(roster->tenures, roster->tenure_count, sizeof(struct tenure), compare_tenures);
	for (size_t i = 0; i < roster->thread_count; i++) {
		struct thread *thread = roster->threads[i];

		if (!thread->has_ended)
			thread->end_ns = model->end_ns;
		if (!*thread->process->comm && thread->process->pid != MODEL_NONE)
			thread->process->comm = thread->comm;
	}
}

/* The first tenure behind (tid, time). */
static size_t tenure_behind(const struct roster *roster, uint32_t tid, uint64_t time_ns)
{
	size_t low = 0, high = roster->tenure_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct tenure *tenure = &roster->tenures[middle];

		if (tenure->tid < tid || (tenure->tid == tid && tenure->from_ns <= time_ns))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct thread *model_thread_at(const struct model *model, uint32_t tid, uint64_t time_ns)
{
	const struct roster *roster = &model->roster;
	size_t behind = tenure_behind(roster, tid, time_ns);

	if (behind == 0 || roster->tenures[behind - 1].tid != tid ||
	    roster->tenures[behind - 1].to_ns < time_ns)
		return NULL;
	return roster->tenures[behind - 1].thread;
}

struct thread *roster_thread_near(const struct model *model, uint32_t tid, uint64_t time_ns,
				  uint64_t *ret_from_ns, uint64_t *ret_to_ns)
{
	const struct roster *roster = &model->roster;
	size_t behind = tenure_behind(roster, tid, time_ns);
	bool has_before = behind > 0 && roster->tenures[behind - 1].tid == tid;
	bool has_behind = behind < roster->tenure_count && roster->tenures[behind].tid == tid;

	*ret_from_ns = has_before ? roster->tenures[behind - 1].from_ns : 0;
	*ret_to_ns = has_behind ? roster->tenures[behind].from_ns - 1 : UINT64_MAX;
	if (has_before)
		return roster->tenures[behind - 1].thread;
	return has_behind ? roster->tenures[behind].thread : NULL;
}

/* The thread of PROCESS that calls itself NS_TID at TIME_NS. */
static struct thread *thread_in_namespace(const struct model *model, const struct process *process,
					  uint32_t ns_tid, uint64_t time_ns)
{
	for (size_t i = 0; i < model_thread_count(model); i++) {
		struct thread *thread = model_thread(model, i);

		if (thread->process == process && thread->ns_tid == ns_tid &&
		    thread->start_ns <= time_ns && time_ns <= thread->end_ns)
			return thread;
	}
	return NULL;
}

struct thread *model_wait_owner(const struct model *model, const struct wait *wait)
{
	const struct event_wait *evidence = wait->evidence;
	const struct thread *waiter = wait->thread;

	if (!evidence)
		return NULL;
	if (evidence->lock_owner_tid)
		return model_thread_at(model, evidence->lock_owner_tid, wait->start_ns);
	if (!evidence->futex_owner_tid)
		return NULL;
	if (waiter->ns_tid && waiter->ns_tid != waiter->tid)
		return thread_in_namespace(model, waiter->process, evidence->futex_owner_tid,
					   wait->start_ns);
	return model_thread_at(model, evidence->futex_owner_tid, wait->start_ns);
}
