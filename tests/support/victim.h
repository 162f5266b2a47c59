/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs to take stacks of: started, stopped, copied as the kernel side would copy them (by
 * ptrace), ended.
 */
#ifndef DASHCAM_TESTS_VICTIM_H
#define DASHCAM_TESTS_VICTIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "event/event.h"

/* Starts ARGV; if WAIT_READY, waits until it has printed something. Returns its pid, or -1. */
pid_t victim_start(const char *const *argv, bool wait_ready);
void victim_end(pid_t pid); /* kills it and its children, and waits */

/* The thread of PID to look at: its youngest. */
pid_t victim_thread(pid_t pid);

/* Waits until the thread sleeps (is in state S). False: it does not come to rest. */
bool victim_wait_asleep(pid_t pid, pid_t tid);

/* For copying a thread that may be running: seize it once, then interrupt, copy, continue; at the
 * end interrupt and detach (else it cannot be waited for). */
bool victim_seize(pid_t tid);
bool victim_interrupt(pid_t tid);
void victim_continue(pid_t tid);
void victim_detach(pid_t tid);

/* Copies the stack of an interrupted thread, as an event with this ID. The caller frees. */
struct event_raw_user_stack *victim_copy(pid_t pid, pid_t tid, uint64_t id);

/* All at once, for a thread that sleeps. NULL: did not work. */
struct event_raw_user_stack *victim_copy_asleep(pid_t pid, pid_t tid, uint64_t id);

/* Compiles a program of tests/programs into OUT with these flags (one string each, NULL ends them).
 * False: no compiler, or it cannot. */
bool victim_compile(const char *compiler, const char *source, const char *out,
		    const char *const *flags);

#endif
