/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Who holds what a thread waits for: owners of futexes and of kernel locks, as memory says.
 */
#ifndef DASHCAM_BPF_OWNER_BPF_H
#define DASHCAM_BPF_OWNER_BPF_H

#include "bpf/timeout.bpf.h"
#include "bpf/slot.bpf.h"

#define FUTEX_TID_MASK 0x3fffffff

/*
 * The futex's owner while the word still names it. A glibc mutex is {lock, count, owner}: lock 2 is
 * "taken, with waiters" (1 is seen when the waiter sleeps before another marks it). A PI mutex has
 * the owner in the word itself. What else waits on a futex (conditions, semaphores) has no owner.
 */
static __always_inline __u32 futex_owner_in(const __u32 words[3], __u32 operation)
{
	__u32 command = operation & FUTEX_COMMAND_MASK;

	if (command == FUTEX_LOCK_PI || command == FUTEX_LOCK_PI2)
		return words[0] & FUTEX_TID_MASK;
	if (command != FUTEX_WAIT && command != FUTEX_WAIT_BITSET)
		return 0;
	return words[0] == 2 && words[2] <= FUTEX_TID_MASK ? words[2] : 0;
}

/* Of the current thread, which is about to wait in the system call of REGS. */
static __always_inline __u32 futex_owner(struct pt_regs *regs)
{
	__u32 words[3];

	if (bpf_probe_read_user(words, sizeof(words), (void *)regs->di))
		return 0;
	return futex_owner_in(words, (__u32)regs->si);
}

/* Only these keep their owner where it can be read: with PREEMPT_RT none, nor do per-CPU rwsems. */
static __always_inline __u32 lock_owner(unsigned long address, __u32 flags)
{
	struct rw_semaphore *rwsem = (void *)address;
	struct mutex *mutex = (void *)address;
	struct task_struct *owner;
	unsigned long word = 0;

	if (flags == LCB_F_MUTEX && bpf_core_field_exists(mutex->owner))
		word = BPF_CORE_READ(mutex, owner.counter) & ~7UL;
	else if ((flags == LCB_F_READ || flags == LCB_F_WRITE) &&
		 bpf_core_field_exists(rwsem->owner))
		word = BPF_CORE_READ(rwsem, owner.counter) & ~7UL;
	owner = (struct task_struct *)word;
	return word ? BPF_CORE_READ(owner, pid) : 0;
}

/* The flags that lock:contention_begin would give for the type of lock in task->blocker. */
static __always_inline __u32 flags_of_blocker(unsigned long blocker)
{
	switch (blocker & 3) {
	case 0:
		return LCB_F_MUTEX;
	case 1:
		return 0;
	case 2:
		return LCB_F_READ;
	default:
		return LCB_F_WRITE;
	}
}

#endif
