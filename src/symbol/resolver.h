/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resolver: from copied stacks and raw addresses to frames, and from frames to names.
 *
 * ELF, DWARF and map files of recorded processes are hostile. They are opened by one child process
 * (regular files only, device and inode or build id checked; an open that blocks is given up) and
 * read by another, which has neither privileges nor files nor network (nobody, seccomp, limits). If
 * that one crashes or hangs on a file, it is started again, the file is left alone, and a warning
 * says so.
 *
 * Not thread-safe: one thread owns a resolver. Calls must come in the order of the events' time,
 * since they follow mappings as processes fork, exec and map.
 *
 * What is found out on the way is given to the sink as events: module, mapping, stack, frame. All
 * of them belong to STREAM_TABLE of a recording. The sink gets each definition once: modules and
 * mappings when a frame first falls into them, so those that no stack touches are never told of.
 */
#ifndef DASHCAM_SYMBOL_RESOLVER_H
#define DASHCAM_SYMBOL_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"

struct resolver;

struct resolver_options {
	bool source_lines; /* source line and inlined calls from DWARF: slower */
	bool no_sandbox;   /* tests only: read files in this process */
	/* Receives a definition; the event is borrowed for the call. */
	void (*sink)(void *context, const struct event_header *event);
	void *context;
};

/* Starts the children: call it before anything is opened that they must not inherit, and while
 * there is one thread. Needs no privileges by itself; without root, less can be opened. */
int resolver_new(struct resolver **ret, const struct resolver_options *options);
void resolver_free(struct resolver *resolver); /* ends the children; NULL is fine */

/* A process mapped executable code (perf MMAP2). BUILD_ID may be NULL (size 0), then DEVICE (major
 * << 20 | minor) and INODE tell the file. */
struct resolver_mapping {
	uint32_t pid;
	uint64_t start;
	uint64_t end;
	uint64_t file_offset;
	uint32_t device;
	uint64_t inode;
	const uint8_t *build_id;
	uint32_t build_id_size;
	const char *path;
};
void resolver_map(struct resolver *resolver, const struct resolver_mapping *mapping);
void resolver_fork(struct resolver *resolver, uint32_t parent_pid,
		   uint32_t pid); /* processes only */
void resolver_exec(struct resolver *resolver, uint32_t pid);
void resolver_exit(struct resolver *resolver, uint32_t pid); /* the whole process */

/* A file whose code a process maps. */
struct resolver_mapped {
	const char *path; /* as /proc/PID/maps has it */
	uint64_t inode;
	uint32_t device; /* major << 20 | minor */
};

/* Calls TAKE with each file that a process maps now; with some more than once. TAKE must not call
 * the resolver. A process seen for the first time has its mappings read. */
void resolver_mapped_files(struct resolver *resolver, uint32_t pid,
			   void (*take)(void *context, const struct resolver_mapped *file),
			   void *context);

/* Turn a raw stack of a log into a `stack` event with the same id. A process seen for the first
 * time has its mappings read from /proc/PID/maps. New frames are noted for resolver_name_frames. */
void resolver_user_stack(struct resolver *resolver, const struct event_raw_user_stack *raw);
void resolver_user_frames(struct resolver *resolver, const struct event_raw_user_frames *raw);
void resolver_kernel_stack(struct resolver *resolver, const struct event_raw_kernel_stack *raw);

/* Names up to LIMIT of the frames that are new since the last call (0: all), as `frame` events.
 * Returns how many still wait. */
uint64_t resolver_name_frames(struct resolver *resolver, uint64_t limit);

/* A function to be found. BINARY is a path, or a name to be found among what the processes PIDS
 * map, in the usual directories of libraries, or in PATH. FUNCTION is a symbol, a readable name, or
 * 0x and an address as in the symbol table. */
struct resolver_query {
	const char *binary;
	const char *function;
	const uint32_t *pids;
	size_t pid_count;
};

struct resolver_function {
	char *path;           /* leads to the file; owned by the caller */
	uint64_t file_offset; /* of its first instruction */
	bool may_unwind;      /* exceptions may go through it */
	bool moves_stacks;    /* its program switches or moves stacks by itself */
};

/* Returns 0, or a negative errno with a sentence: no such file, no such function (with names like
 * it), more than one, or a place that is not the begin of a function. Only addresses at which a
 * return address lies on top of the stack are found. */
int resolver_find_function(struct resolver *resolver, const struct resolver_query *query,
			   struct resolver_function *ret);

struct resolver_statistics {
	uint64_t stacks; /* user stacks turned into frames */
	uint64_t truncated;
	uint64_t broken;
	uint64_t frames_named;
	uint64_t frames_unnamed;
	uint64_t child_restarts;
};
void resolver_statistics(const struct resolver *resolver, struct resolver_statistics *ret);

#endif
