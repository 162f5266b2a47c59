/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/function_variant.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The library of this process that is the listed file. */
struct own_library {
	struct stat wanted;
	bool is_found;
	uint64_t base; /* where it was loaded, less its own addresses */
	uint64_t end;  /* of its own addresses */
};

static int look_at_library(struct dl_phdr_info *info, size_t size, void *context)
{
	struct own_library *library = context;
	struct stat status;

	(void)size;
	if (!info->dlpi_name[0] || stat(info->dlpi_name, &status) ||
	    status.st_ino != library->wanted.st_ino || status.st_dev != library->wanted.st_dev)
		return 0;
	library->is_found = true;
	library->base = info->dlpi_addr;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

		if (segment->p_type == PT_LOAD &&
		    segment->p_vaddr + segment->p_memsz > library->end)
			library->end = segment->p_vaddr + segment->p_memsz;
	}
	return 1;
}

/* Items are sorted by their addresses. */
static struct resolver_listed *find(struct resolver_listing *listing, uint64_t address)
{
	size_t low = 0, high = listing->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (listing->items[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < listing->count && listing->items[low].address == address ? &listing->items[low]
									      : NULL;
}

/* memcpy and memmove can be the same: which name reads best? */
static bool is_better(const char *name, const char *than)
{
	bool is_usual = !strncmp(name, "str", 3) || !strncmp(name, "mem", 3);
	bool than_usual = !strncmp(than, "str", 3) || !strncmp(than, "mem", 3);

	if (is_usual != than_usual)
		return is_usual;
	if (strlen(name) != strlen(than))
		return strlen(name) < strlen(than);
	return strcmp(name, than) < 0;
}

/* One name of a function that only chooses. CHOSEN tells which items have got a name already. */
static void follow_name(struct resolver_listing *listing, const struct own_library *library,
			const char *name, bool *has_name)
{
	uint64_t address = (uintptr_t)dlsym(RTLD_DEFAULT, name) - library->base;
	struct resolver_listed *variant;

	/* names of its own choosing begin with underscores, the usual ones do not */
	if (address >= library->end || name[0] == '_')
		return;
	variant = find(listing, address);
	if (!variant || variant->place == RESOLVER_PLACE_NONE)
		return;
	if (has_name[variant - listing->items] && !is_better(name, variant->name))
		return;
	has_name[variant - listing->items] = true;
	variant->name = name;
}

void function_variant_name(struct resolver_listing *listing)
{
	struct own_library library = {0};
	bool *has_name;

	if (stat(listing->path, &library.wanted) || !dl_iterate_phdr(look_at_library, &library) ||
	    !library.is_found)
		return;
	has_name = calloc(listing->count + 1, sizeof(*has_name));
	for (size_t i = 0; has_name && i < listing->count; i++) {
		const struct resolver_listed *item = &listing->items[i];

		if (item->why != RESOLVER_WHY_CHOSEN)
			continue;
		follow_name(listing, &library, item->name, has_name);
		follow_name(listing, &library, item->symbol, has_name);
		for (const char *alias = item->aliases; alias && *alias; alias += strlen(alias) + 1)
			follow_name(listing, &library, alias, has_name);
	}
	free(has_name);
}
