/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the user wants, in the form the kernel side reads: constants in one struct.
 */
#ifndef DASHCAM_CAPTURE_SETTINGS_H
#define DASHCAM_CAPTURE_SETTINGS_H

#include "capture/capture.h"

/* Log sizes are powers of two: asked for, or from a budget divided by CPUS. *SETTINGS is filled but
 * for what depends on the hooks there are (choice_make). Fails with a sentence on a pattern that is
 * too long, or too many. */
int settings_make(struct capture_settings *settings, const struct capture_options *options,
		  unsigned int cpus);

/* Prepares shell glob GLOB (* and ?) for the bit-parallel match of bpf/slot.bpf.h. 0, or -EINVAL.
 */
int pattern_compile(struct filter_pattern *ret, const char *glob);

#endif
