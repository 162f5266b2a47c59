/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names that are nearly right: what somebody may have meant.
 */
#ifndef DASHCAM_BASE_SPELLING_H
#define DASHCAM_BASE_SPELLING_H

/* How many letters must be put in, left out, replaced or swapped with the next to get from A to B.
 * A word longer than any name is far from everything. */
unsigned int spelling_distance(const char *a, const char *b);

#endif
