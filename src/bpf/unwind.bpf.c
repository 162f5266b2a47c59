/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Before a program walks its own stack: replaced return addresses are put back (event/returns.h).
 *
 * The thread waits here, in the kernel, until the guard has written to its stack. Nobody else in
 * the program notices. Only if that takes too long (the guard gets no CPU) its whole process is
 * stopped instead, and the guard makes it go on.
 */
#include "bpf/function.bpf.h"
#include "bpf/returns.bpf.h"

#define SIGSTOP 19

#define WAIT_TURNS      (1 << 23) /* as many as there can be: the time limit comes before */
#define TURNS_PER_PAUSE 64

/* From looking at the clock to having written. */
#define RETURN_MARGIN_NS 2000000

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* more if functions are traced */
} return_requests SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} return_answers SEC(".maps");

/* Processes that were stopped here and have to be continued, by pid. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RETURN_STOPPED_MAX);
	__type(key, __u32);
	__type(value, __u8);
} return_stopped SEC(".maps");

/* The thread whose list the iterator gives; 0: all. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} return_wanted SEC(".maps");

/* Where the iterator puts a list together. There is one iterator, read by one process. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct replaced_returns);
} return_scratch SEC(".maps");

__u32 next_ticket SEC(".data.returns");

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct signal_struct___stop {
	int group_stop_count;
	unsigned int flags;
};

#pragma clang attribute pop

#define SIGNAL_STOP_STOPPED 0x00000001

struct unwind_wait {
	__u64 limit_ns; /* when to give up */
	__u64 stack_top;
	__u32 ticket;
	__u32 reserved;
};

static __always_inline bool is_answered(__u32 ticket)
{
	__u32 at = ticket % RETURN_ANSWERS;
	volatile __u64 *answer = bpf_map_lookup_elem(&return_answers, &at);

	return !answer || *answer == ticket;
}

/* One turn of waiting; returns 1 at its end. Reading the thread's own memory by the way that may
 * sleep gives up the CPU if somebody else needs it: the guard, where there is one CPU. */
static long wait_for_answer(__u32 turn, void *context)
{
	struct unwind_wait *wait = context;
	__u64 word;

	if (is_answered(wait->ticket))
		return 1;
	if (turn % TURNS_PER_PAUSE != TURNS_PER_PAUSE - 1)
		return 0;
	bpf_copy_from_user_task(&word, sizeof(word), (void *)wait->stack_top,
				bpf_get_current_task_btf(), 0);
	return bpf_ktime_get_ns() > wait->limit_ns;
}

/* Forgets those places where the trampoline is no longer. True if it is still in one. */
static __always_inline bool keep_replaced(struct replaced_returns *returns)
{
	bool is_any = false;

	for (__u32 i = 0; i < RETURNS_MAX && i < returns->count; i++) {
		struct return_place *place = &returns->places[i];
		__u64 word = 0;

		if (bpf_copy_from_user(&word, sizeof(word), (void *)place->at) ||
		    word != returns->trampoline)
			place->at = 0;
		else
			is_any = true;
	}
	return is_any;
}

/* Is somebody else about to stop the process? Then it must stay stopped. */
static __always_inline bool is_being_stopped(struct task_struct *task)
{
	struct signal_struct___stop *signal = (void *)task->signal;

	return BPF_CORE_READ(signal, group_stop_count) > 0 ||
	       BPF_CORE_READ(signal, flags) & SIGNAL_STOP_STOPPED;
}

/* The signal first: the guard's SIGCONT must come behind it. */
static __noinline int stop_process(struct task_struct *task)
{
	__u32 pid = task->tgid;
	__u8 one = 1;
	struct return_request *request;

	if (is_being_stopped(task) || bpf_map_update_elem(&return_stopped, &pid, &one, BPF_ANY))
		return 0;
	bpf_send_signal(SIGSTOP);
	request = bpf_ringbuf_reserve(&return_requests, sizeof(*request), 0);
	if (!request)
		return 0; /* full: the guard looks into return_stopped once it has emptied it */
	request->kind = RETURN_CONTINUE;
	request->returns.pid = pid;
	request->returns.count = 0;
	bpf_ringbuf_submit(request, BPF_RB_FORCE_WAKEUP);
	return 0;
}

/* Of a thread that walks its stack: how many frames are left to look at, and at which place. */
struct unwound {
	const struct replaced_returns *returns;
	__u32 left;
	__u32 place;
};

/* The return of one call that is under way will not be seen. Both lists are in the order of the
 * stack; both are walked from the innermost call on. Returns 1 at the end. */
static long expect_no_return(__u32 turn, void *context)
{
	struct unwound *unwound = context;
	struct thread_calls *calls = calls_of(bpf_get_current_task_btf());
	__u32 i = unwound->place;
	const struct return_place *place;
	struct call_frame *frame;
	__u32 address = 0;

	if (!calls || !unwound->left)
		return 1;
	frame = frame_at(calls, unwound->left - 1);
	place = &unwound->returns->places[i & (RETURNS_MAX - 1)];
	if (i < RETURNS_MAX && i < unwound->returns->count && place->at < frame->return_at) {
		unwound->place = i + 1;
		return 0;
	}
	if (i < RETURNS_MAX && i < unwound->returns->count && place->at == frame->return_at)
		address = CALL_FRAME_ADDRESS(place->address);
	if (!(frame->flags & CALL_FRAME_NO_RETURN))
		frame->flags = (frame->flags & ~CALL_FRAME_ADDRESS_MASK) | address;
	frame->flags |= CALL_FRAME_NO_RETURN;
	unwound->left--;
	return 0;
}

static __noinline int expect_no_returns(struct task_struct *task,
					const struct replaced_returns *returns)
{
	struct thread_calls *calls = calls_of(task);
	struct unwound unwound = {.returns = returns, .left = calls ? calls->count : 0};

	bpf_loop(CALL_DEPTH_MAX + RETURNS_MAX, expect_no_return, &unwound, 0);
	return 0;
}

/* Returns whether the guard has put the addresses back. */
static __noinline int wait_for_guard(__u32 ticket, __u64 stack_top, __u64 limit_ns)
{
	struct unwind_wait wait = {.limit_ns = limit_ns, .stack_top = stack_top, .ticket = ticket};

	bpf_loop(WAIT_TURNS, wait_for_answer, &wait, 0);
	return is_answered(wait.ticket);
}

/*
 * While one thread waits here, others come here on the same CPU. From 6.13 on the kernel gives a
 * function of a program that has 64 bytes of stack or more one stack per CPU for all of them: so
 * each of these has less.
 */
SEC("uprobe.s")
int on_unwind(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct return_request *request;
	__u64 limit_ns;
	__u32 ticket;

	if (!first_return(task))
		return 0;
	request = bpf_ringbuf_reserve(&return_requests, sizeof(*request), 0);
	if (!request)
		return 0;
	read_returns(task, &request->returns);
	/* also if another recorder's guard has been quicker */
	expect_no_returns(task, &request->returns);
	if (!keep_replaced(&request->returns)) {
		bpf_ringbuf_discard(request, BPF_RB_NO_WAKEUP);
		return 0;
	}
	ticket = __sync_fetch_and_add(&next_ticket, 1) + 1;
	limit_ns = bpf_ktime_get_ns() + RETURN_WAIT_NS;
	request->kind = RETURN_REPAIR;
	request->ticket = ticket;
	request->limit_ns = limit_ns - RETURN_MARGIN_NS;
	bpf_ringbuf_submit(request, BPF_RB_FORCE_WAKEUP);
	if (!wait_for_guard(ticket, ctx->sp, limit_ns))
		stop_process(task);
	return 0;
}

/* Gives the lists of all threads, or of one, that have replaced return addresses. */
SEC("iter/task")
int on_replaced_returns(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct replaced_returns *returns;
	__u32 zero = 0, *wanted;

	wanted = bpf_map_lookup_elem(&return_wanted, &zero);
	returns = bpf_map_lookup_elem(&return_scratch, &zero);
	if (!task || !wanted || !returns || (*wanted && *wanted != task->pid) ||
	    !first_return(task))
		return 0;
	read_returns(task, returns);
	bpf_seq_write(seq, returns, sizeof(*returns));
	return 0;
}
