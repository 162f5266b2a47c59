/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What is kept of each thread between leaving a CPU and taking one again, and who is wanted.
 *
 * Slots are an array indexed by the low bits of the tid: a look-up is two instructions and nothing
 * is ever allocated under the run-queue lock. Two live threads can only meet in a slot where
 * pid_max is larger than the array; then the later one takes it, the evidence of the other's wait
 * is lost and counted. The switch log does not need slots, so times stay right.
 */
#ifndef DASHCAM_BPF_SLOT_BPF_H
#define DASHCAM_BPF_SLOT_BPF_H

#include "bpf/log.bpf.h"

/* What a TCP connection had to send when a thread began to wait for it. */
struct tcp_flight {
	__u32 send_window_bytes;
	__u32 unsent_bytes;
	__u32 unacked_bytes;
	__u32 is_taken;
};

/* Why evidence is taken of a thread. */
enum wanted {
	WANTED_NOT = 0,
	WANTED_BY_FILTER = 1,
	WANTED_FOLLOWED = 2, /* a wanted thread waited for it: see follow.bpf.h */
};

struct thread_slot {
	__u32 tid;       /* 0: of nobody yet; may be wanted already, if followed */
	__u8 is_wanted;  /* enum wanted */
	__u8 is_pending; /* evidence of the wait that just ended is due */
	__u16 prev_state;
	__u64 off_ns;  /* when it left the CPU; 0: not seen */
	__u64 wake_ns; /* when it was made runnable; 0: not yet */
	__u64 in_ns;   /* when it took a CPU again */
	__u32 waker_tid;
	__u32 waker_pid;
	__u64 waker_kernel_stack;
	__u64 waker_user_stack;
	__u64 lock_address; /* kernel lock it waits for */
	__u32 lock_flags;
	__u32 lock_owner_tid;
	__u32 futex_owner_tid;
	__u32 wait_flags; /* enum event_wait_flag */
	struct tcp_flight flight;
	__u32 is_recorder; /* of the recorder's own process: never wanted */
	__u32 padding;
	__u64 waker_socket; /* id of the socket that the waker was sending to or reading from */
	__u64 reserved[2];  /* two cache lines; what every switch touches is in the first */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct thread_slot);
} slots SEC(".maps");

/* Processes to take evidence of, by pid, when the filter says FILTER_PIDS: only then it has more
 * than one entry. Allocated beforehand, or perf event programs may not use it before 6.1. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u8);
} targets SEC(".maps");

static __always_inline struct thread_slot *slot_of(__u32 tid)
{
	__u32 index = tid & settings.slot_mask;

	return bpf_map_lookup_elem(&slots, &index);
}

/* Do the first 8 characters at the kernel's TEXT equal the 8 of WANTED? */
static __always_inline bool begins_with(const char *text, const char *wanted)
{
	__u64 first = 0, all;

	__builtin_memcpy(&all, wanted, sizeof(all));
	bpf_probe_read_kernel(&first, sizeof(first), text);
	return first == all;
}

struct thread_name {
	char comm[EVENT_COMM_SIZE];
};

/* A global function: the verifier walks it once, not once for every way that leads to it. */
__noinline int any_pattern_matches(const struct thread_name *name)
{
	if (!name)
		return 0;
	for (int i = 0; i < FILTER_PATTERNS_MAX; i++) {
		if (i < settings.pattern_count &&
		    pattern_matches(&settings.patterns[i], name->comm))
			return 1;
	}
	return 0;
}

/* Is evidence wanted of TASK under NAME? */
static __always_inline bool is_wanted_as(struct task_struct *task, const char *name)
{
	__u32 pid = task->tgid;
	struct thread_name copy = {0};

	if (task->pid == 0 || pid == settings.self_pid)
		return false;
	if ((settings.filter & FILTER_PIDS) && !bpf_map_lookup_elem(&targets, &pid))
		return false;
	if (!(settings.filter & FILTER_COMMS))
		return true;
	bpf_probe_read_kernel_str(copy.comm, sizeof(copy.comm), name);
	return any_pattern_matches(&copy);
}

static __always_inline bool is_wanted(struct task_struct *task)
{
	return is_wanted_as(task, task->comm);
}

/* The same, by what is known of it already: it may be followed. */
static __always_inline bool is_wanted_now(struct task_struct *task)
{
	struct thread_slot *slot = slot_of(task->pid);

	return slot && slot->tid == task->pid ? slot->is_wanted != WANTED_NOT : is_wanted(task);
}

/* Takes the slot for TASK, which was not in it. */
static __always_inline void slot_claim(struct thread_slot *slot, struct task_struct *task)
{
	bool is_recorder = task->tgid == settings.self_pid;
	bool is_followed = !slot->tid && slot->is_wanted == WANTED_FOLLOWED && !is_recorder;

	if (slot->tid && slot->off_ns && !slot->in_ns && settings.slot_mask) {
		struct capture_counters *counter = counters_here();

		if (counter && slot->is_wanted)
			counter->slot_conflicts++;
	}
	__builtin_memset(slot, 0, sizeof(*slot));
	slot->tid = task->pid;
	slot->is_recorder = is_recorder;
	if (is_wanted(task))
		slot->is_wanted = WANTED_BY_FILTER;
	else if (is_followed)
		slot->is_wanted = WANTED_FOLLOWED;
}

#endif
