/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter that a command's options describe.
 */
#ifndef DASHCAM_CMD_FILTER_ARGS_H
#define DASHCAM_CMD_FILTER_ARGS_H

#include "cmd/command.h"
#include "model/filter.h"

/* FILTER borrows from here and from the values. */
struct filter_args {
	struct filter filter;
	uint32_t *pids;
	uint32_t *tids;
};

/*
 * Reads the options. Times are offsets from the start of MODEL's recording, or with a leading @
 * seconds on the recording's clock. Returns 0, or -EINVAL with a sentence; the caller releases it
 * in both cases.
 */
int filter_args_read(struct filter_args *ret, const struct filter_values *values,
		     const struct model *model);
/* Where no thread was chosen: those the recording was made for, unless --all. */
void filter_args_narrow(struct filter_args *args, const struct filter_values *values,
			const struct model *model);
void filter_args_release(struct filter_args *args);

/* Frees what the options' lists hold. */
void filter_values_release(struct filter_values *values);

#endif
