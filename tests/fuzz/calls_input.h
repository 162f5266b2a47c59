/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzing: everything that reads calls, over a recording that may hold anything.
 */
#ifndef DASHCAM_TESTS_FUZZ_CALLS_INPUT_H
#define DASHCAM_TESTS_FUZZ_CALLS_INPUT_H

#include "model/model.h"

/* Reads the calls of a model in every way there is. Ends the program where what must hold does not.
 */
void calls_input(struct model *model);

#endif
