/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/recording_mend.h"

#include <string.h>

#include "base/hash.h"
#include "recording/format.h"

static void mend_trailer(char *bytes, size_t size, uint64_t recording_id)
{
	struct format_trailer trailer;

	if (size < sizeof(struct format_header) + sizeof(trailer))
		return;
	memcpy(&trailer, bytes + size - sizeof(trailer), sizeof(trailer));
	trailer.magic = FORMAT_TRAILER_MAGIC;
	trailer.recording_id = recording_id;
	trailer.file_bytes = size;
	trailer.hash = hash_bytes(&trailer, offsetof(struct format_trailer, hash));
	memcpy(bytes + size - sizeof(trailer), &trailer, sizeof(trailer));
}

void recording_mend_hashes(char *bytes, size_t size)
{
	struct format_header header;
	struct format_chunk chunk;

	if (size < sizeof(header))
		return;
	memcpy(&header, bytes, sizeof(header));
	header.hash = hash_bytes(&header, offsetof(struct format_header, hash));
	memcpy(bytes, &header, sizeof(header));
	mend_trailer(bytes, size, header.recording_id);
	for (size_t at = sizeof(header); size - at >= sizeof(chunk);
	     at += sizeof(chunk) + chunk.stored_bytes) {
		memcpy(&chunk, bytes + at, sizeof(chunk));
		if (chunk.stored_bytes > size - at - sizeof(chunk))
			return;
		chunk.magic = FORMAT_CHUNK_MAGIC;
		chunk.recording_id = header.recording_id;
		chunk.payload_hash = hash_bytes(bytes + at + sizeof(chunk), chunk.stored_bytes);
		chunk.hash = hash_bytes(&chunk, offsetof(struct format_chunk, hash));
		memcpy(bytes + at, &chunk, sizeof(chunk));
	}
}
