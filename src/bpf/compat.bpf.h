/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What differs between kernels, in one place. Each shim names the version that made the difference.
 */
#ifndef DASHCAM_BPF_COMPAT_BPF_H
#define DASHCAM_BPF_COMPAT_BPF_H

#include "bpf/kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <asm-generic/errno.h>

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

/* 5.17 gave struct kthread a place of its own; before, it was where a user thread has its
 * set_child_tid. */
struct task_struct___worker_private {
	void *worker_private;
};

struct task_struct___set_child_tid {
	int *set_child_tid;
};

struct kthread {
	void *data;
};

struct worker {
	char desc[24];
};

/* 7.1 renamed page.compound_head, and keeps a mask in it where it can. */
struct page___compound_head {
	unsigned long compound_head;
};

struct page___compound_info {
	unsigned long compound_info;
};

/* 5.15 put the disk into the request's queue; until 5.16 it was in the request. */
struct request___rq_disk {
	struct gendisk *rq_disk;
};

/* Compaction's state is in its tracepoints' arguments since 5.18. */
struct compact_control {
	int order;
};

/* 7.1 changed the arguments of reclaim's tracepoints: what they write tells which they are. */
struct trace_event_raw_mm_vmscan_direct_reclaim_begin_template___with_memcg {
	__u64 memcg_id;
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

/* Has TASK, which leaves its CPU runnable, no CPU time left? Before 6.18 that was said of its run
 * queue, or of one that this is part of: it counts them. */
static __always_inline bool compat_throttled(struct task_struct *task)
{
	struct task_struct___throttled *with = (void *)task;

	if (bpf_core_field_exists(with->throttled))
		return with->throttled;
	if (!bpf_core_field_exists(task->se.cfs_rq) ||
	    !bpf_core_field_exists(task->se.cfs_rq->throttle_count))
		return false;
	return BPF_CORE_READ(task, se.cfs_rq, throttle_count) > 0;
}

/* What the function of a kernel thread was started with; for a worker of a work queue its worker.
 */
static __always_inline void *compat_kthread_data(struct task_struct *task)
{
	struct task_struct___worker_private *with = (void *)task;
	struct task_struct___set_child_tid *without = (void *)task;
	struct kthread *kthread;

	if (bpf_core_field_exists(with->worker_private))
		kthread = BPF_CORE_READ(with, worker_private);
	else
		kthread = (struct kthread *)BPF_CORE_READ(without, set_child_tid);
	return BPF_CORE_READ(kthread, data);
}

/* The first page of those that PAGE is one of: only this one says whose they are. */
static __always_inline struct page *compat_head_page(struct page *page)
{
	struct page___compound_head *with_head = (void *)page;
	struct page___compound_info *with_info = (void *)page;
	unsigned long info = 0;

	if (bpf_core_field_exists(with_head->compound_head))
		info = BPF_CORE_READ(with_head, compound_head);
	else if (bpf_core_field_exists(with_info->compound_info))
		info = BPF_CORE_READ(with_info, compound_info);
	if (!(info & 1)) /* it is the first itself */
		return page;
	/* no page of the kernel is that high, but every mask */
	if (info >= 0xffffffff00000000UL)
		return (struct page *)((unsigned long)page & info);
	return (struct page *)(info - 1);
}

static __always_inline struct gendisk *compat_disk(struct request *request)
{
	struct request___rq_disk *with = (void *)request;

	if (bpf_core_field_exists(with->rq_disk))
		return BPF_CORE_READ(with, rq_disk);
	return bpf_core_field_exists(request->q->disk) ? BPF_CORE_READ(request, q, disk) : NULL;
}

/*
 * The error of block_rq_complete as a negative errno. 5.16 made it a status of the block layer,
 * which is positive. Those above 13 have had other numbers from time to time.
 */
static __always_inline int compat_disk_error(__u64 argument)
{
	int error = (int)argument;

	if (error <= 0)
		return error;
	switch (error & 0xff) {
	case 1:
		return -EOPNOTSUPP;
	case 2:
		return -ETIMEDOUT;
	case 3:
		return -ENOSPC;
	case 4:
		return -ENOLINK;
	case 5:
		return -EREMOTEIO;
	case 6:
		return -EBADE;
	case 7:
		return -ENODATA;
	case 8:
		return -EILSEQ;
	case 9:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

/* The order that reclaim's begin tracepoints give. */
static __always_inline __u32 compat_reclaim_order(__u64 *ctx)
{
	struct trace_event_raw_mm_vmscan_direct_reclaim_begin_template___with_memcg *with = NULL;

	return bpf_core_field_exists(with->memcg_id) ? (__u32)ctx[1] : (__u32)ctx[0];
}

/* The order that mm_compaction_begin gives; 0 where it does not: the first argument is a page's
 * number then. */
static __always_inline __u32 compat_compaction_order(__u64 *ctx)
{
	struct compact_control *control = (void *)ctx[0];

	return (__s64)ctx[0] < 0 ? (__u32)BPF_CORE_READ(control, order) : 0;
}

#endif
