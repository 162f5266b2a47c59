/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Probe function: calls of traced functions, from entry to return.
 *
 * Which call a return belongs to is told by the stack: a call's return address lies at a place of
 * its own for as long as the call lasts. That also tells calls that were left without a return
 * (longjmp, exceptions), or whose return is not probed.
 *
 * These programs can be preempted: nothing of a thread is kept per CPU, and see evidence_put. They
 * run twice for every call of somebody else's program: what user space can do later is not done
 * here.
 */
#include "bpf/function.bpf.h"
#include "bpf/value.bpf.h"
#include "bpf/returns.bpf.h"

#define RETURN_BYTES 8 /* that a return takes off the stack (x86) */

/* The kernel follows so many calls with a return probe inside each other (MAX_URETPROBE_DEPTH).
 * With sessions it follows those that we do; up to here it is not asked. */
#define KERNEL_DEPTH_MAX  64
#define KERNEL_DEPTH_SAFE 32

/* Empty. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} no_programs SEC(".maps");

/*
 * Since 6.13 programs of this type that use 64 bytes of stack or more get one of their own for each
 * CPU, trusting that they do not run twice there at a time. On functions they do, when a thread is
 * preempted in the middle of one, and would write over each other's stack. A program with a tail
 * call is left on the thread's stack, even if the call is never made and the verifier removes it.
 */
static __always_inline void stay_on_own_stack(struct pt_regs *ctx)
{
	if (!settings.function_count)
		bpf_tail_call(ctx, &no_programs, 0);
}

static __always_inline bool is_on_signal_stack(struct task_struct *task, __u64 at)
{
	return at - task->sas_ss_sp < task->sas_ss_size;
}

/* Is the return address of a call whose return is not probed still where it was? */
static __always_inline bool has_return_address(const struct call_frame *frame)
{
	__u32 was = frame->flags & CALL_FRAME_ADDRESS_MASK;
	__u64 address;

	return !was || bpf_probe_read_user(&address, sizeof(address), (void *)frame->return_at) ||
	       CALL_FRAME_ADDRESS(address) == was;
}

/*
 * Has the call not been left yet? Then its return address lies on the live part of the stack, that
 * is at STACK_TOP or above, and is still the same: where the return is probed, the one that the
 * kernel put there. (At STACK_TOP itself is that of the call that begins now: the kernel's if it
 * was called by a jump, as the last thing that the other did.) A signal's handler may run on a
 * stack of its own, inside of a call on the other.
 */
static __always_inline bool is_under_way(struct thread_calls *calls, const struct call_frame *frame,
					 struct task_struct *task, __u64 stack_top)
{
	__u64 returns_to;

	if (task->sas_ss_size &&
	    is_on_signal_stack(task, frame->return_at) != is_on_signal_stack(task, stack_top)) {
		if (is_on_signal_stack(task, frame->return_at))
			return false;
	} else if (frame->return_at < stack_top) {
		return false;
	}
	if (frame->flags & CALL_FRAME_NO_RETURN && frame->return_at != stack_top)
		return has_return_address(frame);
	if (!calls->trampoline)
		calls->trampoline = return_trampoline(task);
	if (!calls->trampoline ||
	    bpf_probe_read_user(&returns_to, sizeof(returns_to), (void *)frame->return_at))
		return frame->return_at != stack_top;
	return returns_to == calls->trampoline;
}

/*
 * As is_under_way, for the call around one that begins. To read the stack costs as much as all else
 * here: a call that calls others from the same place of its stack, as loops do, is believed to be
 * the same if it was under way for the last of them. (It could only have been left by longjmp since
 * then, by a caller that now calls from just as deep.)
 */
static __always_inline bool is_around(struct thread_calls *calls, struct call_frame *frame,
				      struct task_struct *task, __u64 stack_top)
{
	__u32 place = CALL_FRAME_PLACE(stack_top);

	if (frame->flags & CALL_FRAME_NO_RETURN)
		return is_under_way(calls, frame, task, stack_top);
	if ((frame->flags & CALL_FRAME_ADDRESS_MASK) == place)
		return true;
	if (!is_under_way(calls, frame, task, stack_top))
		return false;
	if (frame->return_at != stack_top)
		frame->flags = (frame->flags & ~CALL_FRAME_ADDRESS_MASK) | place;
	return true;
}

/* Ends the current thread's innermost call if it has been left; 0: it has not, or there is none. A
 * global function: the verifier walks it once, and every recording waits for that. */
__noinline int end_left_call(__u64 stack_top, __u64 now_ns)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread_calls *calls = calls_of(task);
	__u32 count = calls ? calls->count : 0;

	if (!calls || !count || is_under_way(calls, frame_at(calls, count - 1), task, stack_top))
		return 0;
	end_call(calls, task, now_ns, EVENT_SPAN_BROKEN);
	return 1;
}

/* Ends the innermost calls as long as they have been left. */
static __noinline int end_left_calls(__u64 stack_top)
{
	__u64 now_ns = bpf_ktime_get_ns();

	for (__u32 i = 0; i < CALL_DEPTH_MAX; i++) {
		if (!end_left_call(stack_top, now_ns))
			break;
	}
	return 0;
}

static __always_inline bool is_thread_wanted(struct task_struct *task)
{
	struct thread_slot *slot = slot_of(task->pid);

	return slot && slot->tid == task->pid ? slot->is_wanted == WANTED_BY_FILTER
					      : is_wanted(task);
}

/* The thread's first call. NULL: it is none of those that are wanted. */
static __noinline struct thread_calls *begin_calls(struct task_struct *task)
{
	struct thread_calls *calls;
	__u32 pid = task->tgid;
	__u8 *target;

	if (!is_thread_wanted(task))
		return NULL;
	target = bpf_map_lookup_elem(&targets, &pid);
	if (target && *target == TARGET_HELD)
		return NULL;
	calls = bpf_task_storage_get(&thread_calls, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (settings.hides_calls &&
	    !bpf_task_storage_get(&call_sums, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE))
		calls = NULL;
	if (calls)
		calls->tid = task->pid;
	else
		count_lost_call();
	return calls;
}

/* Counts a call for --max-rate. From the first on that is too much, all are. */
static __always_inline bool is_too_often(__u32 name, __u64 now_ns)
{
	struct function_count *count = bpf_map_lookup_elem(&function_counts, &name);

	if (!count)
		return false;
	if (count->since_ns)
		return true;
	if (now_ns - count->second_ns >= 1000000000) {
		count->second_ns = now_ns;
		count->in_second = 0;
	}
	if (++count->in_second <= settings.max_call_rate)
		return false;
	count->since_ns = now_ns;
	return true;
}

/* Will the kernel leave out the return probe of the call that begins, inside of COUNT others? */
static __always_inline bool is_too_deep(struct task_struct *task, __u32 count)
{
	struct uprobe_task *uprobes;

	if (settings.has_sessions && count < KERNEL_DEPTH_SAFE)
		return false;
	uprobes = task->utask;
	return bpf_core_field_exists(uprobes->depth) && uprobes &&
	       uprobes->depth >= KERNEL_DEPTH_MAX;
}

/*
 * The kernel takes calls whose return addresses lie below the stack pointer for left, and forgets
 * them when it sets the next return probe. When they do return, it kills the process (SIGILL). So
 * it is in a signal's handler on a stack of its own that lies above the thread's: no return probe
 * there.
 */
static __always_inline bool would_kill(struct thread_calls *calls, struct task_struct *task,
				       __u32 count, __u64 stack_top)
{
	const struct call_frame *outer = frame_at(calls, count - 1);

	if (!settings.has_sessions || !task->sas_ss_size || !count ||
	    !is_on_signal_stack(task, stack_top))
		return false;
	if (is_on_signal_stack(task, outer->return_at))
		return outer->flags & CALL_FRAME_NO_RETURN;
	return outer->return_at < stack_top;
}

/* As it is kept in a frame's flags. */
static __always_inline __u32 return_address_at(__u64 stack_top)
{
	__u64 address;

	if (bpf_probe_read_user(&address, sizeof(address), (void *)stack_top))
		return 0;
	return CALL_FRAME_ADDRESS(address);
}

/* Returns whether the call's return is of interest. */
static __always_inline bool push_call(struct thread_calls *calls, struct task_struct *task,
				      __u64 cookie, __u64 stack_top)
{
	bool has_return = !(cookie & FUNCTION_COOKIE_ENTRY_ONLY);
	__u32 count = calls->count, flags = 0;
	struct call_frame *frame = frame_at(calls, count);
	struct call_sums *sums;
	__u64 now_ns = 0;

	if (settings.hides_calls) {
		sums = bpf_task_storage_get(&call_sums, task, 0, 0);
		if (sums)
			*sum_at(sums, count) = (struct call_sum){0};
	}
	if (cookie & FUNCTION_COOKIE_SPAN)
		flags |= CALL_FRAME_SPAN;
	if (has_return && would_kill(calls, task, count, stack_top))
		has_return = false;
	if (!has_return || is_too_deep(task, count))
		flags |= CALL_FRAME_NO_RETURN | return_address_at(stack_top);
	if (settings.max_call_rate && !(flags & CALL_FRAME_SPAN)) {
		now_ns = bpf_ktime_get_ns();
		if (is_too_often((__u32)cookie, now_ns))
			flags |= CALL_FRAME_COUNTED;
	}
	frame->return_at = stack_top;
	frame->name = (__u32)cookie;
	frame->flags = flags;
	calls->count = count + 1;
	frame->start_ns = now_ns ? now_ns : bpf_ktime_get_ns();
	return has_return;
}

/* A function may begin with a loop: it comes by its own begin again, and the call that is under way
 * is the same. */
static __always_inline bool is_same_call(const struct call_frame *frame, __u32 name,
					 __u64 stack_top)
{
	return frame->return_at == stack_top && frame->name == name;
}

/* Returns whether the call's return is of interest. */
static __always_inline bool enter(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread_calls *calls = calls_of(task);
	struct event_raw_call_value *values = NULL;
	__u64 cookie, stack_top = ctx->sp;
	bool has_return;
	__u32 count;

	if (!calls) {
		calls = begin_calls(task);
		if (!calls)
			return false;
	}
	if (settings.filter & FILTER_COMMS && !is_thread_wanted(task))
		return false;
	count = calls->count;
	if (count && !is_around(calls, frame_at(calls, count - 1), task, stack_top)) {
		end_left_calls(stack_top);
		count = calls->count;
	}
	cookie = bpf_get_attach_cookie(ctx);
	if (count && is_same_call(frame_at(calls, count - 1), (__u32)cookie, stack_top))
		return false;
	if (cookie & FUNCTION_COOKIE_SPAN) {
		if (is_inside(calls, count, (__u32)cookie))
			return false;
	} else if (settings.max_call_depth && count >= settings.max_call_depth) {
		return false;
	}
	if (count >= CALL_DEPTH_MAX) {
		count_lost_call();
		return false;
	}
	/* before the call's time begins */
	if (settings.value_count && cookie & FUNCTION_COOKIE_VALUES)
		values = read_arguments(ctx, (__u32)cookie);
	has_return = push_call(calls, task, cookie, stack_top);
	if (values)
		write_values(values, frame_at(calls, count)->start_ns,
			     frame_at(calls, count)->start_ns);
	return has_return;
}

static __always_inline bool is_returned(const struct call_frame *frame, __u64 return_at)
{
	return frame->return_at == return_at && !(frame->flags & CALL_FRAME_NO_RETURN);
}

/* How many calls are inside of the one that returns; COUNT or more: it is none of these. A global
 * function: the verifier walks it once. */
__noinline int count_inner_calls(const struct thread_calls *calls, __u32 count, __u32 name,
				 __u64 return_at)
{
	__u32 inner;

	if (!calls)
		return CALL_DEPTH_MAX;
	for (inner = 0; inner < CALL_DEPTH_MAX && inner < count; inner++) {
		const struct call_frame *frame =
			&calls->frames[(count - inner - 1) & (CALL_DEPTH_MAX - 1)];

		if (frame->name == name && is_returned(frame, return_at))
			break;
	}
	return inner;
}

/* A call returns that is not the innermost: those inside of it have been left. If it is none of the
 * open ones, it began when the thread was not wanted, or is inside of too many. */
static __noinline int end_outer_call(struct thread_calls *calls, __u32 name, __u64 return_at)
{
	__u32 inner = count_inner_calls(calls, calls->count, name, return_at);
	__u64 now_ns = bpf_ktime_get_ns();

	if (inner >= calls->count)
		return 0;
	for (__u32 i = 0; i < CALL_DEPTH_MAX && i < inner; i++)
		end_innermost_call(now_ns, EVENT_SPAN_BROKEN);
	end_innermost_call(now_ns, 0);
	return 0;
}

/* Writes what the function returned from the call whose return address was there. */
static __noinline int write_result(struct pt_regs *ctx, struct thread_calls *calls, __u64 now_ns)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u32 name = (__u32)cookie;
	struct event_raw_call_value *values =
		cookie & FUNCTION_COOKIE_VALUES ? read_result(ctx, name) : NULL;
	__u32 count = calls->count, inner, at;

	if (!values)
		return 0;
	inner = count_inner_calls(calls, count, name, ctx->sp - RETURN_BYTES);
	if (inner >= count)
		return 0;
	at = count - inner - 1;
	return write_values(values,
			    at < calls->inherited ? calls->birth_ns : frame_at(calls, at)->start_ns,
			    now_ns);
}

/* Calls whose return addresses lie at the same place called each other by jumps: the kernel tells
 * of their returns from the innermost to the outermost. So the name need not be compared. */
static __always_inline void leave(struct pt_regs *ctx)
{
	__u64 now_ns = bpf_ktime_get_ns(), return_at = ctx->sp - RETURN_BYTES;
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread_calls *calls = calls_of(task);
	__u32 count;

	if (!calls)
		return;
	if (settings.value_count)
		write_result(ctx, calls, now_ns);
	count = calls->count;
	if (count && is_returned(frame_at(calls, count - 1), return_at))
		end_call(calls, task, now_ns, 0);
	else
		end_outer_call(calls, bpf_get_attach_cookie(ctx), return_at);
}

SEC("uprobe")
int on_function_entry(struct pt_regs *ctx)
{
	stay_on_own_stack(ctx);
	enter(ctx);
	return 0;
}

SEC("uprobe")
int on_function_return(struct pt_regs *ctx)
{
	stay_on_own_stack(ctx);
	leave(ctx);
	return 0;
}

/*
 * Both in one, since 6.13: at entry the program stands at the probe, at return behind the call.
 * (The kernel's own function that tells them apart takes other arguments since 7.1.) Where a call's
 * return is of no interest, the kernel sets no probe there: that halves the price for processes
 * that are not wanted.
 */
SEC("uprobe")
int on_function_session(struct pt_regs *ctx)
{
	stay_on_own_stack(ctx);
	if (bpf_get_func_ip(ctx) == ctx->ip)
		return enter(ctx) ? 0 : 1;
	leave(ctx);
	return 0;
}

/* Calls that have not ended when the recording does: an iterator over all threads, once their
 * probes are gone. */
SEC("iter/task")
int on_open_call(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct thread_calls *calls = task ? calls_of(task) : NULL;
	struct call_sums *sums = NULL;
	__u32 pid[2] = {0, 0};

	if (!calls || !calls->count)
		return 0;
	if (settings.hides_calls) {
		sums = bpf_task_storage_get(&call_sums, task, 0, 0);
		if (!sums)
			return 0;
	}
	pid[0] = task->tgid;
	bpf_seq_write(ctx->meta->seq, calls, sizeof(*calls));
	bpf_seq_write(ctx->meta->seq, pid, sizeof(pid));
	if (sums)
		bpf_seq_write(ctx->meta->seq, sums, sizeof(*sums));
	return 0;
}

/* An exception has arrived: the calls that it went through have been left. */
SEC("uprobe")
int on_catch(struct pt_regs *ctx)
{
	end_left_calls(ctx->sp);
	return 0;
}
