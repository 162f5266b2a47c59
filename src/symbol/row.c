/* SPDX-License-Identifier: BSD-2-Clause */
/* What modules say about unwinding: rows and call sites, asked for once and kept. See module.h. */
#include <string.h>

#include "symbol/module.h"

/* How long the reader may take to find a row. */
#define ROW_LIMIT_MS 2000

/* The index of the first range that ends above ADDRESS. */
static size_t search(const struct module *module, uint64_t address)
{
	size_t low = 0, high = module->row_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (module->rows[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Keeps a row, cut to what is still free there. */
static void insert(struct module *module, const struct unwind_row *row)
{
	struct row_range range = {.start = row->start, .end = row->end, .row = row};
	size_t index = search(module, range.start);

	if (index < module->row_count && module->rows[index].start <= range.start)
		range.start = module->rows[index++].end;
	if (index < module->row_count && module->rows[index].start < range.end)
		range.end = module->rows[index].start;
	if (range.end <= range.start)
		return;
	array_reserve((void **)&module->rows, &module->row_capacity, module->row_count + 1,
		      sizeof(*module->rows));
	memmove(module->rows + index + 1, module->rows + index,
		(module->row_count - index) * sizeof(*module->rows));
	module->rows[index] = range;
	module->row_count++;
}

/* Keeps the rows of a reply, as far as they make sense. */
static void take_rows(struct modules *modules, struct module *module, const uint8_t *at,
		      size_t left)
{
	while (left >= sizeof(struct unwind_row)) {
		const struct unwind_row *row = (const struct unwind_row *)at;
		size_t size = unwind_row_size(row);

		if (size > left || !unwind_row_is_sound(row, size))
			return;
		insert(module, arena_copy(&modules->rows, row, size));
		at += size;
		left -= size;
	}
}

static void ask(struct modules *modules, struct module *module, uint64_t address)
{
	const struct message_address request = {
		.message = {.type = MESSAGE_ROW, .module = module->index},
		.address = address,
	};
	const struct message *reply;
	size_t size;

	if (!module_ask(modules, module, &request.message, sizeof(request), ROW_LIMIT_MS, &reply,
			&size))
		take_rows(modules, module, (const uint8_t *)(reply + 1), size - sizeof(*reply));
}

/* The row at ADDRESS among those that are kept, or NULL. */
static const struct unwind_row *kept_row(const struct module *module, uint64_t address)
{
	size_t index = search(module, address);

	return index < module->row_count && module->rows[index].start <= address
		       ? module->rows[index].row
		       : NULL;
}

const struct unwind_row *module_row(struct modules *modules, struct module *module,
				    uint64_t address)
{
	uint64_t key = hash_mix(address ^ (uint64_t)module->index << 48);
	struct row_cache *cached = &modules->cache[key % ROW_CACHE_SIZE];
	const struct unwind_row *row;

	if (cached->row && cached->key == key)
		return cached->row;
	row = kept_row(module, address);
	if (!row) {
		ask(modules, module, address);
		row = kept_row(module, address);
	}
	if (!row) { /* nothing covers it: that is kept too */
		const struct unwind_row none = {
			.start = address, .end = address + 1, .flags = UNWIND_ROW_NONE};

		row = arena_copy(&modules->rows, &none, sizeof(none));
		insert(module, row);
	}
	*cached = (struct row_cache){.key = key, .row = row};
	return row;
}

bool module_is_call_site(struct modules *modules, struct module *module, uint64_t address)
{
	const struct message_address request = {
		.message = {.type = MESSAGE_CALL_SITE, .module = module->index},
		.address = address,
	};
	uint64_t *known = map64_get(&module->call_sites, address);
	const struct message *reply;
	size_t size;
	bool is_call;

	if (known)
		return *known != 0;
	is_call = !module_ask(modules, module, &request.message, sizeof(request), ROW_LIMIT_MS,
			      &reply, &size) &&
		  reply->count == 1;
	map64_put(&module->call_sites, address, is_call);
	return is_call;
}
