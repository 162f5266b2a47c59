/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"

#include <string.h>

#include "base/memory.h"

enum slot_state {
	SLOT_FREE = 0,
	SLOT_USED = 1,
	SLOT_REMOVED = 2
};

struct map64_slot {
	uint64_t key;
	uint64_t value;
	uint8_t state;
};

uint64_t hash_bytes(const void *bytes, size_t size)
{
	const unsigned char *at = bytes;
	uint64_t hash = 0xcbf29ce484222325ULL ^ size;

	for (; size >= 8; size -= 8, at += 8) {
		uint64_t word;

		memcpy(&word, at, 8);
		hash = (hash ^ word) * 0x100000001b3ULL;
		hash ^= hash >> 32;
	}
	for (; size > 0; size--, at++)
		hash = (hash ^ *at) * 0x100000001b3ULL;
	return hash_mix(hash);
}

uint64_t hash_text(const char *text)
{
	return hash_bytes(text, strlen(text));
}

/* The slot of KEY, or the slot where it would go; the map has a free slot. */
static struct map64_slot *find(const struct map64 *map, uint64_t key)
{
	struct map64_slot *removed = NULL;

	for (size_t i = hash_mix(key) & (map->capacity - 1);; i = (i + 1) & (map->capacity - 1)) {
		struct map64_slot *slot = &map->slots[i];

		if (slot->state == SLOT_FREE)
			return removed ? removed : slot;
		if (slot->state == SLOT_USED && slot->key == key)
			return slot;
		if (slot->state == SLOT_REMOVED && !removed)
			removed = slot;
	}
}

static void resize(struct map64 *map)
{
	struct map64 bigger = {.capacity = 16};

	while (bigger.capacity < map->count * 3)
		bigger.capacity *= 2;
	bigger.slots = xcalloc(bigger.capacity, sizeof(*bigger.slots));
	for (size_t i = 0; i < map->capacity; i++) {
		if (map->slots[i].state == SLOT_USED)
			*find(&bigger, map->slots[i].key) = map->slots[i];
	}
	bigger.count = bigger.filled = map->count;
	free(map->slots);
	*map = bigger;
}

uint64_t *map64_get(const struct map64 *map, uint64_t key)
{
	struct map64_slot *slot;

	if (map->count == 0)
		return NULL;
	slot = find(map, key);
	return slot->state == SLOT_USED ? &slot->value : NULL;
}

uint64_t *map64_put(struct map64 *map, uint64_t key, uint64_t value)
{
	struct map64_slot *slot;

	if (map->filled * 4 >= map->capacity * 3)
		resize(map);
	slot = find(map, key);
	if (slot->state != SLOT_USED) {
		map->count++;
		map->filled += slot->state == SLOT_FREE;
		slot->state = SLOT_USED;
		slot->key = key;
	}
	slot->value = value;
	return &slot->value;
}

bool map64_remove(struct map64 *map, uint64_t key)
{
	struct map64_slot *slot;

	if (map->count == 0)
		return false;
	slot = find(map, key);
	if (slot->state != SLOT_USED)
		return false;
	slot->state = SLOT_REMOVED;
	map->count--;
	return true;
}

bool map64_next(const struct map64 *map, size_t *at, uint64_t *ret_key, uint64_t *ret_value)
{
	for (; *at < map->capacity; (*at)++) {
		const struct map64_slot *slot = &map->slots[*at];

		if (slot->state != SLOT_USED)
			continue;
		*ret_key = slot->key;
		*ret_value = slot->value;
		(*at)++;
		return true;
	}
	return false;
}

void map64_release(struct map64 *map)
{
	free(map->slots);
	*map = (struct map64){0};
}
