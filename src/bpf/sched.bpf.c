/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Probe sched, the hot path: every switch and every wake-up, one clock read each, scalars only.
 */
#include "bpf/follow.bpf.h"
#include "bpf/irq.bpf.h"
#include "bpf/owner.bpf.h"
#include "bpf/wait.bpf.h"


/* Makes the kernel interrupt this CPU as soon as the switch is done: see evidence.bpf.c. */
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} kick SEC(".maps");

/* What only the moment of blocking shows: who holds what this thread is about to wait for, and what
 * a connection still has to send. */
static __always_inline void note_beginning(struct thread_slot *slot, struct task_struct *prev,
					   __s16 syscall)
{
	unsigned long blocker = compat_blocker(prev);

	slot->futex_owner_tid = 0;
	if (blocker) {
		slot->lock_address = blocker & ~3UL;
		slot->lock_flags = flags_of_blocker(blocker);
	}
	slot->lock_owner_tid =
		slot->lock_address ? lock_owner(slot->lock_address, slot->lock_flags) : 0;
	if (syscall == settings.futex_syscall)
		slot->futex_owner_tid = futex_owner((struct pt_regs *)bpf_task_pt_regs(prev));
	follow(slot->lock_owner_tid);
	follow(slot->futex_owner_tid);
	note_flight(slot, prev, syscall);
}

static __always_inline __u8 switch_flags(struct task_struct *prev, __s16 syscall)
{
	if (compat_throttled(prev))
		return EVENT_SWITCH_THROTTLED;
	return syscall == settings.yield_syscall ? EVENT_SWITCH_YIELD : 0;
}

static __always_inline void leave_cpu(struct task_struct *prev, __u32 state, __s16 syscall,
				      __u64 now_ns)
{
	struct thread_slot *slot = slot_of(prev->pid);

	if (!slot)
		return;
	if (slot->tid != prev->pid)
		slot_claim(slot, prev);
	slot->off_ns = now_ns;
	/* the dead do not wait: whoever takes the slot next takes it from nobody */
	slot->in_ns = state & TASK_DEAD ? now_ns : 0;
	slot->prev_state = state;
	slot->wake_ns = state ? 0 : now_ns;
	if (slot->is_wanted) {
		slot->waker_tid = slot->waker_pid = 0;
		slot->waker_kernel_stack = slot->waker_user_stack = slot->waker_socket = 0;
		slot->wait_flags = 0;
		slot->is_pending = 0;
		if (state)
			note_beginning(slot, prev, syscall);
	}
}

static __always_inline void take_cpu(void *ctx, struct task_struct *next, __u64 now_ns)
{
	struct thread_slot *slot = slot_of(next->pid);
	__u64 nothing = 0;

	if (!slot || slot->tid != next->pid)
		return;
	slot->in_ns = now_ns;
	if (!slot->is_wanted || !slot->off_ns || now_ns - slot->off_ns < settings.min_wait_ns)
		return;
	slot->is_pending = 1;
	if (settings.evidence_hook == EVIDENCE_KICK)
		bpf_perf_event_output(ctx, &kick, BPF_F_CURRENT_CPU, &nothing, sizeof(nothing));
	else if (settings.evidence_hook == EVIDENCE_DEGRADED)
		emit_wait(ctx, next, slot, EVENT_WAIT_DEGRADED);
}

/* The evidence of a wait could not be taken, because its end at IN_NS was not seen. */
static __always_inline void count_unseen_wait(struct task_struct *task, __u64 in_ns)
{
	struct thread_slot *slot = slot_of(task->pid);
	struct capture_counters *counter = counters_here();

	if (slot && counter && slot->tid == task->pid && slot->is_wanted && slot->off_ns &&
	    !slot->in_ns && in_ns - slot->off_ns >= settings.min_wait_ns)
		counter->unseen_waits++;
}

/* PREV runs here although another thread was the last one seen to take this CPU: say since when. */
static __always_inline void note_unseen(struct log_head *log, struct task_struct *prev, __u32 cpu,
					__u64 now_ns)
{
	__u64 ran_ns = prev->pid ? compat_ran_ns(prev) : 0;
	struct event_resume *event;
	__u32 mark;

	count_unseen_wait(prev, now_ns - ran_ns);
	event = switch_reserve(log, &mark);
	event_begin(&event->header, mark, EVENT_RESUME, sizeof(*event), now_ns);
	event->tid = prev->pid;
	event->cpu = cpu;
	event->reserved = 0;
	event->ran_ns = ran_ns;
	event_commit(&event->header, mark);
}

SEC("tp_btf/sched_switch")
int on_switch(__u64 *ctx)
{
	struct task_struct *prev = (void *)ctx[1], *next = (void *)ctx[2];
	__u32 cpu = bpf_get_smp_processor_id(), mark, state;
	struct log_head *log = switch_log_of(cpu);
	__u64 now_ns = bpf_ktime_get_ns();
	struct event_switch *event;
	__s16 syscall;

	if (!log)
		return 0;
	state = settings.has_prev_state_arg ? (__u32)ctx[3] : compat_state_field(prev);
	/* preempted on its way into a wait: it is runnable, whatever its state says already */
	if ((bool)ctx[0])
		state = 0;
	if (log->has_next && log->last_next_tid != prev->pid)
		note_unseen(log, prev, cpu, now_ns);
	irq_leave(log, cpu, now_ns);
	log->last_next_tid = next->pid;
	log->has_next = 1;
	syscall = syscall_of(prev);

	event = switch_reserve(log, &mark);
	event_begin(&event->header, mark, EVENT_SWITCH, sizeof(*event), now_ns);
	event->prev_tid = prev->pid;
	event->next_tid = next->pid;
	event->prev_state = state;
	event->cpu = cpu;
	event->next_prio = next->prio;
	event->flags = !state && prev->pid ? switch_flags(prev, syscall) : 0;
	event->prev_syscall = state ? syscall : EVENT_NO_SYSCALL;
	event_commit(&event->header, mark);

	if (prev->pid)
		leave_cpu(prev, state, syscall, now_ns);
	if (next->pid)
		take_cpu(ctx, next, now_ns);
	return 0;
}

static __always_inline void log_waking(struct task_struct *wakee, struct task_struct *waker,
				       __u32 cpu, __u64 now_ns, __u8 flags)
{
	struct log_head *log = switch_log_of(cpu);
	struct event_waking *event;
	__u32 mark;

	/* hooks begin one after the other: before switches are seen, who is woken would seem never to run */
	if (!log || !log->has_next)
		return;
	event = switch_reserve(log, &mark);
	event_begin(&event->header, mark, EVENT_WAKING, sizeof(*event), now_ns);
	event->waker_tid = waker->pid;
	event->wakee_tid = wakee->pid;
	event->cpu = cpu;
	event->target_cpu = compat_task_cpu(wakee);
	event->wakee_prio = wakee->prio;
	event->flags = flags;
	event->reserved = 0;
	event_commit(&event->header, mark);
}

/* The wait has been long: the waker is current here, now is the time to see what it is doing. */
static __always_inline void note_waker_stacks(void *ctx, struct thread_slot *slot,
					      struct task_struct *waker, __u32 cpu, __u64 now_ns)
{
	struct scratch *scratch = scratch_of(SCRATCH_WAKER);
	struct log_head *log = evidence_log_of(cpu);
	bool unreadable = false;

	if (!scratch || !log)
		return;
	slot->waker_kernel_stack = kernel_stack_id(ctx, scratch, log, cpu, now_ns);
	if (slot->wait_flags & EVENT_WAIT_WAKER_IRQ)
		return;
	slot->waker_user_stack = user_stack_id(ctx, waker, scratch, log, cpu, now_ns, &unreadable);
	slot->waker_socket = socket_of_call(waker, log, cpu, now_ns);
}

/* WAKER ends a wait of a wanted thread: long enough, and it is to blame for it. */
static __always_inline void note_waker(void *ctx, struct thread_slot *slot,
				       struct task_struct *waker, __u32 cpu, __u64 now_ns)
{
	__u64 blocked_ns = now_ns - slot->off_ns;

	slot->waker_tid = waker->pid;
	slot->waker_pid = waker->tgid;
	if (blocked_ns < settings.waker_stack_ns && blocked_ns < settings.min_wait_ns)
		return;
	if (is_interrupted(waker) || is_in_interrupt(cpu))
		slot->wait_flags |= EVENT_WAIT_WAKER_IRQ;
	else if (blocked_ns >= settings.min_wait_ns)
		follow(waker->pid);
	if (blocked_ns >= settings.waker_stack_ns)
		note_waker_stacks(ctx, slot, waker, cpu, now_ns);
}

/* Its switch-out is not in the slot. If nobody ever was, it has slept since before the capture, and
 * its wait is known from then on; else another thread took the slot meanwhile, and nothing is. */
static __always_inline void claim_sleeper(struct thread_slot *slot, struct task_struct *task)
{
	bool was_free = !slot->tid;

	slot_claim(slot, task);
	slot->off_ns = was_free ? settings.start_ns : 0;
	slot->prev_state = compat_state_field(task);
}

SEC("tp_btf/sched_waking")
int on_waking(__u64 *ctx)
{
	struct task_struct *wakee = (void *)ctx[0], *waker = bpf_get_current_task_btf();
	__u32 cpu = bpf_get_smp_processor_id();
	__u64 now_ns = bpf_ktime_get_ns();
	struct thread_slot *slot;

	log_waking(wakee, waker, cpu, now_ns, 0);
	slot = slot_of(wakee->pid);
	if (!slot)
		return 0;
	if (slot->tid != wakee->pid)
		claim_sleeper(slot, wakee);
	if (slot->wake_ns || slot->in_ns)
		return 0;
	slot->wake_ns = now_ns;
	if (slot->is_wanted && slot->off_ns)
		note_waker(ctx, slot, waker, cpu, now_ns);
	return 0;
}

/* A newborn's first wake-up: its life begins as a wait for a CPU. */
SEC("tp_btf/sched_wakeup_new")
int on_wakeup_new(__u64 *ctx)
{
	struct task_struct *wakee = (void *)ctx[0], *waker = bpf_get_current_task_btf();
	__u64 now_ns = bpf_ktime_get_ns();
	struct thread_slot *slot = slot_of(wakee->pid);

	log_waking(wakee, waker, bpf_get_smp_processor_id(), now_ns, EVENT_WAKING_NEW);
	if (!slot)
		return 0;
	slot_claim(slot, wakee);
	slot->off_ns = slot->wake_ns = now_ns;
	slot->waker_tid = waker->pid;
	slot->waker_pid = waker->tgid;
	return 0;
}
