/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Probe span: calls of functions that the user named, from entry to return.
 *
 * Which call a return belongs to is told by the stack: a call's return address lies at a place of
 * its own for as long as the call lasts. That also tells calls that were left without a return
 * (longjmp, exceptions). Calls of a function from inside itself are not spans of their own.
 *
 * These programs can be preempted: nothing here is kept per CPU, and see evidence_put.
 */
#include "bpf/slot.bpf.h"
#include "bpf/span.bpf.h"

#define SPAN_RETURN_BYTES 8 /* that a return takes off the stack (x86) */

/* All zero. Too large for a program's own stack. */
const volatile struct open_spans no_spans SEC(".rodata.no_spans");

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

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

/*
 * Has the call not been left yet? Then its return address lies on the live part of the stack, that
 * is at STACK_TOP or above, and is still the one that the kernel put there. (At STACK_TOP itself is
 * that of the call that begins now: the same one if it was called by a jump, as the last thing that
 * the other did.)
 */
static __always_inline bool is_under_way(const struct open_span *span, __u64 stack_top,
					 __u64 trampoline)
{
	__u64 returns_to;

	if (span->return_at < stack_top)
		return false;
	if (!trampoline ||
	    bpf_probe_read_user(&returns_to, sizeof(returns_to), (void *)span->return_at))
		return span->return_at > stack_top;
	return returns_to == trampoline;
}

static __always_inline void close_left(struct open_spans *open, struct task_struct *task,
				       struct log_head *log, __u64 stack_top, __u64 now_ns)
{
	__u64 trampoline = return_trampoline(task);

	for (__u32 i = 0; i < EVENT_SPAN_DEPTH_MAX && open->count; i++) {
		if (is_under_way(span_at(open, open->count - 1), stack_top, trampoline))
			return;
		close_span(open, task->pid, log, now_ns, EVENT_SPAN_BROKEN);
	}
}

static __always_inline bool is_inside(struct open_spans *open, __u32 name)
{
	for (__u32 i = 0; i < EVENT_SPAN_DEPTH_MAX && i < open->count; i++) {
		if (open->spans[i].name == name)
			return true;
	}
	return false;
}

static __always_inline bool is_span_wanted(struct task_struct *task)
{
	struct thread_slot *slot = slot_of(task->pid);

	return slot && slot->tid == task->pid ? slot->is_wanted : is_wanted(task);
}

static __always_inline void count_lost_span(void)
{
	struct capture_counters *counter = counters_here();

	if (counter)
		__sync_fetch_and_add(&counter->lost_spans, 1);
}

/* The spans of the thread, made at its first. */
static __always_inline struct open_spans *spans_of(struct task_struct *task)
{
	__u32 tid = task->pid, pid = task->tgid;
	struct open_spans *open = bpf_map_lookup_elem(&open_spans, &tid);

	if (open)
		return open;
	bpf_map_update_elem(&open_spans, &tid, (const void *)&no_spans, BPF_NOEXIST);
	open = bpf_map_lookup_elem(&open_spans, &tid);
	if (open)
		open->pid = pid;
	return open;
}

SEC("uprobe")
int on_span_entry(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct log_head *log = evidence_log_of(bpf_get_smp_processor_id());
	__u32 name = bpf_get_attach_cookie(ctx);
	__u64 now_ns = bpf_ktime_get_ns(), stack_top = ctx->sp;
	struct open_spans *open;
	struct open_span *span;

	if (!log || !is_span_wanted(task))
		return 0;
	open = spans_of(task);
	if (open)
		close_left(open, task, log, stack_top, now_ns);
	if (open && is_inside(open, name))
		return 0;
	if (!open || open->count >= EVENT_SPAN_DEPTH_MAX) {
		count_lost_span();
		return 0;
	}
	span = span_at(open, open->count);
	span->start_ns = now_ns;
	span->return_at = stack_top;
	span->name = name;
	open->count++;
	return 0;
}

/* How many of the open spans are around the call that has just returned; -1: none of them is it. */
static __always_inline int find_returned(struct open_spans *open, __u32 name, __u64 return_at)
{
	for (__u32 i = 0; i < EVENT_SPAN_DEPTH_MAX && i < open->count; i++) {
		if (open->spans[i].name == name && open->spans[i].return_at == return_at)
			return i;
	}
	return -1;
}

SEC("uprobe")
int on_span_return(struct pt_regs *ctx)
{
	struct log_head *log = evidence_log_of(bpf_get_smp_processor_id());
	__u32 name = bpf_get_attach_cookie(ctx), tid = bpf_get_current_pid_tgid();
	struct open_spans *open = bpf_map_lookup_elem(&open_spans, &tid);
	__u64 now_ns = bpf_ktime_get_ns();
	int at;

	if (!log || !open)
		return 0;
	at = find_returned(open, name, ctx->sp - SPAN_RETURN_BYTES);
	if (at < 0)
		return 0;
	for (__u32 i = 0; i < EVENT_SPAN_DEPTH_MAX && open->count > at + 1; i++)
		close_span(open, tid, log, now_ns, EVENT_SPAN_BROKEN);
	close_span(open, tid, log, now_ns, 0);
	return 0;
}
