/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Return addresses that the kernel has replaced, and how they are put back.
 *
 * A probe on the return of a function is the address of the kernel's trampoline, written over the
 * call's return address. Who walks the stack then (exceptions, panics, pthread_exit, backtrace())
 * ends at the trampoline, and ends the program. So the address that was there is put back before:
 * the kernel keeps it in a list of its own for each thread.
 *
 * The kernel side waits at the entry of the functions that walk stacks, with a request in a ring
 * buffer; the guard (capture/guard.h) writes to the thread's stack and says so in the map of
 * answers. The kernel itself may not write there where it is locked down.
 */
#ifndef DASHCAM_EVENT_RETURNS_H
#define DASHCAM_EVENT_RETURNS_H

#include <linux/types.h>

/* The kernel replaces no more in one thread (MAX_URETPROBE_DEPTH). */
#define RETURNS_MAX 64

struct return_place {
	__u64 at;       /* where on the stack; 0: the trampoline's address is no longer there */
	__u64 address;  /* that was there before */
	__u64 function; /* that was called: where its entry probe is */
};

/* Of one thread, the innermost call first. */
struct replaced_returns {
	__u32 pid;
	__u32 tid;
	__u32 count;
	__u32 reserved;
	__u64 trampoline; /* that is there now */
	struct return_place places[RETURNS_MAX];
};

enum return_request_kind {
	RETURN_REPAIR = 1,   /* the thread waits for it in the kernel, for a while */
	RETURN_CONTINUE = 2, /* it has waited too long, and its process was stopped */
};

struct return_request {
	__u32 kind;     /* enum return_request_kind */
	__u32 ticket;   /* of the answer that the thread waits for */
	__u64 limit_ns; /* until when it surely waits, on the clock of the logs */
	struct replaced_returns returns;
};

/* Element TICKET of the map of answers, modulo its size, becomes the ticket itself once done. */
#define RETURN_ANSWERS (1u << 12)

/* A ring buffer of requests, in bytes: some hundred threads that throw at once. */
#define RETURN_REQUESTS_BYTES (512u << 10)

/* So many processes can be stopped at once because nobody answered in time. */
#define RETURN_STOPPED_MAX 1024

/* How long a thread waits before its process is stopped instead. Usually it is 20 us. */
#define RETURN_WAIT_NS 20000000ULL

#endif
