/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hashing: a 64-bit hash of bytes, and a table from a 64-bit key to a 64-bit value.
 */
#ifndef DASHCAM_BASE_HASH_H
#define DASHCAM_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* FNV-1a over 8-byte words, then bytes, with a final avalanche: fast and well spread, not
 * cryptographic. */
uint64_t hash_bytes(const void *bytes, size_t size);
uint64_t hash_text(const char *text);

/* Mixes the bits of one number (the finaliser of splitmix64). */
static inline uint64_t hash_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* Open addressing, linear probing. Zero-initialised is empty. Any key and value may be stored. */
struct map64 {
	struct map64_slot *slots;
	size_t capacity; /* a power of two */
	size_t count;
	size_t filled; /* slots ever used since the last resize, removed ones included */
};

/* The value of KEY, or NULL. The pointer is good until the next put. */
uint64_t *map64_get(const struct map64 *map, uint64_t key);
/* Sets KEY; returns the place of its value. */
uint64_t *map64_put(struct map64 *map, uint64_t key, uint64_t value);
bool map64_remove(struct map64 *map, uint64_t key); /* true if it was there */
/* Walks all entries in no order: start with *AT = 0; false at the end. Do not change the map
 * meanwhile. */
bool map64_next(const struct map64 *map, size_t *at, uint64_t *ret_key, uint64_t *ret_value);
void map64_release(struct map64 *map);

#endif
