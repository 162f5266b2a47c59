/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command that is recorded: started held, so that nothing of it is missed, then let go.
 */
#ifndef DASHCAM_CAPTURE_TARGET_H
#define DASHCAM_CAPTURE_TARGET_H

#include <stdbool.h>
#include <sys/types.h>

struct target {
	pid_t pid; /* 0: none */
	int pidfd; /* readable when it has ended */
	int go_fd; /* write end of the pipe it waits on; -1 once it runs */
	bool is_reaped;
	int status; /* of wait(2), once reaped */
};

/*
 * Forks a process that waits, and will then run ARGV as the user who called sudo (SUDO_UID,
 * SUDO_GID), or as we are. target_release stops it if it was never let go.
 */
int target_start(struct target *target, char *const *argv);
/* Lets it run. If the program cannot be run, returns its errno with a sentence that has its NAME.
 */
int target_go(struct target *target, const char *name);
/* Waits for its end if BLOCK, else looks. Returns true if it has ended: status is valid. */
bool target_wait(struct target *target, bool block);
/* Exit status for a shell: that of the command, or 128 + the signal that ended it. */
int target_exit_status(const struct target *target);
void target_release(struct target *target);

/* A descriptor that becomes readable when process PID ends; negative errno with a sentence if there
 * is no such process. */
int process_watch(pid_t pid);

#endif
