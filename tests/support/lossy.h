/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated machine (simulate.h) whose recording lost some events, as an overwritten log loses
 * them.
 */
#ifndef DASHCAM_TESTS_LOSSY_H
#define DASHCAM_TESTS_LOSSY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recording/recording.h"
#include "support/simulate.h"

#define LOSSY_CPUS_MAX 4

/* The recording of a machine that SEED (from 1 on) determines. Without IS_LOSSY nothing is lost.
 * RET_TRUTH may be NULL; else the caller frees the array. The caller closes the recording. */
struct recording *lossy_recording(uint64_t seed, bool is_lossy, struct simulated_thread **ret_truth,
				  size_t *ret_count);

#endif
