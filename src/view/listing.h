/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of a statement as a listing of calls: duration, thread, and a line whose blanks are kept. It
 * is printed as it comes, so it may be as long as the recording.
 */
#ifndef DASHCAM_VIEW_LISTING_H
#define DASHCAM_VIEW_LISTING_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "query/query.h"

struct listing_options {
	unsigned int width; /* lines are cut there; 0: never */
	uint64_t limit;     /* lines shown; 0: all */
	bool colour;
};

/* The first three columns are the duration in ns (NULL: none), the thread's id and the line.
 * *RET_ROWS counts the lines that were read: one more than the limit at most. Returns 0 or a
 * negative errno with a sentence. */
int listing_print(struct query *query, sqlite3_stmt *statement,
		  const struct listing_options *options, FILE *out, uint64_t *ret_rows);

#endif
