/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What differs between kernels, in one place. Each shim names the version that made the difference.
 */
#ifndef DASHCAM_BPF_COMPAT_BPF_H
#define DASHCAM_BPF_COMPAT_BPF_H

#include "bpf/kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* 5.14 renamed task_struct.state to __state and made it 32 bits wide. */
struct task_struct___new_state {
	unsigned int __state;
};

struct task_struct___old_state {
	volatile long state;
};

/* 6.16 added task_struct.blocker (CONFIG_DETECT_HUNG_TASK_BLOCKER). */
struct task_struct___blocker {
	unsigned long blocker;
};

/* 5.16 put the CPU number into thread_info (CONFIG_THREAD_INFO_IN_TASK); before, it was in the
 * task. */
struct thread_info___with_cpu {
	__u32 cpu;
};

struct task_struct___cpu_inside {
	struct thread_info___with_cpu thread_info;
};

struct task_struct___cpu {
	unsigned int cpu;
};

/* 6.18 throttles single tasks instead of run queues (CONFIG_CFS_BANDWIDTH). */
struct task_struct___throttled {
	bool throttled;
};

/* x86: thread_info.status says whether a system call came by the 32-bit door. */
struct thread_info___x86 {
	__u32 status;
};

struct task_struct___x86 {
	struct thread_info___x86 thread_info;
};

#define TS_COMPAT 0x0002

#pragma clang attribute pop

/* State of PREV at sched_switch: 5.18 gave it as the tracepoint's fourth argument; the field may
 * have been changed by a waker already. */
static __always_inline __u32 compat_state_field(struct task_struct *prev)
{
	struct task_struct___new_state *with_new = (void *)prev;
	struct task_struct___old_state *with_old = (void *)prev;

	if (bpf_core_field_exists(with_new->__state))
		return with_new->__state;
	return (__u32)with_old->state;
}

/* Lock that a thread in plain uninterruptible sleep waits for: address, type in the low two bits (0
 * mutex, 1 semaphore, 2 rwsem read, 3 rwsem write); 0 if the kernel does not say. */
static __always_inline unsigned long compat_blocker(struct task_struct *task)
{
	struct task_struct___blocker *with = (void *)task;

	return bpf_core_field_exists(with->blocker) ? with->blocker : 0;
}

/* 5.17 added bpf_loop, whose body the verifier walks once instead of once for every turn. */
static __always_inline bool compat_has_loop(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop);
}

/* The CPU that TASK last ran on. */
static __always_inline __u32 compat_task_cpu(struct task_struct *task)
{
	struct task_struct___cpu_inside *inside = (void *)task;
	struct task_struct___cpu *plain = (void *)task;

	if (bpf_core_field_exists(inside->thread_info.cpu))
		return inside->thread_info.cpu;
	return bpf_core_field_exists(plain->cpu) ? plain->cpu : 0;
}

/* Is TASK in a 32-bit system call? Their numbers and arguments are others. */
static __always_inline bool compat_is_32bit_call(struct task_struct *task)
{
	struct task_struct___x86 *x86 = (void *)task;

	return bpf_core_field_exists(x86->thread_info.status) &&
	       x86->thread_info.status & TS_COMPAT;
}

/* How long TASK, which runs, has had its CPU; 0 where the kernel was built without such accounts
 * (CONFIG_FAIR_GROUP_SCHED, CONFIG_SCHED_INFO). */
static __always_inline __u64 compat_ran_ns(struct task_struct *task)
{
	__u64 clock, arrival;

	if (!bpf_core_field_exists(task->se.cfs_rq) ||
	    !bpf_core_field_exists(task->sched_info.last_arrival))
		return 0;
	clock = BPF_CORE_READ(task, se.cfs_rq, rq, clock);
	arrival = task->sched_info.last_arrival;
	return arrival && clock > arrival ? clock - arrival : 0;
}

static __always_inline bool compat_throttled(struct task_struct *task)
{
	struct task_struct___throttled *with = (void *)task;

	return bpf_core_field_exists(with->throttled) ? with->throttled : false;
}

#endif
