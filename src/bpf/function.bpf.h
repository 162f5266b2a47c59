/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The calls of traced functions that threads are inside of, and how one ends.
 *
 * A thread's state is touched by that thread alone: by the probes on functions, and when it is
 * born, exits or begins another program. What is open when the capture stops, the user side reads
 * out.
 */
#ifndef DASHCAM_BPF_FUNCTION_BPF_H
#define DASHCAM_BPF_FUNCTION_BPF_H

#include "bpf/slot.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread_calls);
} thread_calls SEC(".maps");

/* Only if calls are hidden. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct call_sums);
} call_sums SEC(".maps");

/* By the id of the function's name; only then it has more than one entry. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct function_count);
} function_counts SEC(".maps");

/* NULL: the thread has called none yet. */
static __always_inline struct thread_calls *calls_of(struct task_struct *task)
{
	return bpf_task_storage_get(&thread_calls, task, 0, 0);
}

/* Bounded indexes, so that the verifier can see that they are. */
static __always_inline struct call_frame *frame_at(struct thread_calls *calls, __u32 i)
{
	return &calls->frames[i & (CALL_DEPTH_MAX - 1)];
}

static __always_inline struct call_sum *sum_at(struct call_sums *sums, __u32 i)
{
	return &sums->sums[i & (CALL_DEPTH_MAX - 1)];
}

static __always_inline void count_lost_call(void)
{
	struct capture_counters *counter = counters_here();

	if (counter)
		__sync_fetch_and_add(&counter->lost_calls, 1);
}

/* Is one of the COUNT outermost calls of that function? A global function: the verifier walks it
 * once, not once for every way that leads to it. */
__noinline int is_inside(const struct thread_calls *calls, __u32 count, __u32 name)
{
	if (!calls)
		return 0;
	for (__u32 i = 0; i < CALL_DEPTH_MAX && i < count; i++) {
		if (calls->frames[i].name == name)
			return 1;
	}
	return 0;
}

/* A call as it ends. */
struct ended_call {
	__u32 tid;
	__u64 start_ns;
	__u64 end_ns;
	__u32 name;
	__u16 depth;
	__u16 flags; /* enum event_span_flag */
};

static __always_inline void write_span(__u32 pid, const struct ended_call *call)
{
	struct log_head *log = evidence_log_of(bpf_get_smp_processor_id());
	struct event_span event = {
		.header = {.kind = EVENT_SPAN, .size = sizeof(event), .time_ns = call->end_ns},
		.start_ns = call->start_ns,
		.tid = call->tid,
		.pid = pid,
		.name = call->name,
		.depth = call->depth,
		.flags = call->flags,
	};

	if (log)
		evidence_put(log, &event.header, sizeof(event));
}

static __always_inline void write_call(const struct ended_call *call)
{
	struct log_head *log = call_log_of(bpf_get_smp_processor_id());
	struct event_call event = {
		.header = {.kind = EVENT_CALL, .size = sizeof(event), .time_ns = call->end_ns},
		.tid = call->tid,
		.duration_ns = call->end_ns - call->start_ns,
		.name = call->name,
		.depth = call->depth,
		.flags = call->flags,
	};

	if (log)
		call_put(log, &event);
}

static __always_inline void raise(__u64 *most, __u64 value)
{
	for (int tries = 0; tries < 4; tries++) {
		__u64 was = *(volatile __u64 *)most;

		if (value <= was || __sync_val_compare_and_swap(most, was, value) == was)
			return;
	}
}

/* Programs here can be preempted by others that count the same function on the same CPU. */
static __always_inline void count_call(struct thread_calls *calls, const struct ended_call *call,
				       struct function_count *count, __u64 child_ns)
{
	__u64 duration_ns = call->end_ns - call->start_ns;

	__sync_fetch_and_add(&count->calls, 1);
	if (duration_ns > child_ns)
		__sync_fetch_and_add(&count->self_ns, duration_ns - child_ns);
	if (!is_inside(calls, call->depth, call->name))
		__sync_fetch_and_add(&count->total_ns, duration_ns);
	raise(&count->max_ns, duration_ns);
}

/*
 * If calls are hidden: decides whether this one is to be written, counts it if not, and says to the
 * call around it what was inside. What a written one hides: the counted calls inside of it, less
 * the written ones inside of those.
 */
static __always_inline bool account(struct thread_calls *calls, struct task_struct *task,
				    struct ended_call *call, __u32 frame_flags)
{
	struct call_sums *sums = bpf_task_storage_get(&call_sums, task, 0, 0);
	struct function_count *count = bpf_map_lookup_elem(&function_counts, &call->name);
	__u64 duration_ns = call->end_ns - call->start_ns;
	bool is_counted =
		(frame_flags & CALL_FRAME_COUNTED ||
		 (duration_ns < settings.min_call_ns && !(frame_flags & CALL_FRAME_SPAN))) &&
		!(call->flags & EVENT_SPAN_OPEN);
	__u64 child_ns, shown_ns;

	if (!sums || !count)
		return true;
	child_ns = sum_at(sums, call->depth)->child_ns;
	shown_ns = sum_at(sums, call->depth)->shown_ns;
	if (is_counted) {
		count_call(calls, call, count, child_ns);
	} else if (child_ns != shown_ns) {
		__sync_fetch_and_add(&count->hidden_ns, child_ns - shown_ns);
		call->flags |= EVENT_SPAN_SUMMED;
	}
	if (call->depth > 0) {
		sum_at(sums, call->depth - 1)->child_ns += duration_ns;
		sum_at(sums, call->depth - 1)->shown_ns += is_counted ? shown_ns : duration_ns;
	}
	return !is_counted;
}

/* Takes the innermost call off. */
static __always_inline void end_call(struct thread_calls *calls, struct task_struct *task,
				     __u64 now_ns, __u16 flags)
{
	__u32 depth = calls->count - 1;
	struct call_frame *frame = frame_at(calls, depth);
	struct ended_call call = {
		.tid = calls->tid,
		.start_ns = frame->start_ns,
		.end_ns = now_ns,
		.name = frame->name,
		.depth = depth,
		.flags = flags,
	};

	calls->count = depth;
	if (depth < calls->inherited) {
		calls->inherited = depth;
		call.start_ns = calls->birth_ns;
		call.flags |= EVENT_SPAN_INHERITED;
	}
	if (settings.hides_calls && !account(calls, task, &call, frame->flags))
		return;
	if (frame->flags & CALL_FRAME_SPAN || (now_ns - call.start_ns) >> 32)
		write_span(task->tgid, &call);
	else
		write_call(&call);
}

/* The same of the current thread, as a global function: where calls end in a loop. Returns how many
 * are left. */
__noinline int end_innermost_call(__u64 now_ns, __u16 flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread_calls *calls;

	/* until 6.8 it is verified even where nobody calls it, and without functions the call log
	 * has no room */
	if (!settings.function_count)
		return 0;
	calls = calls_of(task);
	if (!calls || !calls->count)
		return 0;
	end_call(calls, task, now_ns, flags);
	return calls->count;
}

/* The current thread does not come back to its functions: what is open ends here. */
static __always_inline void end_open_calls(__u16 flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread_calls *calls = settings.function_count ? calls_of(task) : NULL;
	__u64 now_ns = bpf_ktime_get_ns();

	if (!calls)
		return;
	for (__u32 i = 0; i < CALL_DEPTH_MAX && calls->count; i++)
		end_innermost_call(now_ns, EVENT_SPAN_OPEN | flags);
	calls->trampoline = 0;
	calls->tid = task->pid;
}

/* A process was born inside of its parent's calls: they are its own, too, from now on. */
static __noinline int inherit_calls(struct task_struct *parent, struct task_struct *child)
{
	struct thread_calls *from = calls_of(parent), *to;
	__u32 bytes;

	if (!from || !from->count || !is_wanted(child))
		return 0;
	to = bpf_task_storage_get(&thread_calls, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!to || (settings.hides_calls &&
		    !bpf_task_storage_get(&call_sums, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE)))
		return 0;
	bytes = from->count * sizeof(struct call_frame);
	if (bytes > sizeof(to->frames))
		return 0;
	bpf_probe_read_kernel(to->frames, bytes, from->frames);
	to->count = to->inherited = from->count;
	to->tid = child->pid;
	to->birth_ns = bpf_ktime_get_ns();
	to->trampoline = from->trampoline;
	return 0;
}

#endif
