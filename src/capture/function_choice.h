/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which functions are traced: from what the user wrote (-F and -N, in their order) and the
 * functions that the files have, to the list of probes.
 *
 * Patterns are applied in the order written, and the last that matches a function decides. If the
 * first excludes, all functions of the program itself are in before. What could end or slow a
 * program for nothing (see function_harm.h) is in only if a pattern names it exactly.
 */
#ifndef DASHCAM_CAPTURE_FUNCTION_CHOICE_H
#define DASHCAM_CAPTURE_FUNCTION_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "capture/function_pattern.h"
#include "event/event.h"

struct function_pick;
struct resolver;

#define FUNCTIONS_MAX                                                                              \
	100000 /* more are refused: nobody wants them, and the kernel takes its time */

/* One function to be probed. The texts are of the choice's arena. Items of one file are neighbours
 * and share the path, pointer and all. */
struct function_item {
	const char *name;      /* "parse", "malloc@libc.so.6" */
	const char *where;     /* "BINARY:SYMBOL", as span_name events have it */
	const char *path;      /* leads to the file */
	uint64_t entry_offset; /* in the file: of its first instruction */
	uint64_t probe_offset; /* of the instruction under the probe of its entry, where the return
				  address still lies on top of the stack */
	uint32_t flags;        /* enum event_span_name_flag */
	const struct function_values *values; /* NULL: none are wanted */
};

/* Why functions that match are not among them. */
enum function_left_out {
	FUNCTION_LEFT_IMPOSSIBLE, /* no place in it can be probed */
	FUNCTION_LEFT_COSTLY,     /* --cheap-only */
	FUNCTION_LEFT_HARMFUL,    /* see function_harm.h */
	FUNCTION_LEFT_CHOOSERS,   /* they only choose a variant of a function */
	FUNCTION_LEFT_REASONS,
};

struct function_file_id {
	uint64_t device;
	uint64_t inode;
};

/* Zero-initialised is empty. */
struct function_choice {
	struct function_item *items;
	size_t count;
	size_t capacity;
	size_t file_count; /* that functions were chosen from */
	size_t left_out[FUNCTION_LEFT_REASONS];
	struct function_pick *pick; /* patterns that files may match which processes map later;
				       NULL: none */
	struct function_file_id *files_seen; /* that functions were looked for in */
	size_t file_seen_count, file_seen_capacity;
	struct arena arena;
};

/* One -F or -N. */
struct function_wish {
	bool is_excluded; /* -N */
	const char *text;
};

struct function_request {
	const struct function_wish *wishes; /* in the order written */
	size_t wish_count;
	const char *command;  /* the program that will be run, as written; NULL: none */
	const uint32_t *pids; /* of processes that run already */
	size_t pid_count;
	bool cheap_only;      /* leave out functions with no cheap place for a probe */
	bool repairs_returns; /* return addresses are put back before exceptions are thrown */
	bool spares_others;   /* processes that are not wanted get no return probes: sessions. Else
				 the libraries of a command are left out */
};

/*
 * Finds the files, lists their functions and chooses; what it does otherwise than one may expect,
 * it says by warn(). Returns 0, or a negative errno with a sentence: a pattern that makes no sense,
 * no program to take functions of, nothing that matches (with names like it), more than
 * FUNCTIONS_MAX. RET is to be released in any case.
 */
int function_choice_make(const struct function_request *request, struct resolver *resolver,
			 struct function_choice *ret);

/* "572 functions (484 cheap, 88 costly); left out: 3 that cannot be probed"; the caller frees it.
 */
char *function_choice_summary(const struct function_choice *choice);

void function_choice_release(struct function_choice *choice);

#endif
