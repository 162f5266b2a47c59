/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Probe sched, the rare path: the thread that resumed after a long wait is current. One of these
 * three is attached; which one, the user side decides by trying (capture/hooks.c).
 */
#include "bpf/irq.bpf.h"
#include "bpf/wait.bpf.h"

/* Says whether evidence was due. */
static __always_inline bool resumed(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread_slot *slot = slot_of(task->pid);

	if (!slot || !slot->is_pending || slot->tid != task->pid)
		return false;
	emit_wait(ctx, task, slot, 0);
	return true;
}

/* The kick of sched.bpf.c has arrived (or another irq_work, which finds nothing pending). x86. */
SEC("tp_btf/irq_work_entry")
int on_kick(__u64 *ctx)
{
	struct irq_account *account = irq_account_of(bpf_get_smp_processor_id());

	if (resumed(ctx) && account)
		account->is_kick = 1;
	return 0;
}

/* 6.18 and later: the end of every call of schedule(), in the resumed thread. */
SEC("tp_btf/sched_exit_tp")
int on_sched_exit(__u64 *ctx)
{
	resumed(ctx);
	return 0;
}

SEC("kprobe/finish_task_switch")
int on_finish_switch(struct pt_regs *ctx)
{
	resumed(ctx);
	return 0;
}
