/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Probe sample: what a CPU is doing at each tick of its sampling clock.
 */
#include "bpf/wait.bpf.h"

SEC("perf_event")
int on_sample(struct bpf_perf_event_data_kern *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 cpu = bpf_get_smp_processor_id(), mark;
	struct scratch *scratch = scratch_of(SCRATCH_SAMPLE);
	struct log_head *log = evidence_log_of(cpu);
	__u64 kernel_stack, user_stack, position, now_ns;
	struct event_sample *sample;
	bool unreadable = false;

	if (!log || !scratch || !is_wanted_now(task))
		return 0;
	now_ns = bpf_ktime_get_ns();
	kernel_stack = kernel_stack_id(ctx, scratch, log, cpu, now_ns);
	user_stack = user_stack_id(ctx, task, scratch, log, cpu, now_ns, &unreadable);
	sample = evidence_reserve(log, sizeof(*sample), &mark, &position);
	event_begin(&sample->header, mark, EVENT_SAMPLE, sizeof(*sample), now_ns);
	sample->tid = task->pid;
	sample->pid = task->tgid;
	sample->cpu = cpu;
	sample->flags = (kernel_stack ? EVENT_SAMPLE_KERNEL : 0) |
			(task->flags & PF_KTHREAD ? EVENT_SAMPLE_KERNEL_THREAD : 0) |
			(unreadable ? EVENT_SAMPLE_NO_USER_COPY : 0);
	sample->syscall = kernel_stack ? syscall_of(task) : EVENT_NO_SYSCALL;
	sample->reserved = 0;
	sample->period_ns = settings.sample_period_ns;
	sample->kernel_stack = kernel_stack;
	sample->user_stack = user_stack;
	event_commit(&sample->header, mark);
	return 0;
}
