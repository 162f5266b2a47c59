/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A histogram of durations: a line for each bucket, with a bar.
 */
#ifndef DASHCAM_VIEW_HISTOGRAM_H
#define DASHCAM_VIEW_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct histogram_bucket {
	uint64_t from_ns;
	uint64_t to_ns; /* the first that is not in it */
	uint64_t count;
};

/* WIDTH: of the terminal; 0: 80 columns. Empty buckets in front are left out. */
void histogram_print(const struct histogram_bucket *buckets, size_t count, unsigned int width,
		     FILE *out);

#endif
