/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture: the kernel side loaded and attached, its logs drained into a sink.
 *
 * Order of use: capture_open (nothing runs yet), capture_start, capture_drain every now and then,
 * capture_stop, capture_drain once more, capture_close (waits for the last names).
 */
#ifndef DASHCAM_CAPTURE_CAPTURE_H
#define DASHCAM_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/log.h"

/* Who receives events. Switch, evidence and call events are handed over by the thread that drains,
 * table events by any thread, one call at a time for each of the two kinds of callers. Borrowed for
 * the call. Times are CLOCK_BOOTTIME. An error ends the drain that caused it and is passed on. */
struct capture_sink {
	void *context;
	int (*switches)(void *context, uint16_t cpu, const void *events, size_t size);
	int (*evidence)(void *context, uint16_t cpu, const void *events, size_t size);
	void (*table)(void *context, const struct event_header *event);
	/* as switches; NULL if no functions are to be traced */
	int (*calls)(void *context, uint16_t cpu, const void *events, size_t size);
};

struct function_wish;

struct capture_options {
	uint64_t min_wait_ns;
	uint64_t waker_stack_ns;
	uint32_t probes;         /* PROBE_BIT of those wanted; PROBE_ALWAYS ones need not be set */
	uint64_t left_out;       /* HOOK_BIT of hooks not to be used; none that is required */
	uint64_t sample_rate_hz; /* 0: no samples */
	enum user_stack_mode user_stack;
	bool source_lines;
	const uint32_t *pids; /* borrowed until capture_open returns; as the comms */
	size_t pid_count;
	const char *const *comms; /* shell globs of * and ? */
	size_t comm_count;
	bool follow_children;        /* children of the pids are recorded as well */
	uint64_t switch_log_bytes;   /* per CPU; 0: chosen by the number of CPUs; rounded up to a
					power of two */
	uint64_t evidence_log_bytes; /* as above */
	int evidence_hook;           /* enum evidence_hook, or -1: the best that works */
	const char *const *spans;    /* NAME=BINARY:FUNCTION; borrowed as the pids */
	size_t span_count;
	bool spans_anyway;                  /* also of functions where that may end the program */
	const struct function_wish *wishes; /* which functions are traced; borrowed as the pids */
	size_t wish_count;
	const char *command;     /* the program that will be run; NULL: none */
	bool cheap_only;         /* leave out functions whose probe would cost much */
	uint64_t min_call_ns;    /* shorter calls are counted only; 0: all are written */
	uint64_t max_call_rate;  /* functions called more often in a second, on one CPU, are counted
				    only; 0: no limit */
	uint64_t max_call_depth; /* calls inside so many others are left alone; 0: no limit */
	uint64_t call_log_bytes; /* as the other logs; taken only if functions are traced */
	struct capture_sink sink;
};

struct capture;

/* Fails with a sentence that says what is missing. Writes hook and meta events to the sink. */
int capture_open(struct capture **ret, const struct capture_options *options);

/* Attaches everything and scans who is alive. */
int capture_start(struct capture *capture);

struct capture_totals {
	uint64_t switch_events; /* handed over so far */
	uint64_t evidence_events;
	uint64_t call_events;
	uint64_t lost_events;  /* of all reasons but the next two */
	uint64_t unseen_waits; /* EVENT_LOSS_UNSEEN: nothing the recorder could have done better */
	uint64_t unseen_requests; /* EVENT_LOSS_UNSEEN_DISK: as these */
	double fill; /* of the fullest log at the last drain: 1 is on the brink of loss */
	uint64_t naming_waiting;
	bool expects_mappings; /* the sooner a drain, the sooner functions that are mapped late are
				  traced */
};

/* Which functions of -F are traced, and why others are not, in words; NULL: none were asked for.
 * The caller frees it. */
char *capture_functions(const struct capture *capture);

/* Hands over what the logs hold. */
int capture_drain(struct capture *capture);
void capture_totals(const struct capture *capture, struct capture_totals *ret);

/* Detaches: no more events. */
void capture_stop(struct capture *capture);

/* Waits for the names of all stacks (telling PROGRESS, which may be NULL, how many wait), writes
 * what the kernel side counted, and frees everything. NULL is fine. */
void capture_close(struct capture *capture, void (*progress)(void *context, uint64_t waiting),
		   void *context);

/* Now on the clock of the sink's events, and on that of the logs, ns. */
uint64_t capture_now_ns(void);
uint64_t capture_monotonic_ns(void);

#endif
