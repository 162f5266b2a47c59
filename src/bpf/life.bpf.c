/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Probe life: births, deaths, new programs, new names. All of them, whatever the filter.
 */
#include "bpf/function.bpf.h"
#include "bpf/stack.bpf.h"

#define CMDLINE_MAX 256

static __always_inline void read_comm(char *to, struct task_struct *task)
{
	bpf_probe_read_kernel(to, EVENT_COMM_SIZE, task->comm);
}

/* The tid as the thread itself sees it: the number in the innermost of its pid namespaces. The
 * pointer is read, not followed: 6.1 lets nothing be added to one whose type it knows. */
static __always_inline __u32 inner_tid(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u64 at = (__u64)BPF_CORE_READ(pid, level) * bpf_core_type_size(struct upid);
	__u32 tid = 0;

	bpf_probe_read_kernel(&tid, sizeof(tid), (void *)&pid->numbers + at);
	return tid;
}

SEC("tp_btf/sched_process_fork")
int on_fork(__u64 *ctx)
{
	struct task_struct *parent = (void *)ctx[0], *child = (void *)ctx[1];
	struct log_head *log = evidence_log_of(bpf_get_smp_processor_id());
	__u32 parent_pid = parent->tgid, pid = child->tgid, mark;
	struct event_fork *event;
	__u64 position;
	__u8 runs = TARGET_RUNS;

	if (!log)
		return 0;
	if ((settings.filter & FILTER_FOLLOW) && pid != parent_pid &&
	    bpf_map_lookup_elem(&targets, &parent_pid))
		bpf_map_update_elem(&targets, &pid, &runs, BPF_ANY);
	if (settings.function_count && pid != parent_pid)
		inherit_calls(parent, child);
	event = evidence_reserve(log, sizeof(*event), &mark, &position);
	event_begin(&event->header, mark, EVENT_FORK, sizeof(*event), bpf_ktime_get_ns());
	event->parent_tid = parent->pid;
	event->parent_pid = parent_pid;
	event->tid = child->pid;
	event->pid = pid;
	read_comm(event->comm, child);
	event->ns_tid = inner_tid(child);
	event->reserved = 0;
	event_commit(&event->header, mark);
	return 0;
}

/* A new name may change whether TASK is wanted; a followed one stays so. */
static __always_inline void judge_again(struct task_struct *task, const char *name)
{
	struct thread_slot *slot = slot_of(task->pid);

	if (!slot || slot->tid != task->pid)
		return;
	if (is_wanted_as(task, name))
		slot->is_wanted = WANTED_BY_FILTER;
	else if (slot->is_wanted == WANTED_BY_FILTER)
		slot->is_wanted = WANTED_NOT;
}

SEC("tp_btf/sched_process_exec")
int on_exec(__u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];
	struct log_head *log = evidence_log_of(bpf_get_smp_processor_id());
	struct event_exec *event;
	__u64 position, start, length;
	__u32 pid = task->tgid, mark;
	__u8 *target;

	if (!log)
		return 0;
	end_open_calls(EVENT_SPAN_EXEC);
	target = bpf_map_lookup_elem(&targets, &pid);
	if (target)
		*target = TARGET_RUNS;
	event = evidence_reserve(log, sizeof(*event) + CMDLINE_MAX, &mark, &position);
	event_begin(&event->header, mark, EVENT_EXEC, sizeof(*event) + CMDLINE_MAX,
		    bpf_ktime_get_ns());
	event->tid = task->pid;
	event->pid = task->tgid;
	event->old_tid = (__u32)ctx[1];
	event->reserved = 0;
	read_comm(event->comm, task);
	__builtin_memset(event->cmdline, 0, CMDLINE_MAX);
	if (task->mm) {
		start = task->mm->arg_start;
		length = task->mm->arg_end - start;
		if (length > CMDLINE_MAX - 1)
			length = CMDLINE_MAX - 1;
		bpf_probe_read_user(event->cmdline, length & (CMDLINE_MAX - 1), (void *)start);
	}
	event_commit(&event->header, mark);
	judge_again(task, task->comm);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int on_exit(__u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];
	struct log_head *log = evidence_log_of(bpf_get_smp_processor_id());
	__u32 pid = task->tgid, mark;
	struct event_exit *event;
	__u64 position;

	if (!log)
		return 0;
	end_open_calls(0);
	event = evidence_reserve(log, sizeof(*event), &mark, &position);
	event_begin(&event->header, mark, EVENT_EXIT, sizeof(*event), bpf_ktime_get_ns());
	event->tid = task->pid;
	event->pid = pid;
	event->exit_code = task->exit_code;
	event->process_ended = task->signal->live.counter == 0;
	if (event->process_ended && (settings.filter & FILTER_PIDS))
		bpf_map_delete_elem(&targets, &pid);
	event_commit(&event->header, mark);
	return 0;
}

SEC("tp_btf/task_rename")
int on_rename(__u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];
	struct log_head *log = evidence_log_of(bpf_get_smp_processor_id());
	struct event_rename *event;
	__u64 position;
	__u32 mark;

	if (!log)
		return 0;
	event = evidence_reserve(log, sizeof(*event), &mark, &position);
	event_begin(&event->header, mark, EVENT_RENAME, sizeof(*event), bpf_ktime_get_ns());
	event->tid = task->pid;
	event->pid = task->tgid;
	/* the task itself still has the old one */
	bpf_probe_read_kernel_str(event->comm, sizeof(event->comm), (void *)ctx[1]);
	event_commit(&event->header, mark);
	judge_again(task, (const char *)ctx[1]);
	return 0;
}
