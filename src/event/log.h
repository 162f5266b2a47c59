/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The logs: how the kernel side hands events over, and what the user side tells it.
 *
 * Each CPU has two circular logs in memory both sides map: the switch log (32-byte records, the
 * flood) and the evidence log (records of many sizes, the rare and precious). A log is one element
 * of a BPF array: a head of LOG_HEAD_BYTES, `size` bytes of records (a power of two), and for the
 * evidence log LOG_SLACK_BYTES behind them, because a record is never broken at the end of the
 * circle.
 *
 * Writing: one atomic add on head.position reserves units (and, in the evidence log, counts the
 * record); the record is filled in place; storing its mark commits it. The oldest records are
 * overwritten. Reading: a copy of the record at unit position p is whole if and only if its mark is
 * log_mark(p, key) and the position, read again after the copy behind an acquire fence, has not
 * passed p + size. Nothing of a record is believed before that, not even its size. The key is
 * random and secret, so that bytes copied from a user's stack cannot pass for a record.
 */
#ifndef DASHCAM_EVENT_LOG_H
#define DASHCAM_EVENT_LOG_H

#include "event/event.h"
#include "event/pattern.h"

#define LOG_HEAD_BYTES    4096
#define LOG_SLACK_BYTES   32768
#define LOG_SWITCH_UNIT   32
#define LOG_EVIDENCE_UNIT 64

/* head.position of an evidence log: units in the low bits, number of records in the high ones */
#define LOG_COUNT_SHIFT 40
#define LOG_UNITS_MASK  ((1ULL << LOG_COUNT_SHIFT) - 1)
#define LOG_COUNT_MASK  ((1ULL << (64 - LOG_COUNT_SHIFT)) - 1)

struct log_head {
	__u64 position;
	__u32 last_next_tid; /* switch log: who took this CPU last, as far as it was seen */
	__u32 has_next;      /* switch log: 1 once last_next_tid is valid */
	__u64 irqs_from_ns;  /* switch log: since when interrupts are on the account of who runs */
	__u32 has_irqs;      /* switch log: 1 if there was one since */
	__u32 reserved;
};

static inline __u32 log_mark(__u64 unit_position, __u32 key)
{
	return (__u32)unit_position ^ key;
}

/* How evidence of a wait is taken. */
enum evidence_hook {
	EVIDENCE_KICK = 0,     /* self-interrupt by a perf event, seen at irq_work_entry */
	EVIDENCE_EXIT_TP = 1,  /* sched_exit_tp, in the resumed thread */
	EVIDENCE_KPROBE = 2,   /* kprobe on finish_task_switch */
	EVIDENCE_DEGRADED = 3, /* at switch-in, from outside: no user stack */
	EVIDENCE_HOOKS = 4,
};

enum user_stack_mode {
	USER_STACK_AUTO = 0, /* the copy, unwound by .eh_frame */
	USER_STACK_FP = 1,   /* the kernel's walk along frame pointers */
	USER_STACK_DWARF = 2,
	USER_STACK_NONE = 3,
};

#define FILTER_PATTERNS_MAX 8

enum filter_flag {
	FILTER_PIDS = 1,   /* only processes in the map of targets */
	FILTER_FOLLOW = 2, /* children of targets become targets */
	FILTER_COMMS = 4,  /* only threads whose name matches a pattern */
};

#define SYSCALL_LIMIT 512

/* Where a system call says how long it waits at most. */
enum timeout_form {
	TIMEOUT_NONE = 0,
	TIMEOUT_MS = 1,              /* the argument is milliseconds; negative: no limit */
	TIMEOUT_TIMESPEC = 2,        /* it points to a timespec; NULL: no limit */
	TIMEOUT_TIMEVAL = 3,         /* it points to a timeval; NULL: no limit */
	TIMEOUT_CLOCK_NANOSLEEP = 4, /* a timespec, relative or a moment, as the flags say */
	TIMEOUT_FUTEX = 5,           /* a timespec, relative or a moment, as the operation says */
};

struct timeout_call {
	__u8 form;     /* enum timeout_form */
	__u8 argument; /* from 0 */
};

/* What the user side decides before the programs are loaded: constants to the verifier. */
struct capture_settings {
	__u64 start_ns; /* when the capture began, on the clock of the logs */
	__u64 min_wait_ns;
	__u64 waker_stack_ns; /* of waits from this length the waker's stacks are taken, too */
	__u64 sample_period_ns;
	__u64 switch_mask;   /* bytes of a switch log - 1 */
	__u64 evidence_mask; /* bytes of an evidence log - 1 */
	__u32 key;
	__u32 slot_mask; /* number of thread slots - 1 */
	__u32 evidence_hook;
	__u32 user_stack;
	__u32 filter;
	__u32 pattern_count;
	__u32 self_pid; /* the recorder's own process: no evidence of it */
	__u32 has_prev_state_arg;
	__s32 futex_syscall;
	__s32 yield_syscall;
	__u32 tcp_states; /* 1: they are written beside the evidence of waits */
	__u32 tick_ns;    /* the kernel's own clock counts these (CONFIG_HZ) */
	__u32 span_count; /* functions with a span; 0: none */
	__u32 knows_irqs; /* 1: probe irq tells when an interrupt is at work */
	__u64 realtime_offset_ns; /* CLOCK_REALTIME minus CLOCK_MONOTONIC at start_ns */
	__u64 irq_hidden_ns;      /* what an interrupt takes outside its tracepoints */
	struct filter_pattern patterns[FILTER_PATTERNS_MAX];
	__u8 descriptor_syscalls[SYSCALL_LIMIT / 8]; /* bit n: the first argument is a descriptor */
	__u8 send_syscalls[SYSCALL_LIMIT / 8];       /* bit n: it may wait to send on that */
	struct timeout_call timeouts[SYSCALL_LIMIT];
};

/* A function that a thread is inside of. */
struct open_span {
	__u64 start_ns;  /* on the clock of the logs */
	__u64 return_at; /* where its return address lies on the thread's stack */
	__u32 name;
	__u32 reserved;
};

/* The spans a thread has open, outermost first: a value of the map of spans, whose key is the tid.
 */
struct open_spans {
	__u32 pid;
	__u32 count;
	struct open_span spans[EVENT_SPAN_DEPTH_MAX];
};

/* Threads that can have spans at once: 6 MB, taken only if there are spans. */
#define SPAN_THREADS_MAX 16384

/* Counted by the kernel side, one per CPU. */
struct capture_counters {
	__u64 slot_conflicts; /* waits whose evidence was lost to another thread in the same slot */
	__u64 kicks;
	__u64 evidence;
	__u64 user_copies;
	__u64 user_copies_saved; /* stacks that were known already */
	__u64 unseen_waits;      /* waits whose end was not seen, so that no evidence was taken */
	__u64 lost_spans;        /* for which there was no room */
	__u64 followed_threads;  /* not in the filter, but somebody there waited for them */
	__u64 small_irqs;        /* accounts of interrupts too small for an event */
	__u64 small_irqs_ns;     /* and what was taken in them */
	__u64 unseen_requests;   /* of disks, whose end was not seen */
	__u64 reserved[5];       /* two cache lines */
};

#endif
