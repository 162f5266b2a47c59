/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What interrupts take from the thread that has the CPU: an account per CPU, written as one event
 * when the thread leaves, or now and then if it stays. Without probe irq all of it stays empty.
 *
 * Hard interrupts do not nest; a softirq can be interrupted by a hard one, whose time is not the
 * softirq's. A softirq that the thread asked for itself (it sent something over loopback), and all
 * that ksoftirqd runs, is the thread's own work, not taken from it.
 */
#ifndef DASHCAM_BPF_IRQ_BPF_H
#define DASHCAM_BPF_IRQ_BPF_H

#include "bpf/log.bpf.h"

#define IRQ_EVENT_EVERY_NS 20000000ULL /* of a thread that keeps its CPU */
#define IRQ_WORTH_NS       20000ULL    /* taken at once, this much is worth an event */
#define IRQ_WORTH_PART     200         /* and so is one part in so many of the time that passed */
#define IRQ_SELDOM_NS      1000000ULL  /* but that not more often than this */

struct irq_account {
	__u64 hard_start_ns;      /* of the interrupt that is being handled; 0: none */
	__u64 hard_total_ns;      /* of all that ever were */
	__u64 soft_start_ns;      /* of the softirq that runs for an interrupt; 0: none */
	__u64 soft_start_hard_ns; /* hard_total_ns then */
	__u64 taken_ns;           /* in all, hidden time included, since taken.from_ns */
	__u64 last_event_ns;
	__u32 raised_by_thread; /* bit n: softirq n was asked for by the thread itself */
	__u32 is_kick;          /* the interrupt is the recorder's own */
	__u32 block_raiser_tid; /* thread that asked for the softirq of finished disk requests; 0: a
				   device did */
	__u32 reserved;
	struct event_irq taken; /* tid 0: nothing yet */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct irq_account);
} irq_accounts SEC(".maps");

static __always_inline struct irq_account *irq_account_of(__u32 cpu)
{
	return bpf_map_lookup_elem(&irq_accounts, &cpu);
}

static __always_inline bool is_ksoftirqd(struct task_struct *task)
{
	const char *prefix = "ksoftirq";
	char name[8];

	if (!(task->flags & PF_KTHREAD) || bpf_probe_read_kernel(name, sizeof(name), task->comm))
		return false;
	for (int i = 0; i < (int)sizeof(name); i++) {
		if (name[i] != prefix[i])
			return false;
	}
	return true;
}

/* Is an interrupt at work on this CPU, so that the current thread has nothing to do with it? */
static __always_inline bool is_in_interrupt(__u32 cpu)
{
	struct irq_account *account = irq_account_of(cpu);

	return account && (account->hard_start_ns || account->soft_start_ns);
}

/* Too little for an event is only counted. */
static __always_inline bool irq_is_worth(const struct irq_account *account, __u64 now_ns)
{
	if (account->taken_ns >= IRQ_WORTH_NS)
		return true;
	return account->taken_ns * IRQ_WORTH_PART >= now_ns - account->taken.from_ns &&
	       now_ns - account->last_event_ns >= IRQ_SELDOM_NS;
}

static __always_inline void irq_count_small(struct irq_account *account)
{
	struct capture_counters *counter = counters_here();

	if (counter && account->taken.tid) {
		counter->small_irqs++;
		counter->small_irqs_ns += account->taken_ns;
	}
}

/* Closes the account of the thread that had this CPU until NOW_NS, and begins a new one. */
static __noinline int irq_settle(struct irq_account *account, struct log_head *switches, __u32 cpu,
				 __u64 now_ns)
{
	struct log_head *log = evidence_log_of(cpu);
	struct event_irq *event;
	__u64 position;
	__u32 mark;

	if (log && account->taken.tid && irq_is_worth(account, now_ns)) {
		event = evidence_reserve(log, sizeof(*event), &mark, &position);
		event_begin(&event->header, mark, EVENT_IRQ, sizeof(*event), now_ns);
		__builtin_memcpy((void *)event + sizeof(event->header),
				 (void *)&account->taken + sizeof(event->header),
				 sizeof(*event) - sizeof(event->header));
		event_commit(&event->header, mark);
		account->last_event_ns = now_ns;
	} else {
		irq_count_small(account);
	}
	__builtin_memset(&account->taken, 0, sizeof(account->taken));
	account->taken_ns = 0;
	switches->has_irqs = 0;
	switches->irqs_from_ns = now_ns;
	return 0;
}

/* A thread leaves this CPU: hot, so all it costs without an interrupt is to look at has_irqs. */
static __always_inline void irq_leave(struct log_head *switches, __u32 cpu, __u64 now_ns)
{
	struct irq_account *account;

	if (switches->has_irqs) {
		account = irq_account_of(cpu);
		if (account) {
			account->soft_start_ns = 0; /* PREEMPT_RT: it is preempted in one */
			irq_settle(account, switches, cpu, now_ns);
		}
	}
	switches->irqs_from_ns = now_ns;
}

#endif
