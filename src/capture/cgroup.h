/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In which cgroups a process is, and how much they allow: read from /proc and the cgroup file
 * systems, told as cgroup events. Not thread-safe: one thread owns a reader.
 */
#ifndef DASHCAM_CAPTURE_CGROUP_H
#define DASHCAM_CAPTURE_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/capture.h"

struct cgroup_reader;

/* SINK's table function gets the events; it must live as long as the reader. Where no cgroups are
 * mounted, events name the groups but no limits. */
struct cgroup_reader *cgroup_reader_new(const struct capture_sink *sink);
void cgroup_reader_free(struct cgroup_reader *reader); /* NULL is fine */

enum cgroup_wish {
	CGROUP_ONCE,  /* unless it is known already */
	CGROUP_AGAIN, /* it may have changed: but not more often than once a second */
};

/* Looks at the process of thread TID, if it lives still and has a user side, and tells. */
void cgroup_read(struct cgroup_reader *reader, uint32_t tid, enum cgroup_wish wish);
/* PID has ended: the next one with its number is another. */
void cgroup_forget(struct cgroup_reader *reader, uint32_t pid);

#endif
