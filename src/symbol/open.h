/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens files of recorded processes; used by the opener, since each of these can block for ever.
 * Nothing is read here. What a path leads to is looked at before it is opened: only regular files
 * are, so no device or FIFO can be touched by a name that a process has chosen; and none on FUSE,
 * whose server may be the process.
 *
 * Functions give a descriptor or a negative errno, without a sentence: not having a file is
 * ordinary.
 */
#ifndef DASHCAM_SYMBOL_OPEN_H
#define DASHCAM_SYMBOL_OPEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* Where a mapped file may be found. */
struct open_place {
	uint32_t pid;
	uint32_t parent_pid; /* its root is tried when the process is gone; 0: unknown */
	uint64_t start;      /* of the mapping */
	uint64_t end;
	uint32_t device; /* major << 20 | minor, and the inode: what the file must be; inode 0:
			    unknown */
	uint64_t inode;
	const char *path; /* as /proc/PID/maps has it, perhaps with " (deleted)" behind */
};

#define OPEN_WAYS 4 /* ways to open a mapped file, numbered from 0 */

/* Opens the file by one WAY: 0 through the mapping itself, 1 by its path from the process's root, 2
 * from its parent's root, 3 from our own. -ESTALE: there is another file now. */
int open_mapped(const struct open_place *place, unsigned int way, struct stat *ret_stat);

#define OPEN_DEBUG_WAYS 7

/* Opens a candidate of a debug file by one WAY: by build id (as hexadecimal digits), then by the
 * name in .gnu_debuglink, which must be a plain name. */
int open_debug(const struct open_place *place, const char *build_id, const char *link,
	       unsigned int way, struct stat *ret_stat);

/* Opens /tmp/perf-PID.map of a process, as it sees it: NS_PID is its id in its own namespace. The
 * file must belong to UID or root, and be no symbolic link. */
int open_perf_map(uint32_t pid, uint32_t ns_pid, uint32_t uid, struct stat *ret_stat);

/* Copies in memory: of this machine's vdso, of /proc/PID/maps. */
int open_vdso(void);
int open_maps(uint32_t pid);

#endif
