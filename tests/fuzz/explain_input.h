/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzing what explains: a recording that opens is explained, whatever is in it.
 */
#ifndef DASHCAM_TESTS_EXPLAIN_INPUT_H
#define DASHCAM_TESTS_EXPLAIN_INPUT_H

#include "recording/recording.h"

/*
 * Explains RECORDING for several targets and times, and shows it as text and JSON. Aborts the
 * program where an explanation does not sum to its whole, or its JSON cannot be read.
 */
void explain_input(struct recording *recording);

#endif
