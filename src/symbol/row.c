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

/* Puts a row where search said, cut to what is still free there. */
static void insert(struct module *module, size_t index, const struct unwind_row *row)
{
	struct row_range range = {.start = row->start, .end = row->end, .row = row};

	if (index > 0 && module->rows[index - 1].end > range.start)
		range.start = module->rows[index - 1].end;
	if (index < module->row_count && module->rows[index].start < range.end)
		range.end = module->rows[index].start;
	array_reserve((void **)&module->rows, &module->row_capacity, module->row_count + 1,
		      sizeof(*module->rows));
	memmove(module->rows + index + 1, module->rows + index,
		(module->row_count - index) * sizeof(*module->rows));
	module->rows[index] = range;
	module->row_count++;
}

static const struct unwind_row *ask(struct modules *modules, struct module *module,
				    uint64_t address)
{
	const struct message_address request = {
		.message = {.type = MESSAGE_ROW, .module = module->index},
		.address = address,
	};
	const struct unwind_row none = {
		.start = address, .end = address + 1, .flags = UNWIND_ROW_NONE};
	const struct unwind_row *row;
	const struct message *reply;
	size_t size;

	if (!module_ask(modules, module, &request.message, sizeof(request), ROW_LIMIT_MS, &reply,
			&size)) {
		row = (const struct unwind_row *)(reply + 1);
		size -= sizeof(*reply);
		if (unwind_row_is_sound(row, size) && row->start <= address && address < row->end)
			return arena_copy(&modules->rows, row, size);
	}
	return arena_copy(&modules->rows, &none, sizeof(none));
}

const struct unwind_row *module_row(struct modules *modules, struct module *module,
				    uint64_t address)
{
	uint64_t key = hash_mix(address ^ (uint64_t)module->index << 48);
	struct row_cache *cached = &modules->cache[key % ROW_CACHE_SIZE];
	size_t index;

	if (cached->row && cached->key == key)
		return cached->row;
	index = search(module, address);
	if (index == module->row_count || module->rows[index].start > address)
		insert(module, index, ask(modules, module, address));
	cached->key = key;
	cached->row = module->rows[index].row;
	return cached->row;
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
