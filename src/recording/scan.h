/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding the whole chunks of a recording without an index, as a crash or a full disk leaves it.
 */
#ifndef DASHCAM_RECORDING_SCAN_H
#define DASHCAM_RECORDING_SCAN_H

#include "recording/chunk.h"

struct scan_result {
	uint64_t good_bytes;     /* up to here everything is whole */
	uint64_t damaged_places; /* with whole chunks behind them */
};

/*
 * Fills the chunk list of RECORDING with each chunk whose header and payload agree with their
 * hashes and that decodes, and appends the counts per kind (struct format_index_kind) to KINDS.
 * Behind a damaged place it looks for the next chunk. Reads the file once. Returns 0, or what
 * reading gave, without a sentence.
 */
int scan_chunks(struct recording *recording, struct buffer *kinds, struct scan_result *ret);

#endif
