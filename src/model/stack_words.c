/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/internal.h"

/* A name, or its beginning where a "*" ends it. Compilers add ".isra.0" and the like: a dot ends a
 * name. */
static bool matches(const char *const *patterns, const char *function)
{
	for (; *patterns; patterns++) {
		size_t length = strlen(*patterns);

		if ((*patterns)[length - 1] == '*') {
			if (!strncmp(function, *patterns, length - 1))
				return true;
		} else if (!strncmp(function, *patterns, length) &&
			   (function[length] == '\0' || function[length] == '.')) {
			return true;
		}
	}
	return false;
}

bool function_is_interrupt(const char *function)
{
	static const char *const patterns[] = {
		"asm_common_interrupt",
		"common_interrupt",
		"asm_sysvec_*",
		"sysvec_*",
		"__sysvec_*",
		"asm_exc_nmi",
		"irq_exit_rcu",
		"__irq_exit_rcu",
		"irq_exit",
		"run_ksoftirqd",
		"asm_call_irq_on_stack",
		"el1_interrupt",
		"el0_interrupt",
		"el1h_64_irq*",
		"el0t_64_irq*",
		"gic_handle_irq",
		"handle_irq_event*",
		"__handle_irq_event_percpu",
		"generic_handle_domain_irq",
		"do_IRQ",
		"hrtimer_interrupt",
		"smp_apic_timer_interrupt",
		"apic_timer_interrupt",
		NULL,
	};

	return matches(patterns, function);
}

bool function_is_soft_interrupt(const char *function)
{
	static const char *const patterns[] = {
		"handle_softirqs", "__do_softirq", "do_softirq", "do_softirq_own_stack", NULL,
	};

	return matches(patterns, function);
}

bool function_lets_soft_interrupts_in(const char *function)
{
	static const char *const patterns[] = {"__local_bh_enable_ip", "__local_bh_enable", NULL};

	return matches(patterns, function);
}

bool function_is_scheduler(const char *function)
{
	static const char *const patterns[] = {
		"finish_task_switch",
		"__schedule",
		"schedule",
		"schedule_timeout*",
		"schedule_hrtimeout*",
		"schedule_preempt_disabled",
		"schedule_idle",
		"schedule_rtlock",
		"__schedule_loop",
		"preempt_schedule*",
		"io_schedule",
		"io_schedule_timeout",
		"__cond_resched",
		"_cond_resched",
		"dynamic_cond_resched",
		"dynamic_preempt_schedule*",
		"__preempt_schedule*",
		NULL,
	};

	return matches(patterns, function);
}

bool function_is_recorder(const char *function)
{
	static const char *const patterns[] = {
		"bpf_*",           "__bpf_*",
		"perf_trace_*",    "trace_irq_work_*",
		"irq_work_*",      "__sysvec_irq_work",
		"sysvec_irq_work", "asm_sysvec_irq_work",
		"__traceiter_*",   NULL,
	};

	return matches(patterns, function);
}

bool function_is_waking(const char *function)
{
	static const char *const patterns[] = {"try_to_wake_up", "wake_up_new_task", "ttwu_*", NULL};

	return matches(patterns, function);
}
