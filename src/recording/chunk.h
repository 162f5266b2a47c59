/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a recording is inside: a list of chunks, each in the file or in memory, and how to load one.
 * Private to src/recording.
 */
#ifndef DASHCAM_RECORDING_CHUNK_H
#define DASHCAM_RECORDING_CHUNK_H

#include "base/hash.h"
#include "base/memory.h"
#include "recording/codec.h"
#include "recording/format.h"
#include "recording/layout.h"
#include "recording/recording.h"

struct chunk {
	uint64_t offset; /* of its header in the file */
	uint64_t first_ns;
	uint64_t last_ns;
	uint32_t event_count;
	uint32_t decoded_bytes;
	uint32_t stored_bytes;
	uint16_t stream;
	uint16_t codec;
	uint16_t cpu;
	char *events; /* in memory: its decoded_bytes of events, owned; else NULL */
	size_t capacity;
};

struct recording {
	struct recording_info info;
	struct chunk *chunks; /* in the order written */
	size_t chunk_count;
	size_t chunk_capacity;
	int fd; /* -1: in memory */
	uint64_t recording_id;
	uint64_t table_hash;
	struct layouts *layouts; /* NULL: the file's are this version's */
	struct map64 growing;    /* in memory: stream and CPU to the chunk that still grows */
};

struct recording *recording_alloc(void);

/* Adds a chunk to the list and to the sums of info (all but the counts per kind). */
struct chunk *recording_add_chunk(struct recording *recording, const struct chunk *chunk);

/* Takes the sums of info anew from the chunks in the list (all but the counts per kind). */
void recording_sum_chunks(struct recording *recording);

/* Adds COUNT events of the file's KIND to the counts of info. */
void recording_count_kind(struct recording *recording, unsigned int kind, uint64_t count);

/* Reads exactly SIZE bytes at OFFSET of a file; a negative errno without a sentence. */
int read_fully(int fd, void *to, size_t size, uint64_t offset);

/* The hash that ends one of the structs of format.h. */
uint64_t format_hash(const void *value, size_t size);

/* Checks a chunk header, hostile until then: magic, recording, hash, limits. */
bool chunk_header_is_sound(const struct format_chunk *header, uint64_t recording_id);

/* The same chunk in the list. */
struct chunk chunk_of_header(const struct format_chunk *header, uint64_t offset);

/* Working memory for loading chunks. Zero-initialised is ready for use. */
struct chunk_loader {
	struct codec codec;
	struct buffer stored;
	struct buffer decoded;
	uint64_t dropped; /* events that were not whole */
};

void chunk_loader_release(struct chunk_loader *loader);

/* Appends the events of CHUNK, as the file has them, to EVENTS, if its header is the one that the
 * list has and its payload has its hash. 0, or -EBADMSG or what reading gave, without a sentence.
 */
int chunk_decode(const struct recording *recording, const struct chunk *chunk,
		 struct chunk_loader *loader, struct buffer *events);

/* As chunk_decode, in this version's layout. They are still to be checked with event_is_sound. */
int chunk_load(const struct recording *recording, const struct chunk *chunk,
	       struct chunk_loader *loader, struct buffer *events);

#endif
