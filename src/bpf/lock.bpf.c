/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Probe lock: which kernel lock a thread is about to sleep for. The owner is read at switch-out, in
 * sched.bpf.c, when it is most often known.
 */
#include "bpf/slot.bpf.h"

/* Adaptive spinning fires this 200,000 times a second: leave at once. */
SEC("tp_btf/contention_begin")
int on_contention_begin(__u64 *ctx)
{
	struct task_struct *task;
	struct thread_slot *slot;

	if (ctx[1] & LCB_F_SPIN)
		return 0;
	task = bpf_get_current_task_btf();
	slot = slot_of(task->pid);
	if (!slot || slot->tid != task->pid || !slot->is_wanted)
		return 0;
	slot->lock_address = ctx[0];
	slot->lock_flags = (__u32)ctx[1];
	slot->lock_owner_tid = 0;
	return 0;
}

SEC("tp_btf/contention_end")
int on_contention_end(__u64 *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread_slot *slot = slot_of(task->pid);

	if (slot && slot->tid == task->pid && slot->lock_address == ctx[0] && !slot->is_pending)
		slot->lock_address = 0;
	return 0;
}
