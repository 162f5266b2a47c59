/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guard: a process that puts return addresses back (event/returns.h), beside the recorder
 * because it has to live on when that one is killed. It owns the probes on the functions that walk
 * stacks.
 */
#ifndef DASHCAM_CAPTURE_RETURNS_GUARD_H
#define DASHCAM_CAPTURE_RETURNS_GUARD_H

#include <limits.h>
#include <stdint.h>

/* What the recorder sends, in this order: ARM once, FILE and FINISH as need be. Each is answered.
 */
enum guard_message_kind {
	GUARD_ARM = 1,    /* with descriptors (enum guard_fd): serve requests from now on */
	GUARD_FILE = 2,   /* PATH: put probes on the functions in it that walk stacks */
	GUARD_FINISH = 3, /* no more return addresses are replaced: put back those that are */
};

enum guard_fd {
	GUARD_FD_WALK,     /* the program on_unwind */
	GUARD_FD_CATCH,    /* the program on_catch */
	GUARD_FD_REQUESTS, /* maps of bpf/unwind.bpf.c */
	GUARD_FD_ANSWERS,
	GUARD_FD_STOPPED,
	GUARD_FD_WANTED,
	GUARD_FD_ITERATOR, /* the link of on_replaced_returns */
	GUARD_FDS,
};

struct guard_message {
	uint32_t kind;
	uint16_t has_multi; /* ARM: the program is one for many places */
	uint8_t is_traced;  /* FILE: return addresses of its functions are replaced */
	uint8_t is_told;    /* FILE: nobody waits for an answer */
	char path[PATH_MAX];
};

struct guard_answer {
	int32_t error;    /* negative errno, 0 if all is well */
	uint32_t found;   /* FILE: functions that have a probe now */
	uint32_t threads; /* FINISH: whose return addresses were put back */
	uint32_t failed;  /* FINISH: where that was not possible */
	uint64_t repairs; /* so far, while the recording ran */
};

/* The guard's whole life, in a process just forked: ends with the socket, or when told. */
void guard_run(int socket) __attribute__((noreturn));

#endif
