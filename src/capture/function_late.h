/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of libraries that a process maps while it is recorded (dlopen), from where nobody could
 * know: their probes are put in place when the mapping is noticed, at the drain after it. Calls
 * before that are not seen.
 *
 * The naming thread calls function_late_fork, function_late_map and function_late_look; the others
 * may be called by any thread.
 */
#ifndef DASHCAM_CAPTURE_FUNCTION_LATE_H
#define DASHCAM_CAPTURE_FUNCTION_LATE_H

#include "capture/function_choice.h"
#include "capture/function_probes.h"

struct capture_sink;
struct event_call_value;
struct event_raw_call_value;
struct function_late;
struct resolver;
struct returns;

/* How many functions can come late. The kernel side keeps room for them. */
#define FUNCTION_LATE_MAX 20000

/* NULL if all that CHOICE's patterns can mean is found. Whose mappings count: PIDS, and what they
 * fork if FOLLOWS_CHILDREN. Borrows CHOICE. */
struct function_late *function_late_new(struct function_choice *choice, const uint32_t *pids,
					size_t pid_count, bool follows_children);
void function_late_release(struct function_late *late); /* detaches first; NULL is fine */

/* How they are to be probed: LIKE gives the engine and the processes, names have ids from
 * FIRST_NAME on. RETURNS is told of their files; NULL is fine. Until then mappings are passed over.
 * All is borrowed. */
void function_late_start(struct function_late *late, const struct function_probes *like,
			 struct bpf_object *object, const struct capture_sink *sink,
			 struct returns *returns, uint32_t first_name);
/* Takes the probes away; no more are put in place. NULL is fine. */
void function_late_stop(struct function_late *late);

void function_late_fork(struct function_late *late, uint32_t parent_pid, uint32_t pid);
/* A process has mapped a file; RESOLVER knows it already. */
void function_late_map(struct function_late *late, struct resolver *resolver, uint32_t pid,
		       const char *path);
/* Looks at what the processes map now: what came since the choice was made, and before mappings
 * were told. */
void function_late_look(struct function_late *late, struct resolver *resolver);

/* How many there are by now. NULL: none. */
size_t function_late_count(struct function_late *late);

/* As functions_value. NULL is fine. */
struct event_call_value *function_late_value(struct function_late *late,
					     const struct event_raw_call_value *raw);

#endif
