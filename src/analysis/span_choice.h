/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which spans of a name are slow, and which are normal.
 */
#ifndef DASHCAM_ANALYSIS_SPAN_CHOICE_H
#define DASHCAM_ANALYSIS_SPAN_CHOICE_H

#include "analysis/explain.h"

struct span_choice {
	struct explain_spans spans; /* the percentiles; accounts are left empty */
	struct slice *slow;         /* by thread, then time */
	size_t slow_count;
	struct slice *normal;
	size_t normal_count;
};

/*
 * Slow is what took at least twice the median and is in the slowest tenth; where nothing is, all
 * are slow: then the question is where the time goes at all. Returns 0, or -ENOENT with a sentence
 * that names the spans there are. The caller releases it.
 */
int span_choice_make(struct span_choice *ret, struct model *model, const char *name,
		     const struct filter *filter);
void span_choice_release(struct span_choice *choice);

#endif
