/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The logs: how the kernel side hands events over, and what the user side tells it.
 *
 * Each CPU has circular logs in memory both sides map: the switch log (32-byte records, the flood),
 * the evidence log (records of many sizes, the rare and precious), and where functions are traced
 * the call log (32-byte records, another flood). A log is one element of a BPF array: a head of
 * LOG_HEAD_BYTES, `size` bytes of records (a power of two), and for the evidence log
 * LOG_SLACK_BYTES behind them, because a record is never broken at the end of the circle.
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
#define LOG_SLOT_UNIT     32 /* of the switch log and the call log */
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

/* Values of the map of targets. */
enum target_state {
	TARGET_RUNS = 1,
	TARGET_HELD =
		2, /* of the recorder's making: what it calls before its first exec is not traced */
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
	__u32 tcp_states;         /* 1: they are written beside the evidence of waits */
	__u32 tick_ns;            /* the kernel's own clock counts these (CONFIG_HZ) */
	__u32 function_count;     /* that are traced, spans among them; 0: none */
	__u32 knows_irqs;         /* 1: probe irq tells when an interrupt is at work */
	__u64 realtime_offset_ns; /* CLOCK_REALTIME minus CLOCK_MONOTONIC at start_ns */
	__u64 irq_hidden_ns;      /* what an interrupt takes outside its tracepoints */
	__u64 call_mask;          /* bytes of a call log - 1 */
	__u64 min_call_ns;        /* shorter calls are counted only; 0: all are written */
	__u64 max_call_rate;      /* a function called more often in a second is counted only; 0: no
				     limit */
	__u32 max_call_depth;     /* calls inside so many others are left alone; 0: no limit */
	__u32 hides_calls;        /* 1: one of the first two is set, so calls are to be counted */
	__u32 has_sessions;       /* 1: entry and return of functions are probed by one program */
	__u32 value_count;        /* functions of which values are wanted */
	struct filter_pattern patterns[FILTER_PATTERNS_MAX];
	__u8 descriptor_syscalls[SYSCALL_LIMIT / 8]; /* bit n: the first argument is a descriptor */
	__u8 send_syscalls[SYSCALL_LIMIT / 8];       /* bit n: it may wait to send on that */
	struct timeout_call timeouts[SYSCALL_LIMIT];
};

/* What a function's probes carry as their cookie: the id of its name in the low half, and these. */
#define FUNCTION_COOKIE_SPAN       (1ULL << 32) /* --span: always written, its outermost calls only */
#define FUNCTION_COOKIE_ENTRY_ONLY (1ULL << 33) /* its returns are not probed */
#define FUNCTION_COOKIE_VALUES     (1ULL << 34) /* what is passed to it, or comes back, is wanted */

/* Where a value of a call is found, by the ABI. */
struct value_source {
	__u8 position; /* among the arguments that are no floating-point numbers, from 1 */
	__u8 reserved;
	__u16 read_bytes; /* to be read from the address that it is; 0: none */
	__u32 is_text;    /* they end at a NUL */
};

/* The values of one function that are wanted. */
struct value_sources {
	__u32 argument_count;
	__u32 has_result; /* the last one of the sources */
	struct value_source sources[EVENT_VALUES_MAX];
};

enum call_frame_flag {
	CALL_FRAME_SPAN = 1,
	CALL_FRAME_NO_RETURN =
		2, /* its return will not be seen: that it has ended, the stack tells */
	CALL_FRAME_COUNTED = 4, /* it is counted, not written */
};

/* Above the flags stand bits of an address; 0: of none. With CALL_FRAME_NO_RETURN, of where the
 * call returns to. Else, of the place on the stack of a call inside of it: when that began, this
 * one was seen to be under way. */
#define CALL_FRAME_ADDRESS(address) ((__u32)(address) << 3)
#define CALL_FRAME_PLACE(at)        ((__u32)(at)&CALL_FRAME_ADDRESS_MASK)
#define CALL_FRAME_ADDRESS_MASK     0xfffffff8u

/* A call that a thread is inside of. */
struct call_frame {
	__u64 start_ns;  /* on the clock of the logs */
	__u64 return_at; /* where its return address lies on the thread's stack */
	__u32 name;
	__u32 flags; /* enum call_frame_flag, and an address */
};

/* Calls of one thread inside each other that can be followed. A thread's state has to stay below 8
 * KB: 7.1 takes no larger ones. */
#define CALL_DEPTH_MAX 256

/* The calls that a thread is inside of, outermost first: what thread_calls holds for each. */
struct thread_calls {
	__u32 count;
	__u32 inherited; /* so many of the outermost began before the thread's birth, in its parent
			  */
	__u32 tid;       /* exec may give it another */
	__u32 reserved;
	__u64 birth_ns;   /* valid if there are such */
	__u64 trampoline; /* where calls with a return probe return to; 0: not known yet */
	struct call_frame frames[CALL_DEPTH_MAX];
};

/* What was inside of each of them, kept only if calls are hidden. */
struct call_sum {
	__u64 child_ns; /* calls right inside of it that have ended */
	__u64 shown_ns; /* calls inside of it that were written, and are not inside such ones */
};

struct call_sums {
	struct call_sum sums[CALL_DEPTH_MAX];
};

/* What is counted of a function on one CPU, if calls are hidden: as in event_call_count. */
struct function_count {
	__u64 calls;
	__u64 total_ns;
	__u64 self_ns;
	__u64 max_ns;
	__u64 hidden_ns;
	__u64 since_ns;  /* it went above the rate; 0: it did not */
	__u64 second_ns; /* when the second began in which calls are counted for the rate */
	__u64 in_second;
};

/* What the iterator over open calls gives for each thread that is in one; if calls are hidden, a
 * struct call_sums follows. */
struct open_calls {
	struct thread_calls calls;
	__u32 pid;
	__u32 reserved;
};

/* Counted by the kernel side, one per CPU. */
struct capture_counters {
	__u64 slot_conflicts; /* waits whose evidence was lost to another thread in the same slot */
	__u64 kicks;
	__u64 evidence;
	__u64 user_copies;
	__u64 user_copies_saved; /* stacks that were known already */
	__u64 unseen_waits;      /* waits whose end was not seen, so that no evidence was taken */
	__u64 lost_calls;        /* of traced functions, for which there was no room */
	__u64 followed_threads;  /* not in the filter, but somebody there waited for them */
	__u64 small_irqs;        /* accounts of interrupts too small for an event */
	__u64 small_irqs_ns;     /* and what was taken in them */
	__u64 unseen_requests;   /* of disks, whose end was not seen */
	__u64 reserved[5];       /* two cache lines */
};

#endif
