/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the kernel knows of the return addresses it has replaced (event/returns.h).
 */
#ifndef DASHCAM_BPF_RETURNS_BPF_H
#define DASHCAM_BPF_RETURNS_BPF_H

#include "bpf/compat.bpf.h"
#include "event/returns.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* A call whose return address was replaced; the list begins with the innermost. */
struct return_instance {
	unsigned long func;
	unsigned long stack; /* where the address lies */
	unsigned long orig_ret_vaddr;
	struct return_instance *next;
};

struct uprobe_task___returns {
	struct return_instance *return_instances;
};

struct task_struct___returns {
	struct uprobe_task___returns *utask;
};

/* Private to the kernel's uprobes: the page it maps into a process with probes. */
struct xol_area {
	unsigned long vaddr;
};

struct uprobes_state {
	struct xol_area *xol_area;
};

struct mm_struct___uprobes {
	struct uprobes_state uprobes_state;
};

#pragma clang attribute pop

/* Where the kernel makes calls with a return probe return to: the same address for all calls of a
 * process. 0: not known. */
static __always_inline __u64 return_trampoline(struct task_struct *task)
{
	struct mm_struct___uprobes *mm = (void *)task->mm;
	struct xol_area *area = NULL;

	if (!mm || !bpf_core_field_exists(mm->uprobes_state.xol_area) ||
	    !bpf_core_field_exists(area->vaddr))
		return 0;
	area = BPF_CORE_READ(mm, uprobes_state.xol_area);
	return area ? BPF_CORE_READ(area, vaddr) : 0;
}

/* The first of the list of TASK; NULL: none, or the kernel does not show it. */
static __always_inline struct return_instance *first_return(struct task_struct *task)
{
	struct task_struct___returns *with = (void *)task;
	struct uprobe_task___returns *utask = NULL;
	struct return_instance *none = NULL;

	if (!bpf_core_field_exists(with->utask) ||
	    !bpf_core_field_exists(utask->return_instances) ||
	    !bpf_core_field_exists(none->orig_ret_vaddr) || !bpf_core_field_exists(none->stack) ||
	    !bpf_core_field_exists(none->func) || !bpf_core_field_exists(none->next))
		return NULL;
	utask = BPF_CORE_READ(with, utask);
	return utask ? BPF_CORE_READ(utask, return_instances) : NULL;
}

/* Reads the list of TASK, which is current or does not run. */
static __always_inline void read_returns(struct task_struct *task, struct replaced_returns *ret)
{
	struct return_instance *instance = first_return(task);
	__u32 i;

	ret->pid = task->tgid;
	ret->tid = task->pid;
	ret->reserved = 0;
	ret->trampoline = return_trampoline(task);
	for (i = 0; i < RETURNS_MAX && instance; i++) {
		ret->places[i].at = BPF_CORE_READ(instance, stack);
		ret->places[i].address = BPF_CORE_READ(instance, orig_ret_vaddr);
		ret->places[i].function = BPF_CORE_READ(instance, func);
		instance = BPF_CORE_READ(instance, next);
	}
	ret->count = i;
}

#endif
