/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is worth a word, how it is said, and what to do about it: the tables of rules.c. To teach
 * explain a new sentence or a new piece of advice, add a row there.
 */
#ifndef DASHCAM_ANALYSIS_RULES_H
#define DASHCAM_ANALYSIS_RULES_H

#include <stdint.h>

#include "analysis/category.h"

struct category_rule {
	const char *did;  /* "waited for a lock": what the target or a hop did, in the past */
	double weight;    /* how much of a problem a second of it is; 0: never one */
	double min_share; /* of the interval, to be worth a finding */
	uint64_t min_longest_ns; /* or one instance this long; 0: the share alone decides */
};

const struct category_rule *rule_of(enum category category);

/*
 * What to do: the first row that fits what the target waited for, what the culprit did and the
 * object. A text with {culprit}, {function}, {object} and {target} to be filled in; what is in []
 * is for where a culprit is known. Never NULL.
 */
const char *advice_for(enum category category, enum category leaf, const char *object);
/* The same where threads wait for each other's locks. */
const char *advice_for_deadlock(void);
/* The same where the holder of a lock, {holder}, waits for the work of {culprit}. */
const char *advice_for_waiting_holder(void);

#endif
