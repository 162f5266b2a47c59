/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is alive: /proc, read at the start, and again when births or names may have been missed, as
 * `thread` events.
 */
#ifndef DASHCAM_CAPTURE_THREADS_H
#define DASHCAM_CAPTURE_THREADS_H

#include <stdint.h>

#include "event/event.h"

/* Calls TAKE for every thread of every process; those that end meanwhile are left out. */
void threads_scan(uint64_t now_ns, void (*take)(void *context, const struct event_thread *event),
		  void *context);

/* Path of the file behind a descriptor of another process, if it still is the one with this inode
 * number. Returns 0, or a negative errno: PATH is not to be used then. No call reaches the file
 * system that the file lies on. */
int descriptor_path(uint32_t pid, int descriptor, uint64_t inode, char *path, unsigned int size);

#endif
