/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of a recording, format version 1, as dashcam-recording(5) specifies them.
 *
 *	header | chunk | chunk | ... | index (a chunk too) | trailer
 *
 * All numbers have the byte order of the machine that wrote them; the header says which. Every
 *struct ends with a hash of what stands before it in the struct (hash_bytes of base/hash.h: against
 *accidents, not against attackers). Private to src/recording.
 */
#ifndef DASHCAM_RECORDING_FORMAT_H
#define DASHCAM_RECORDING_FORMAT_H

#include <stdint.h>

#define FORMAT_VERSION       1
#define FORMAT_MAGIC         "dashcam" /* with its NUL: 8 bytes */
#define FORMAT_BYTE_ORDER    0x01020304u
#define FORMAT_CHUNK_MAGIC   0x6b6e7568636d6364ULL /* "dcmchunk" where the low byte comes first */
#define FORMAT_TRAILER_MAGIC 0x726c6961746d6364ULL /* "dcmtrail" */

/* In place of a stream: the index. */
#define FORMAT_STREAM_INDEX 0xffff

#define FORMAT_DECODED_MAX  (4u << 20)   /* bytes of events of one chunk that a reader accepts */
#define FORMAT_CHUNKS_MAX   (4u << 20)   /* chunks of one recording that a reader accepts */
#define FORMAT_CHUNK_TARGET (256u << 10) /* bytes of events at which a writer ends a chunk */

struct format_header {
	char magic[8]; /* FORMAT_MAGIC */
	uint32_t version;
	uint32_t byte_order; /* FORMAT_BYTE_ORDER as the writer's machine stores it */
	uint32_t flags;      /* none are defined: 0 */
	uint32_t header_bytes;
	uint64_t recording_id; /* random; chunks repeat it, so that stale blocks of a disk do not
				  fit */
	uint64_t
		table_hash; /* layouts_hash() of the writer: equal means no translation is needed */
	uint64_t reserved[2];
	uint64_t hash;
};

enum format_codec {
	FORMAT_CODEC_NONE = 0,
	FORMAT_CODEC_ZSTD = 1,
	FORMAT_CODEC_COLUMNS_ZSTD = 2, /* columns.h, then zstd */
};

struct format_chunk {
	uint64_t magic;
	uint64_t recording_id;
	uint64_t sequence; /* 0, 1, 2 ... in the order of the file */
	uint64_t first_ns; /* earliest and latest time_ns of its events */
	uint64_t last_ns;
	uint32_t event_count;
	uint32_t decoded_bytes;
	uint32_t stored_bytes; /* of the payload, which follows this header */
	uint16_t stream;       /* enum recording_stream, or FORMAT_STREAM_INDEX */
	uint16_t codec;        /* enum format_codec */
	uint16_t cpu;
	uint16_t reserved[3];
	uint64_t payload_hash;
	uint64_t hash;
};

/* Payload of the index chunk: this, then the chunks, then the kinds. */
struct format_index {
	uint64_t chunk_count;
	uint32_t kind_count;
	int32_t write_error; /* errno that ended the writing early (disk full), or 0 */
};

struct format_index_chunk {
	uint64_t offset; /* of its header in the file */
	uint64_t first_ns;
	uint64_t last_ns;
	uint32_t event_count;
	uint32_t decoded_bytes;
	uint32_t stored_bytes;
	uint16_t stream;
	uint16_t codec;
	uint16_t cpu;
	uint16_t reserved[3];
};

struct format_index_kind {
	uint32_t kind;
	uint32_t reserved;
	uint64_t event_count;
};

/* The last bytes of the file. */
struct format_trailer {
	uint64_t magic;
	uint64_t recording_id;
	uint64_t index_offset; /* of the index chunk's header */
	uint64_t file_bytes;
	uint64_t hash;
};

_Static_assert(sizeof(struct format_header) == 64, "layout on disk");
_Static_assert(sizeof(struct format_chunk) == 80, "layout on disk");
_Static_assert(sizeof(struct format_index) == 16, "layout on disk");
_Static_assert(sizeof(struct format_index_chunk) == 48, "layout on disk");
_Static_assert(sizeof(struct format_index_kind) == 16, "layout on disk");
_Static_assert(sizeof(struct format_trailer) == 40, "layout on disk");

#endif
