/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls as lines, in the order of time: "main() {" where a call begins that has others inside of
 * it, a closing one with its name where it ends, "f(a=1) = 2;" for one without, at its end.
 */
#ifndef DASHCAM_QUERY_CALL_LINES_H
#define DASHCAM_QUERY_CALL_LINES_H

#include "model/call_edges.h"

struct call_lines;

/* FILTER is borrowed. */
int call_lines_new(struct call_lines **ret, struct model *model, const struct filter *filter);
/* The next line, indented by two blanks a level, and what it is about; both are good until the next
 * call. 1, 0 at the end, or a negative errno with a sentence. */
int call_lines_next(struct call_lines *lines, const struct call_edge **ret_edge,
		    const char **ret_text);
void call_lines_free(struct call_lines *lines); /* NULL is fine */

#endif
