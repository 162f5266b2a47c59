/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Probe irq: interrupts and softirqs, begin and end.
 */
#include "bpf/irq.bpf.h"

/* Makes sure that the account is TASK's, which has been interrupted since START_NS. Says whether
 * there is one: not before the first switch was seen. */
static __always_inline bool open_account(struct irq_account *account, struct log_head *switches,
					 struct task_struct *task, __u32 cpu, __u64 start_ns)
{
	bool is_known;

	if (account->taken.tid == task->pid)
		return true;
	if (!switches->has_next)
		return false;
	/* if it is another's, the switch was not seen: nobody knows until when that one ran */
	__builtin_memset(&account->taken, 0, sizeof(account->taken));
	account->taken_ns = 0;
	is_known = switches->last_next_tid == task->pid;
	account->taken.from_ns = is_known ? switches->irqs_from_ns : start_ns;
	account->taken.tid = task->pid;
	account->taken.cpu = cpu;
	switches->has_irqs = 1;
	return true;
}

static __always_inline int begin_hard(void)
{
	struct irq_account *account = irq_account_of(bpf_get_smp_processor_id());

	if (account)
		account->hard_start_ns = bpf_ktime_get_ns();
	return 0;
}

/* DEVICE_IRQ is the number of a device's interrupt; 0 for the others. */
static __always_inline int end_hard(enum event_irq_class class, __u16 device_irq)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct irq_account *account = irq_account_of(cpu);
	struct task_struct *task = bpf_get_current_task_btf();
	struct log_head *switches = switch_log_of(cpu);
	__u64 start_ns, now_ns = bpf_ktime_get_ns();
	bool is_kick;

	if (!account || !switches || !account->hard_start_ns)
		return 0;
	start_ns = account->hard_start_ns;
	is_kick = account->is_kick;
	account->hard_start_ns = 0;
	account->is_kick = 0;
	account->hard_total_ns += now_ns - start_ns;
	if (!task->pid || is_kick || !open_account(account, switches, task, cpu, start_ns))
		return 0;
	account->taken.hard_count[class]++;
	account->taken.hard_ns[class] += now_ns - start_ns;
	account->taken_ns += now_ns - start_ns + settings.irq_hidden_ns;
	if (device_irq)
		account->taken.device_irq = device_irq;
	/* a softirq that was interrupted is writing to the account */
	if (now_ns - account->taken.from_ns >= IRQ_EVENT_EVERY_NS && !account->soft_start_ns)
		irq_settle(account, switches, cpu, now_ns);
	return 0;
}

/* ---- softirqs ---- */

/* Who asked for it: what an interrupt or its softirq raises is theirs. */
SEC("tp_btf/softirq_raise")
int on_softirq_raise(__u64 *ctx)
{
	struct irq_account *account = irq_account_of(bpf_get_smp_processor_id());
	__u32 bit = 1u << ((__u32)ctx[0] & 31);

	if (!account)
		return 0;
	if (account->hard_start_ns || account->soft_start_ns)
		account->raised_by_thread &= ~bit;
	else
		account->raised_by_thread |= bit;
	if (ctx[0] == BLOCK_SOFTIRQ)
		account->block_raiser_tid = account->raised_by_thread & bit
						    ? bpf_get_current_task_btf()->pid
						    : 0;
	return 0;
}

SEC("tp_btf/softirq_entry")
int on_softirq_entry(__u64 *ctx)
{
	struct irq_account *account = irq_account_of(bpf_get_smp_processor_id());
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 bit = 1u << ((__u32)ctx[0] & 31);
	bool is_own;

	if (!account)
		return 0;
	is_own = account->raised_by_thread & bit || is_ksoftirqd(task);
	account->raised_by_thread &= ~bit;
	account->soft_start_hard_ns = account->hard_total_ns;
	account->soft_start_ns = is_own ? 0 : bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/softirq_exit")
int on_softirq_exit(__u64 *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id(), number = (__u32)ctx[0];
	struct irq_account *account = irq_account_of(cpu);
	struct task_struct *task = bpf_get_current_task_btf();
	struct log_head *switches = switch_log_of(cpu);
	__u64 took_ns;

	if (!account || !switches || !account->soft_start_ns)
		return 0;
	if (task->pid && number < EVENT_SOFTIRQS &&
	    open_account(account, switches, task, cpu, account->soft_start_ns)) {
		took_ns = bpf_ktime_get_ns() - account->soft_start_ns -
			  (account->hard_total_ns - account->soft_start_hard_ns);
		account->taken.soft_count[number]++;
		account->taken.soft_ns[number] += took_ns;
		account->taken_ns += took_ns;
	}
	account->soft_start_ns = 0;
	return 0;
}

/* ---- interrupts of devices ---- */

SEC("tp_btf/irq_handler_entry")
int on_irq_entry(__u64 *ctx)
{
	return begin_hard();
}

SEC("tp_btf/irq_handler_exit")
int on_irq_exit(__u64 *ctx)
{
	return end_hard(EVENT_IRQ_DEVICE, (__u16)ctx[0]);
}

/* ---- interrupts of the CPU itself: x86 ---- */

SEC("tp_btf/local_timer_entry")
int on_timer_entry(__u64 *ctx)
{
	return begin_hard();
}

SEC("tp_btf/local_timer_exit")
int on_timer_exit(__u64 *ctx)
{
	return end_hard(EVENT_IRQ_TIMER, 0);
}

SEC("tp_btf/reschedule_entry")
int on_reschedule_entry(__u64 *ctx)
{
	return begin_hard();
}

SEC("tp_btf/reschedule_exit")
int on_reschedule_exit(__u64 *ctx)
{
	return end_hard(EVENT_IRQ_IPI, 0);
}

SEC("tp_btf/call_function_entry")
int on_call_entry(__u64 *ctx)
{
	return begin_hard();
}

SEC("tp_btf/call_function_exit")
int on_call_exit(__u64 *ctx)
{
	return end_hard(EVENT_IRQ_IPI, 0);
}

SEC("tp_btf/call_function_single_entry")
int on_call_single_entry(__u64 *ctx)
{
	return begin_hard();
}

SEC("tp_btf/call_function_single_exit")
int on_call_single_exit(__u64 *ctx)
{
	return end_hard(EVENT_IRQ_IPI, 0);
}

SEC("tp_btf/irq_work_entry")
int on_irq_work_entry(__u64 *ctx)
{
	return begin_hard();
}

SEC("tp_btf/irq_work_exit")
int on_irq_work_exit(__u64 *ctx)
{
	return end_hard(EVENT_IRQ_WORK, 0);
}
