/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Putting return addresses back into the stacks of others (event/returns.h).
 */
#ifndef DASHCAM_CAPTURE_RETURNS_WRITE_H
#define DASHCAM_CAPTURE_RETURNS_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "event/returns.h"

/* Forgets those places (at becomes 0) that do not hold the trampoline's address. Returns how many
 * do; -ESRCH if the process is gone. */
int returns_check(struct replaced_returns *returns);

/* Writes the addresses to all places. The thread must not run meanwhile. Returns 0 or a negative
 * errno. */
int returns_write(const struct replaced_returns *returns);

/*
 * A thread that is kept from running, without it or anybody noticing: it may only run on the CPU
 * that the caller has for itself. So the caller must have a real-time priority above the thread's
 * (returns_take_priority), and not sleep until returns_thaw. Where that cannot be had, its process
 * is stopped with SIGSTOP.
 */
struct returns_frozen {
	pid_t pid, tid;
	bool is_stopped;          /* by us */
	bool is_stopped_by_other; /* and stays so */
	unsigned long cpus[128];  /* that it may run on; 8192 */
};

/* Takes the highest real-time priority, or what there is. Returns whether it has it. */
bool returns_take_priority(void);

/* Fails with a negative errno if the thread is gone, or cannot be kept from running. */
int returns_freeze(struct returns_frozen *frozen, pid_t pid, pid_t tid, bool has_priority);
void returns_thaw(const struct returns_frozen *frozen);

#endif
