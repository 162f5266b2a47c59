/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/symbols.h"

#include <string.h>

void symbols_add(struct symbols *symbols, const struct symbol *symbol, const char *name)
{
	const char *version = name[0] ? strchr(name + 1, '@') : NULL;
	size_t size = version ? (size_t)(version - name) : strlen(name);
	struct symbol *new;

	if (size == 0 || symbol->end <= symbol->start || symbols->text.size + size >= UINT32_MAX)
		return;
	array_reserve((void **)&symbols->items, &symbols->capacity, symbols->count + 1,
		      sizeof(*symbols->items));
	new = &symbols->items[symbols->count++];
	*new = *symbol;
	new->name = (uint32_t)symbols->text.size;
	buffer_add(&symbols->text, name, size);
	buffer_add(&symbols->text, "", 1);
}

static size_t underscores(const char *name)
{
	return strspn(name, "_");
}

int symbols_compare_names(const char *a, const char *b)
{
	size_t bars_a = underscores(a), bars_b = underscores(b);
	size_t size_a = strlen(a), size_b = strlen(b);

	if (bars_a != bars_b)
		return bars_a < bars_b ? -1 : 1;
	if (size_a != size_b)
		return size_a < size_b ? -1 : 1;
	return strcmp(a, b);
}

/* By start; wider ranges first, so that inner ones come behind their outer ones; then the best
 * name. */
static int compare(const void *left, const void *right, void *text)
{
	const struct symbol *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	/* One of known size says more about the start than one without. */
	if (a->open_end != b->open_end)
		return a->open_end ? -1 : 1;
	if (a->end != b->end)
		return a->end > b->end ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return symbols_compare_names((char *)text + a->name, (char *)text + b->name);
}

/* Ends symbols of unknown size at the next start; drops those inside of others (they are labels),
 * and all but the best of equal ranges. */
static void tidy(struct symbols *symbols)
{
	struct symbol *items = symbols->items;
	uint64_t covered = 0; /* the highest end of symbols of known size so far */
	size_t kept = 0;

	for (size_t i = 0; i < symbols->count; i++) {
		struct symbol *last = kept > 0 ? &items[kept - 1] : NULL;

		if (items[i].open_end && items[i].start < covered)
			continue;
		if (last && last->start == items[i].start && last->end == items[i].end)
			continue;
		if (last && last->open_end && last->start == items[i].start)
			kept--; /* an alias of one whose size is known */
		else if (last && last->open_end && last->end > items[i].start)
			last->end = items[i].start;
		if (!items[i].open_end && items[i].end > covered)
			covered = items[i].end;
		items[kept++] = items[i];
	}
	symbols->count = kept;
}

struct flattening {
	struct symbol *out;
	size_t count;
	size_t capacity;
	uint64_t at; /* all below is settled */
};

/* Settles what is below END, and not settled yet, as part of SYMBOL. */
static void settle(struct flattening *flat, const struct symbol *symbol, uint64_t end)
{
	if (end <= flat->at)
		return;
	array_reserve((void **)&flat->out, &flat->capacity, flat->count + 1, sizeof(*flat->out));
	flat->out[flat->count] =
		*symbol; /* start stays the function's own: offsets count from it */
	flat->out[flat->count].end = end;
	flat->count++;
	flat->at = end;
}

/* Cuts overlapping ranges into disjoint ones, each of the innermost symbol: a stack of the open
 * ones. */
static void flatten(struct symbols *symbols)
{
	_cleanup_free_ size_t *open = xmalloc((symbols->count + 1) * sizeof(*open));
	struct flattening flat = {.count = 0};
	size_t depth = 0;

	for (size_t i = 0; i <= symbols->count; i++) {
		uint64_t start = i < symbols->count ? symbols->items[i].start : UINT64_MAX;

		while (depth > 0) {
			const struct symbol *top = &symbols->items[open[depth - 1]];

			settle(&flat, top, top->end < start ? top->end : start);
			if (top->end > start)
				break;
			depth--;
		}
		flat.at = start;
		if (i < symbols->count)
			open[depth++] = i;
	}
	free(symbols->items);
	symbols->items = flat.out;
	symbols->count = flat.count;
	symbols->capacity = flat.capacity;
}

void symbols_finish(struct symbols *symbols)
{
	if (symbols->count == 0)
		return;
	qsort_r(symbols->items, symbols->count, sizeof(*symbols->items), compare,
		symbols->text.data);
	tidy(symbols);
	flatten(symbols);
}

const struct symbol *symbols_find(const struct symbols *symbols, uint64_t address)
{
	size_t low = 0, high = symbols->count;

	/* Ends are disjoint and rise; the first one above the address is the only candidate. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbols->items[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == symbols->count || symbols->items[low].start > address)
		return NULL;
	return &symbols->items[low];
}

void symbols_release(struct symbols *symbols)
{
	free(symbols->items);
	buffer_release(&symbols->text);
	*symbols = (struct symbols){.items = NULL};
}
