/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/intern.h"

#include <string.h>

uint32_t intern_text(struct intern *intern, const char *text)
{
	uint64_t hash = hash_text(text);
	uint64_t *newest = map64_get(&intern->by_hash, hash);
	uint32_t first = newest ? (uint32_t)*newest : INTERN_NONE;

	for (uint32_t i = first; i != INTERN_NONE; i = intern->entries[i].same_hash)
		if (!strcmp(intern->entries[i].text, text))
			return i;

	array_reserve((void **)&intern->entries, &intern->capacity, intern->count + 1,
		      sizeof(*intern->entries));
	intern->entries[intern->count].text = arena_strdup(&intern->texts, text);
	intern->entries[intern->count].same_hash = first;
	map64_put(&intern->by_hash, hash, intern->count);
	return (uint32_t)intern->count++;
}

void intern_release(struct intern *intern)
{
	free(intern->entries);
	map64_release(&intern->by_hash);
	arena_release(&intern->texts);
	*intern = (struct intern){0};
}
