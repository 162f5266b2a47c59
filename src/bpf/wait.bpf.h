/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The evidence of a wait, read from the thread's own frozen state once the wait has proven long.
 */
#ifndef DASHCAM_BPF_WAIT_BPF_H
#define DASHCAM_BPF_WAIT_BPF_H

#include "bpf/tcp.bpf.h"
#include "bpf/timeout.bpf.h"

/* User code stopped by an interrupt or fault: the saved registers carry no system call number. */
static __always_inline bool is_interrupted(struct task_struct *task)
{
	struct pt_regs *regs;

	if (task->pid == 0)
		return true;
	if (task->flags & PF_KTHREAD)
		return false;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	return (__s64)regs->orig_ax < 0;
}

/*
 * The system call number a user thread is in, or EVENT_NO_SYSCALL: also for 32-bit calls, and for
 * the kernel's workers with a user's memory (io_uring, vhost), which have their maker's registers
 * but for the stack pointer.
 */
static __always_inline __s16 syscall_of(struct task_struct *task)
{
	struct pt_regs *regs;

	if (task->flags & PF_KTHREAD || compat_is_32bit_call(task))
		return EVENT_NO_SYSCALL;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	return (__s64)regs->orig_ax >= 0 && regs->sp ? (__s16)regs->orig_ax : EVENT_NO_SYSCALL;
}

static __always_inline void read_syscall(struct event_wait *wait, struct task_struct *task)
{
	struct pt_regs *regs;

	wait->syscall = syscall_of(task);
	if (wait->syscall == EVENT_NO_SYSCALL) {
		__builtin_memset(wait->args, 0, sizeof(wait->args));
		return;
	}
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	wait->args[0] = regs->di;
	wait->args[1] = regs->si;
	wait->args[2] = regs->dx;
	wait->args[3] = regs->r10;
	wait->args[4] = regs->r8;
	wait->args[5] = regs->r9;
	if (wait->syscall == settings.futex_syscall)
		wait->futex_address = regs->di;
}

/* The socket that TASK, which is current, sends to or reads from; its id, 0 if it does neither. */
static __always_inline __u64 socket_of_call(struct task_struct *task, struct log_head *log,
					    __u32 cpu, __u64 now_ns)
{
	__s16 number = syscall_of(task);
	struct pt_regs *regs;
	struct file *file;
	struct sock *sk;

	if (!takes_descriptor(number))
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	file = file_of(task, (int)regs->di);
	sk = file ? sock_of(file) : NULL;
	return sk ? define_socket(sk, file, log, cpu, now_ns, task->tgid) : 0;
}

static __always_inline void fill_from_slot(struct event_wait *wait, struct thread_slot *slot)
{
	__u64 wake_ns = slot->wake_ns;

	if (!wake_ns) {
		wake_ns = slot->in_ns;
		wait->flags |= EVENT_WAIT_WAKER_LATE;
	}
	wait->blocked_ns = wake_ns - slot->off_ns;
	wait->runnable_ns = slot->in_ns - wake_ns;
	wait->prev_state = slot->prev_state;
	wait->waker_tid = slot->waker_tid;
	wait->waker_pid = slot->waker_pid;
	wait->waker_kernel_stack = slot->waker_kernel_stack;
	wait->waker_user_stack = slot->waker_user_stack;
	wait->waker_socket = slot->waker_socket;
	wait->flags |= slot->wait_flags;
	if (slot->prev_state) {
		wait->futex_owner_tid = slot->futex_owner_tid;
		wait->lock_address = slot->lock_address;
		wait->lock_flags = slot->lock_flags;
		wait->lock_owner_tid = slot->lock_owner_tid;
	}
}

/* Writes the wait event of TASK, which has just taken this CPU; unless degraded, TASK is current.
 */
static __always_inline void emit_wait(void *ctx, struct task_struct *task, struct thread_slot *slot,
				      __u16 flags)
{
	__u32 cpu = bpf_get_smp_processor_id(), mark;
	struct scratch *scratch = scratch_of(SCRATCH_WAIT);
	struct log_head *log = evidence_log_of(cpu);
	struct capture_counters *counter = counters_here();
	__u64 kernel_stack = 0, user_stack = 0, position, now_ns = slot->in_ns;
	struct event_wait *wait;
	bool unreadable = false;
	struct sock *sk;

	slot->is_pending = 0;
	if (!log || !scratch)
		return;
	if (flags & EVENT_WAIT_DEGRADED) {
		kernel_stack = task_kernel_stack_id(task, scratch, log, cpu, now_ns);
	} else {
		kernel_stack = kernel_stack_id(ctx, scratch, log, cpu, now_ns);
		user_stack = user_stack_id(ctx, task, scratch, log, cpu, now_ns, &unreadable);
	}
	wait = evidence_reserve(log, sizeof(*wait), &mark, &position);
	event_begin(&wait->header, mark, EVENT_WAIT, sizeof(*wait), now_ns);
	__builtin_memset((void *)wait + sizeof(wait->header), 0,
			 sizeof(*wait) - sizeof(wait->header));
	wait->tid = task->pid;
	wait->pid = task->tgid;
	wait->cpu = cpu;
	wait->flags = flags | (unreadable ? EVENT_WAIT_NO_USER_COPY : 0) |
		      (task->flags & PF_KTHREAD ? EVENT_WAIT_KERNEL_THREAD : 0);
	wait->descriptor = -1;
	wait->kernel_stack = kernel_stack;
	wait->user_stack = user_stack;
	fill_from_slot(wait, slot);
	read_syscall(wait, task);
	sk = describe_descriptor(wait, task, log, cpu, now_ns);
	if (sk)
		describe_connection(wait, slot, sk, log);
	/* its memory is readable only if it is current */
	if (slot->prev_state && !(flags & EVENT_WAIT_DEGRADED))
		wait->timeout_ns = timeout_of(wait, slot->off_ns);
	event_commit(&wait->header, mark);
	if (counter)
		counter->evidence++;
}

#endif
