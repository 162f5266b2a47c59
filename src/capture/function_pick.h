/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Picks functions out of the listings of files, as the patterns say.
 */
#ifndef DASHCAM_CAPTURE_FUNCTION_PICK_H
#define DASHCAM_CAPTURE_FUNCTION_PICK_H

#include "capture/function_choice.h"
#include "symbol/resolver.h"

#define FUNCTION_NEAR_MAX  3
#define FUNCTION_NEAR_SIZE 128

/* A name that the user may have meant. */
struct function_near {
	unsigned int distance;
	char name[FUNCTION_NEAR_SIZE];
};

/* One pattern, and what became of it. */
struct function_try {
	const char *text; /* as written; borrowed */
	struct function_pattern pattern;
	const struct function_values *values;         /* a copy in the choice's arena; NULL: none */
	size_t file_count;                            /* files that it was looked for in */
	size_t match_count;                           /* functions that it matched */
	struct function_near near[FUNCTION_NEAR_MAX]; /* while it has matched none */
};

struct function_pick {
	struct function_try *tries;
	size_t count;
	bool cheap_only;
	bool moves_stacks;    /* a program among the files does */
	bool repairs_returns; /* as in struct function_request */
	bool may_unwind;      /* a program among the files, and nothing can be done about it */
	bool is_unguarded;    /* the file that is looked at: the same of it */
	struct function_choice *choice;
};

/* A file to pick from. */
struct function_file {
	const char *shown; /* its path as the user knows it */
	bool is_program;   /* else a library */
	const struct resolver_listing *listing;
};

/* Reads the patterns of REQUEST. 0, or -EINVAL with a sentence. RET is to be released in any case.
 */
int function_pick_begin(struct function_pick *ret, const struct function_request *request,
			struct function_choice *choice);

/* Are there functions to look for in a file with such a path and soname? */
bool function_pick_wants(const struct function_pick *pick, bool is_program, const char *path,
			 const char *soname);

/* Are values of any function wanted? */
bool function_pick_has_values(const struct function_pick *pick);

/* Adds to the choice what the patterns pick of the file. 0, or -E2BIG with a sentence. */
int function_pick_take(struct function_pick *pick, const struct function_file *file);

/* Once all files are done: fails with a sentence if nothing was picked, and warns of patterns that
 * match nothing. MORE_MAY_COME: libraries that are not mapped yet may be, that is no failure. */
int function_pick_end(const struct function_pick *pick, bool more_may_come);

void function_pick_release(struct function_pick *pick);

#endif
