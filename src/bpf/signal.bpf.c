/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Probe signal: who sent which signal to whom. The sender of a fault or timer signal is the thread
 * that was running then.
 */
#include "bpf/log.bpf.h"

SEC("tp_btf/signal_generate")
int on_signal(__u64 *ctx)
{
	struct task_struct *sender = bpf_get_current_task_btf(), *target = (void *)ctx[2];
	struct kernel_siginfo *info = (void *)ctx[1];
	struct log_head *log = evidence_log_of(bpf_get_smp_processor_id());
	struct event_signal *event;
	__u64 position;
	__u32 mark;

	if (!log)
		return 0;
	event = evidence_reserve(log, sizeof(*event), &mark, &position);
	event_begin(&event->header, mark, EVENT_SIGNAL, sizeof(*event), bpf_ktime_get_ns());
	event->sender_tid = sender->pid;
	event->sender_pid = sender->tgid;
	event->target_tid = target->pid;
	event->target_pid = target->tgid;
	event->number = (__s32)ctx[0];
	/* 0 and 1 are SEND_SIG_NOINFO and SEND_SIG_PRIV: no structure, sent by kill or by the
	 * kernel */
	event->code = (__u64)ctx[1] > 1 ? BPF_CORE_READ(info, si_code) : ctx[1] ? SI_KERNEL : 0;
	event->is_for_process = (__u32)ctx[3];
	event->result = (__u32)ctx[4];
	event_commit(&event->header, mark);
	return 0;
}
