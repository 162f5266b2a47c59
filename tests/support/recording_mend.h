/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Damage that passes the checks for accidents, so that tests reach what lies behind them.
 */
#ifndef DASHCAM_TESTS_RECORDING_MEND_H
#define DASHCAM_TESTS_RECORDING_MEND_H

#include <stddef.h>

/* Gives the header, each chunk that still has its place, and the trailer the hash (magic, identity)
 * that a recording of these SIZE bytes should have there. */
void recording_mend_hashes(char *bytes, size_t size);

#endif
