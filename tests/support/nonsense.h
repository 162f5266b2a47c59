/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recordings that make no sense: sound events in no order, about threads that cannot be.
 */
#ifndef DASHCAM_TESTS_NONSENSE_H
#define DASHCAM_TESTS_NONSENSE_H

#include <stdint.h>

#include "recording/recording.h"

/* EVENTS events that SEED determines, within a second. The caller closes the recording. */
struct recording *nonsense_recording(uint64_t seed, unsigned int events);

#endif
