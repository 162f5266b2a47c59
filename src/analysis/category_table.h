/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kernel functions say about a wait: the table behind category.c, and the place to extend.
 */
#ifndef DASHCAM_ANALYSIS_CATEGORY_TABLE_H
#define DASHCAM_ANALYSIS_CATEGORY_TABLE_H

#include <stdbool.h>

#include "analysis/category.h"

/*
 * How much a function has to say. A stack is read from the innermost function outwards; the row
 * with the highest weight decides, of equal ones the innermost.
 */
enum row_weight {
	ROW_REASON,      /* it is why a thread waits inside it */
	ROW_HINT,        /* too wide for a reason: counts if no reason is on the stack */
	ROW_FALLBACK,    /* a way to wait, whatever for: counts if nothing else does */
	ROW_AROUND_DISK, /* a hint; but where a disk is the reason inside it, it is the reason */
	ROW_WHOLE,       /* whatever is waited for inside it is its time */
};

/* What else has to be known before a row's category stands. */
enum row_question {
	ROW_AS_IS,
	ROW_WHICH_FUTEX,  /* a lock or a condition */
	ROW_WHICH_SOCKET, /* a unix socket is no network */
	ROW_HAS_FILES,    /* poll and select of nothing are sleep */
	ROW_WHOSE_WORK,   /* who ended it: a disk did if the waker's stack says so */
};

struct category_row {
	const char *functions; /* names with blanks between; a "*" ends the beginning of some */
	enum category category;
	enum row_weight weight;
	enum row_question question;
};

/* The row of a kernel function, NULL if it has none. Looked up once for each place. */
const struct category_row *category_row_of(const struct place *place);

/* The same by name, without remembering. */
const struct category_row *category_row_named(const char *function);

/* True if FUNCTION is one of WORDS (as in struct category_row). What compilers append to a name
 * (".isra.0") does not count. */
bool function_is_one_of(const char *function, const char *words);

#endif
