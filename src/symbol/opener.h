/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The opener: opens files of recorded processes on the resolver's behalf, in a process of its own,
 * because a path can lead to a file system that does not answer (a network server that is gone, a
 * hostile FUSE server), and /proc/PID/maps can wait for a lock that a process holds. The resolver
 * waits with a limit and goes on without the file.
 */
#ifndef DASHCAM_SYMBOL_OPENER_H
#define DASHCAM_SYMBOL_OPENER_H

#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>

#include "event/event.h"

enum opener_what {
	OPENER_MAPPED = 1,   /* the file of a mapping, by the first way from WAY on that works */
	OPENER_DEBUG = 2,    /* a debug file for it, likewise */
	OPENER_PERF_MAP = 3, /* /tmp/perf-PID.map */
	OPENER_MAPS = 4,     /* a copy of /proc/PID/maps, in memory */
	OPENER_VDSO = 5,     /* a copy of the vdso, in memory */
};

struct opener_request {
	uint32_t what; /* enum opener_what */
	uint32_t way;
	uint32_t pid;
	uint32_t parent_pid;
	uint32_t ns_pid;
	uint32_t uid;
	uint64_t start;
	uint64_t end;
	uint64_t inode;
	uint32_t device;
	char build_id[2 * EVENT_BUILD_ID_MAX + 1]; /* hexadecimal; "" if there is none */
	char link[256];
	char path[PATH_MAX];
};

struct opener_reply {
	int32_t error;    /* zero or a negative errno */
	uint32_t way;     /* that worked */
	struct stat stat; /* of the file; not of copies in memory */
};

/* Does what is asked. Returns a descriptor or a negative errno, as in *REPLY. */
int opener_answer(const struct opener_request *request, struct opener_reply *reply);

#endif
