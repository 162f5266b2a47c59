/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was passed to calls and came back, beside calls that are read in order: each value is read
 * when its time has come, kept until somebody takes it, and forgotten then.
 */
#ifndef DASHCAM_MODEL_CALL_VALUES_H
#define DASHCAM_MODEL_CALL_VALUES_H

#include "model/call.h"

struct call_values;

/* FILTER is borrowed: values of calls that it does not let through by name are left out. */
int call_values_new(struct call_values **ret, struct model *model, const struct filter *filter);
void call_values_free(struct call_values *values); /* NULL is fine */

/* Reads what was written up to TIME_NS. Returns 0, or a negative errno with a sentence. */
int call_values_read(struct call_values *values, uint64_t time_ns);

/* The arguments of a call (written at its start), or what it returned (at its end): "a=1, b=2".
 * NULL if there is none. *RET_IS_CUT (may be NULL): a text was longer. Good until the next call. */
const char *call_values_take(struct call_values *values, const struct call *call, bool is_result,
			     bool *ret_is_cut);

#endif
