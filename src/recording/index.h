/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index at the end of a recording: where its chunks are and how many events of each kind it
 * has.
 */
#ifndef DASHCAM_RECORDING_INDEX_H
#define DASHCAM_RECORDING_INDEX_H

#include "recording/chunk.h"

/*
 * Fills the chunk list of RECORDING from the index, if trailer and index are whole and agree with
 * the file, and appends the counts per kind (struct format_index_kind) to KINDS. Returns false if
 * not.
 */
bool index_read(struct recording *recording, struct buffer *kinds);

/* What a writer knows of one chunk. */
struct written_chunk {
	struct format_index_chunk entry;
	uint32_t event_count[EVENT_KIND_LIMIT];
};

/* Bytes that index and trailer of CHUNK_COUNT chunks take at most. */
size_t index_size_max(size_t chunk_count);

/* Appends index chunk and trailer to OUT, for a file that has OFFSET bytes before them.
 * WRITE_ERROR: the errno that ended the writing early, or 0. */
void index_encode(struct buffer *out, uint64_t offset, uint64_t recording_id,
		  const struct written_chunk *chunks, size_t chunk_count, int write_error);

#endif
