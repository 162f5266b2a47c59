/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Short texts about waits, the same in every format.
 */
#ifndef DASHCAM_EXPORT_DESCRIBE_H
#define DASHCAM_EXPORT_DESCRIBE_H

#include <stddef.h>

#include "base/memory.h"
#include "model/call.h"
#include "model/model.h"

#define DESCRIBE_SIZE 512 /* room that is enough for all but the longest paths */

/* The thread's process as a number; its tid where the process is not known. */
uint32_t describe_pid(const struct thread *thread);

/* What a wait was: "futex", "read /var/log/x", "preempted in epoll_wait", "blocked in
 * kthread_loop". Written into TEXT, cut to SIZE; returns TEXT. */
char *describe_wait(struct model *model, const struct wait *wait, char *text, size_t size);

/* In which way the thread was off the CPU: "sleeping", "disk sleep", "preempted", "throttled" ...
 */
const char *describe_state(const struct wait *wait);

/* Who made the thread runnable: "main 123", "an interrupt while main 123 ran", "an interrupt"; ""
 * if unknown. As describe_wait. */
char *describe_waker(const struct wait *wait, char *text, size_t size);

/* The kernel function a wait was in: the innermost one outside the scheduler; NULL if unknown. */
const char *describe_blocked_function(struct model *model, const struct event_wait *evidence);

/* Appends the functions of a stack, outermost first, ";" before each but the first of OUT. NULL is
 * an empty stack. */
void describe_stack(const struct stack *stack, struct buffer *out);

/* "" for a call that returned, else why its end is not its return. Static text. */
const char *describe_call_end(const struct call *call, const struct call_name *name);
/* Whether the kernel emulates the instruction under a function's probe: "cheap", "costly", or "". */
const char *describe_call_place(const struct call_name *name);

#endif
