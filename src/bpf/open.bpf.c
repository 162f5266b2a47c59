/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Waits that have not ended when the recording does: what hangs. Evidence is taken when a thread
 * resumes, and these do not, so an iterator goes over all threads once, at the end.
 *
 * The threads are not current: their stacks are read from outside. One that resumes meanwhile is
 * left out.
 */
#include "bpf/follow.bpf.h"
#include "bpf/owner.bpf.h"
#include "bpf/wait.bpf.h"

struct open_wait {
	struct task_struct *task;
	struct thread_slot *slot; /* NULL: it slept before the capture began, and nobody saw it */
	__u64 off_ns;
	__u64 now_ns;
	__u32 state;
	__s16 syscall;
	__u32 futex_owner_tid;
};

/* As futex_owner of sched.bpf.c, of a thread that is not current. */
static __always_inline __u32 open_futex_owner(struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	__u32 words[3];

	if (bpf_copy_from_user_task(words, sizeof(words), (void *)regs->di, task, 0))
		return 0;
	return futex_owner_in(words, (__u32)regs->si);
}

/*
 * Whom it is worth to look at: those the recording is for. Of a whole machine, those that ran
 * during the capture, and those that wait for a lock or a device; not the hundred that rest.
 */
static __always_inline bool is_of_interest(struct open_wait *wait)
{
	if (settings.filter || wait->slot)
		return true;
	return wait->state & TASK_UNINTERRUPTIBLE || wait->futex_owner_tid;
}

static __always_inline bool find_open_wait(struct open_wait *wait, struct task_struct *task)
{
	struct thread_slot *slot = slot_of(task->pid);

	wait->task = task;
	wait->now_ns = bpf_ktime_get_ns();
	wait->state = compat_state_field(task);
	if (!slot || !wait->state || wait->state & TASK_DEAD)
		return false;
	if (slot->tid == task->pid) {
		if (!slot->is_wanted || !slot->off_ns || slot->wake_ns || slot->in_ns)
			return false;
		wait->slot = slot;
		wait->off_ns = slot->off_ns;
		wait->state = slot->prev_state;
	} else {
		if (slot->tid || (!slot->is_wanted && !is_wanted(task)))
			return false;
		wait->off_ns = settings.start_ns;
	}
	if (wait->now_ns - wait->off_ns < settings.min_wait_ns)
		return false;
	wait->syscall = syscall_of(task);
	if (wait->syscall == settings.futex_syscall)
		wait->futex_owner_tid = open_futex_owner(task);
	return is_of_interest(wait);
}

static __always_inline __u64 open_user_stack(struct task_struct *task, struct scratch *scratch,
					     struct log_head *log, __u32 cpu, __u64 now_ns)
{
	__u64 extent, bytes;
	__u32 copied = 0;

	if (settings.user_stack == USER_STACK_FP || settings.user_stack == USER_STACK_NONE ||
	    (task->flags & PF_KTHREAD) || !task->mm)
		return 0;
	read_registers(scratch, (struct pt_regs *)bpf_task_pt_regs(task));
	if (!scratch->regs[7])
		return 0;
	extent = stack_extent(task, scratch->regs[7]);
	bytes = extent < EVENT_USER_COPY_MAX ? extent : EVENT_USER_COPY_MAX;
	/* what the compiler knows of it the verifier of 6.1 does not: have it checked once more */
	asm volatile("" : "+r"(bytes));
	if (bytes <= EVENT_USER_COPY_MAX &&
	    !bpf_copy_from_user_task(scratch->copy, (__u32)bytes, (void *)scratch->regs[7], task,
				     0))
		copied = (__u32)bytes;
	return define_user_stack(task, scratch, log, cpu, now_ns, copied, extent);
}

static __always_inline void emit_open_wait(struct open_wait *open, struct scratch *scratch,
					   struct log_head *log, __u32 cpu)
{
	__u64 kernel_stack, user_stack, position;
	struct task_struct *task = open->task;
	struct thread_slot *slot = open->slot;
	unsigned long blocker = compat_blocker(task);
	struct event_wait *wait;
	__u32 mark;

	kernel_stack = task_kernel_stack_id(task, scratch, log, cpu, open->now_ns);
	user_stack = open_user_stack(task, scratch, log, cpu, open->now_ns);
	if (slot && slot->in_ns)
		return; /* it has resumed meanwhile */
	wait = evidence_reserve(log, sizeof(*wait), &mark, &position);
	event_begin(&wait->header, mark, EVENT_WAIT, sizeof(*wait), open->now_ns);
	__builtin_memset((void *)wait + sizeof(wait->header), 0,
			 sizeof(*wait) - sizeof(wait->header));
	wait->tid = task->pid;
	wait->pid = task->tgid;
	wait->cpu = cpu;
	wait->flags = EVENT_WAIT_OPEN | EVENT_WAIT_WAKER_LATE |
		      (task->flags & PF_KTHREAD ? EVENT_WAIT_KERNEL_THREAD : 0);
	wait->blocked_ns = open->now_ns - open->off_ns;
	wait->prev_state = open->state;
	wait->descriptor = -1;
	wait->kernel_stack = kernel_stack;
	wait->user_stack = user_stack;
	wait->futex_owner_tid = open->futex_owner_tid;
	if (slot) {
		wait->lock_address = slot->lock_address;
		wait->lock_flags = slot->lock_flags;
		wait->lock_owner_tid = slot->lock_owner_tid;
	}
	if (blocker) {
		wait->lock_address = blocker & ~3UL;
		wait->lock_flags = flags_of_blocker(blocker);
		wait->lock_owner_tid = lock_owner(wait->lock_address, wait->lock_flags);
	}
	read_syscall(wait, task);
	describe_descriptor(wait, task, log, cpu, open->now_ns);
	event_commit(&wait->header, mark);
	follow(wait->futex_owner_tid);
	follow(wait->lock_owner_tid);
}

SEC("iter.s/task")
int on_open_wait(struct bpf_iter__task *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct scratch *scratch = scratch_of(SCRATCH_OPEN);
	struct log_head *log = evidence_log_of(cpu);
	struct task_struct *task = ctx->task;
	struct open_wait open = {.slot = NULL};

	if (task && log && scratch && find_open_wait(&open, task))
		emit_open_wait(&open, scratch, log, cpu);
	return 0;
}
