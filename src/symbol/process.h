/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each process has mapped: executable mappings only, kept current by side-band events, or read
 * from /proc when a process is first needed.
 *
 * Dead processes are kept for a while, because stacks of theirs still come; the oldest are freed
 * first.
 */
#ifndef DASHCAM_SYMBOL_PROCESS_H
#define DASHCAM_SYMBOL_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "symbol/resolver.h"

struct helper;
struct module;

/* A path that many mappings share. */
struct shared_path {
	uint32_t users;
	char text[]; /* shorter than PATH_MAX */
};

struct shared_path *shared_path_new(const char *text); /* a copy, cut if need be, with one user */

struct mapping {
	uint64_t start;
	uint64_t end;
	uint64_t file_offset;
	uint64_t inode;
	uint32_t device;
	uint8_t build_id_size;
	uint8_t build_id[EVENT_BUILD_ID_MAX];
	struct shared_path *path;
	struct module *module; /* what it maps, once that has been found out; borrowed */
	bool is_told;          /* the sink knows it */
};

struct process {
	uint32_t pid;
	uint32_t parent_pid; /* 0: unknown */
	uint32_t ns_pid;     /* in its own pid namespace; see process_read_identity */
	uint32_t uid;        /* UINT32_MAX: not read */
	bool is_complete; /* the mappings are all there; else /proc/PID/maps has not been read yet
			   */
	bool is_dead;
	uint64_t read_ns;     /* when /proc/PID/maps was read last, CLOCK_MONOTONIC */
	struct mapping *maps; /* sorted, disjoint */
	size_t count;
	size_t capacity;
	struct module *jit;    /* its code without files; NULL until needed; borrowed */
	struct process *newer; /* among the dead */
	struct process *older;
};

/* Zero-initialised but for the helper, which is borrowed, it is empty. */
struct processes {
	struct helper *helper; /* has /proc/PID/maps opened */
	struct map64 by_pid;
	struct process *oldest_dead;
	struct process *newest_dead;
	size_t dead_count;
};

void processes_map(struct processes *processes, const struct resolver_mapping *mapping);
void processes_fork(struct processes *processes, uint32_t parent_pid, uint32_t pid);
void processes_exec(struct processes *processes, uint32_t pid);
void processes_exit(struct processes *processes, uint32_t pid);
void processes_release(struct processes *processes);

/* The process, with its mappings; read from /proc if need be. Never NULL; there may be no mappings.
 */
struct process *processes_get(struct processes *processes, uint32_t pid);

/* The same, but what a live process maps is read now, whatever was known. */
struct process *processes_read(struct processes *processes, uint32_t pid);

/* The mapping at ADDRESS, or NULL. Where there is none, a live process's mappings are read again,
 * but not more often than a few times a second. The pointer is good until the next call that
 * changes mappings. */
struct mapping *processes_find(struct processes *processes, struct process *process,
			       uint64_t address);

/* The index of the first mapping that ends above ADDRESS. */
size_t process_search(const struct process *process, uint64_t address);

/* Puts a mapping in place; what it overlaps is cut or goes. The path's users are not counted up. */
void process_insert(struct process *process, const struct mapping *mapping);
void process_clear(struct process *process);

/* Replaces the mappings by those in FD, a copy of /proc/PID/maps. What was found out about ranges
 * that are still the same is kept. False: it cannot be read; nothing has changed then. */
bool process_read_maps(struct process *process, int fd);

/* Reads uid and ns_pid from /proc/PID/status; they stay as they are if that is gone. */
void process_read_identity(struct process *process);

#endif
