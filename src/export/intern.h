/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Texts and numbers for them: equal texts get the same number, counted from 0 in order of
 * appearance.
 */
#ifndef DASHCAM_EXPORT_INTERN_H
#define DASHCAM_EXPORT_INTERN_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/memory.h"

/* Zero-initialised is empty. */
struct intern {
	struct intern_entry {
		const char *text;
		uint32_t same_hash; /* the next entry with this hash; INTERN_NONE ends the list */
	} * entries;
	size_t count;
	size_t capacity;
	struct map64 by_hash; /* hash of the text: its newest entry */
	struct arena texts;
};

#define INTERN_NONE UINT32_MAX

/* The number of TEXT, which is copied when it is new. */
uint32_t intern_text(struct intern *intern, const char *text);

static inline const char *intern_at(const struct intern *intern, uint32_t number)
{
	return intern->entries[number].text;
}

void intern_release(struct intern *intern);

#endif
