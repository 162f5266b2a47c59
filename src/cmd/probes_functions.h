/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dashcam probes --functions: the functions of a file, and how each would be probed.
 */
#ifndef DASHCAM_CMD_PROBES_FUNCTIONS_H
#define DASHCAM_CMD_PROBES_FUNCTIONS_H

#include <stdbool.h>

/* Prints the functions of BINARY whose names match GLOB (as in -F, but a name only; NULL: all).
 * Returns 0, or a negative errno with a sentence: no such file, not readable, nothing matches. */
int probes_print_functions(const char *binary, const char *glob, bool json);

#endif
