/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flame graph by the calls of traced functions.
 */
#ifndef DASHCAM_EXPORT_FLAMEGRAPH_CALLS_H
#define DASHCAM_EXPORT_FLAMEGRAPH_CALLS_H

#include <stdio.h>

#include "export/export.h"

/* Writes the picture. Returns 0 or a negative errno with a sentence; errors of OUT stay in its
 * flag. */
int flamegraph_write_calls(struct model *model, const struct export_options *options, FILE *out);

#endif
