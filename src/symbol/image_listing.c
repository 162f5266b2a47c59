/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/image_listing.h"

#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "event/schema.h"
#include "symbol/code.h"
#include "symbol/demangle.h"
#include "symbol/image_frames.h"
#include "symbol/image_function.h"
#include "symbol/place.h"
#include "symbol/resolver.h"
#include "symbol/symbols.h"
#include "symbol/unwind.h"

/* A function while it is looked at. */
struct listed {
	uint64_t start;
	uint64_t end; /* START: not known */
	size_t first_symbol;
	size_t symbol_count; /* those of this address, the best one first */
	struct place_found place;
};

struct image_listing {
	struct image *image;
	struct symbols symbols;
	struct frame_ranges frames;
	struct code code;
	uint64_t entry; /* where the program begins */
	struct listed *items;
	size_t count;
	size_t capacity;
};

/* ---- which functions there are ---- */

/* By address; of one address the best name first: that of a function that the code there only
 * chooses (IFUNC), whatever else debug files call that code. */
static int compare(const void *left, const void *right, void *text)
{
	const struct symbol *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->is_chosen != b->is_chosen)
		return a->is_chosen ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return symbols_compare_names((const char *)text + a->name, (const char *)text + b->name);
}

static struct listed *add(struct image_listing *listing, uint64_t start, uint64_t end)
{
	struct listed *item;

	array_reserve((void **)&listing->items, &listing->capacity, listing->count + 1,
		      sizeof(*listing->items));
	item = &listing->items[listing->count++];
	*item = (struct listed){.start = start, .end = end};
	return item;
}

/* Adds the function of the symbols from index I on that have one address. Returns the index behind
 * them; *COVERED rises to the end of what they cover. */
static size_t add_symbols(struct image_listing *listing, size_t i, uint64_t *covered)
{
	const struct symbol *symbols = listing->symbols.items;
	struct listed *item = add(listing, symbols[i].start, symbols[i].start);

	item->first_symbol = i;
	for (; i < listing->symbols.count && symbols[i].start == item->start; i++) {
		if (!symbols[i].open_end && item->end == item->start)
			item->end = symbols[i].end;
		if (!symbols[i].open_end && symbols[i].end > *covered)
			*covered = symbols[i].end;
	}
	item->symbol_count = i - item->first_symbol;
	return i;
}

/* Adds what the symbols name, and the ranges for unwinding that none of them covers. */
static void merge(struct image_listing *listing)
{
	const struct symbols *symbols = &listing->symbols;
	const struct frame_ranges *frames = &listing->frames;
	uint64_t covered = 0;
	size_t i = 0, f = 0;

	while (i < symbols->count || f < frames->count) {
		const struct frame_range *frame = f < frames->count ? &frames->items[f] : NULL;

		if (i < symbols->count && (!frame || symbols->items[i].start <= frame->start)) {
			i = add_symbols(listing, i, &covered);
			continue;
		}
		f++;
		if (frame->start < covered ||
		    (listing->count > 0 &&
		     listing->items[listing->count - 1].start == frame->start))
			continue;
		if (frame->is_entry)
			add(listing, frame->start, frame->end);
	}
}

/* Leaves out what lies in no code, and gives those without a size one: of the range for unwinding,
 * or up to the next. */
static void settle_ends(struct image_listing *listing)
{
	size_t kept = 0;

	for (size_t i = 0; i < listing->count; i++) {
		struct listed *item = &listing->items[i];
		const struct code_section *section = code_find(&listing->code, item->start);
		const struct frame_range *frame;

		if (!section)
			continue;
		frame = frame_ranges_find(&listing->frames, item->start);
		if (item->end == item->start && frame)
			item->end = frame->end;
		if (item->end == item->start)
			item->end = i + 1 < listing->count ? item[1].start : section->end;
		if (item->end > section->end)
			item->end = section->end;
		listing->items[kept++] = *item;
	}
	listing->count = kept;
}

/* ---- where each is probed ---- */

static const char *symbol_of(const struct image_listing *listing, const struct listed *item)
{
	return item->symbol_count > 0 ? symbols_name(&listing->symbols,
						     &listing->symbols.items[item->first_symbol])
				      : NULL;
}

/* Compilers put what is rarely run of a function elsewhere: f.cold, f.cold.1 */
static bool is_cold(const char *symbol)
{
	const char *at = symbol ? strstr(symbol, ".cold") : NULL;

	return at && (at[5] == '\0' || at[5] == '.');
}

/* Can a function be called at its address at all? */
static enum resolver_why judge(const struct image_listing *listing, const struct listed *item)
{
	const struct code_section *section = code_find(&listing->code, item->start);
	const struct frame_range *frame = frame_ranges_find(&listing->frames, item->start);
	const char *symbol = symbol_of(listing, item);

	if (section->is_stub)
		return RESOLVER_WHY_STUB;
	if (item->start == listing->entry)
		return RESOLVER_WHY_START;
	if (symbol && listing->symbols.items[item->first_symbol].is_chosen)
		return RESOLVER_WHY_CHOSEN;
	if (is_cold(symbol))
		return RESOLVER_WHY_PART;
	if (!frame)
		return RESOLVER_WHY_OK;
	if (frame->start == item->start)
		return frame->is_entry ? RESOLVER_WHY_OK : RESOLVER_WHY_PART;
	return image_is_entry(listing->image, item->start, symbol != NULL) ? RESOLVER_WHY_OK
									   : RESOLVER_WHY_PART;
}

static void note_targets(struct image_listing *listing)
{
	_cleanup_free_ uint64_t *starts = xmalloc((listing->count + 1) * sizeof(*starts));

	for (size_t i = 0; i < listing->count; i++)
		starts[i] = listing->items[i].start;
	code_note_targets(&listing->code, starts, listing->count);
}

static void find_places(struct image_listing *listing, bool has_long_nops)
{
	bool is_native = unwind_native.elf_machine == EM_X86_64;
	struct place_finder *finder = NULL;

	if (is_native) {
		note_targets(listing);
		finder = place_finder_new(&listing->code, has_long_nops);
	}
	for (size_t i = 0; i < listing->count; i++) {
		struct listed *item = &listing->items[i];
		enum resolver_why why = judge(listing, item);

		if (why != RESOLVER_WHY_OK)
			item->place = (struct place_found){.why = (uint8_t)why};
		else if (is_native)
			place_find(finder, item->start, item->end, &item->place);
		else
			item->place = (struct place_found){.place = RESOLVER_PLACE_COSTLY,
							   .why = RESOLVER_WHY_MACHINE};
	}
	place_finder_free(finder);
}

struct image_listing *image_listing_new(struct image *image, bool has_long_nops)
{
	struct image_listing *listing = xcalloc(1, sizeof(*listing));
	struct message_opened opened;

	image_describe(image, &opened);
	listing->image = image;
	listing->entry = opened.entry;
	image_all_symbols(image, &listing->symbols);
	if (listing->symbols.count > 0)
		qsort_r(listing->symbols.items, listing->symbols.count,
			sizeof(*listing->symbols.items), compare, listing->symbols.text.data);
	image_frames(image_elf(image), &listing->frames);
	code_load(image_elf(image), &listing->code);
	merge(listing);
	settle_ends(listing);
	find_places(listing, has_long_nops);
	return listing;
}

void image_listing_free(struct image_listing *listing)
{
	if (!listing)
		return;
	symbols_release(&listing->symbols);
	frame_ranges_release(&listing->frames);
	code_release(&listing->code);
	free(listing->items);
	free(listing);
}

/* ---- the reply ---- */

size_t image_listing_count(const struct image_listing *listing)
{
	return listing->count;
}

/* Appends a name and its NUL unless TEXT, from offset FROM on, has it already. */
static void add_once(struct buffer *text, size_t from, const char *name)
{
	for (size_t at = from; at < text->size; at += strlen(text->data + at) + 1) {
		if (!strcmp(text->data + at, name))
			return;
	}
	buffer_add(text, name, strlen(name) + 1);
}

/* Appends the other symbols of an address, and how they read, without those that are told already
 * from offset FROM on. */
static void add_aliases(const struct image_listing *listing, const struct listed *item,
			struct buffer *text, size_t from)
{
	size_t most = text->size + MESSAGE_ALIASES_MAX;

	for (size_t i = 1; i < item->symbol_count; i++) {
		const char *symbol = symbols_name(&listing->symbols,
						  &listing->symbols.items[item->first_symbol + i]);
		char readable[DEMANGLE_SIZE];

		demangle(symbol, readable);
		if (text->size + strlen(symbol) + sizeof(readable) > most)
			return;
		add_once(text, from, symbol);
		add_once(text, from, readable);
	}
}

static void add_names(const struct image_listing *listing, const struct listed *item,
		      struct message_listed *listed, struct buffer *text)
{
	const char *symbol = symbol_of(listing, item);
	char readable[DEMANGLE_SIZE], number[32];

	if (symbol) {
		demangle(symbol, readable);
	} else {
		snprintf(number, sizeof(number), "fn_0x%" PRIx64, item->start);
		symbol = strcpy(readable, number);
	}
	listed->name_size = (uint16_t)(strlen(readable) + 1);
	buffer_add(text, readable, listed->name_size);
	listed->symbol_size = (uint16_t)(strnlen(symbol, MESSAGE_SYMBOL_MAX - 1) + 1);
	buffer_add(text, symbol, listed->symbol_size - 1U);
	buffer_add(text, "", 1);
	add_aliases(listing, item, text, 0);
	listed->aliases_size = (uint16_t)(text->size - listed->name_size - listed->symbol_size);
}

bool image_listing_add(const struct image_listing *listing, size_t index, struct buffer *reply)
{
	const struct listed *item = &listing->items[index];
	struct buffer text = {.data = NULL};
	struct message_listed listed = {
		.address = item->start,
		.size_bytes = item->end - item->start,
		.probe_bytes = item->place.probe_bytes,
		.written = item->place.written,
		.place = item->place.place,
		.why = item->place.why,
		.flags = (uint8_t)((item->place.entry_is_refused ? LISTED_ENTRY_REFUSED : 0) |
				   (item->symbol_count > 0 ? LISTED_HAS_SYMBOL : 0)),
	};
	size_t size, whole;
	bool fits;

	add_names(listing, item, &listed, &text);
	size = sizeof(listed) + text.size;
	whole = event_align(size);
	fits = reply->size + whole <= MESSAGE_SIZE_MAX;
	if (fits) {
		buffer_add(reply, &listed, sizeof(listed));
		buffer_add(reply, text.data, text.size);
		memset(buffer_extend(reply, whole - size), 0, whole - size);
	}
	buffer_release(&text);
	return fits;
}

/* ---- the file ---- */

/* Appends the texts of one kind (DT_) that a dynamic section has; returns how many. */
static uint32_t add_dynamic(Elf *elf, Elf_Data *data, const GElf_Shdr *header, GElf_Sxword tag,
			    struct buffer *text)
{
	uint32_t count = 0;
	GElf_Dyn entry;

	for (int i = 0; gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
		const char *name = entry.d_tag == tag
					   ? elf_strptr(elf, header->sh_link, entry.d_un.d_val)
					   : NULL;

		if (!name || text->size + strlen(name) + 1 > MESSAGE_SIZE_MAX / 2)
			continue;
		buffer_add(text, name, strlen(name) + 1);
		count++;
		if (tag != DT_NEEDED)
			break;
	}
	return count;
}

/* The soname, where to look for libraries, and what is needed. Returns how many are needed. */
static uint32_t add_sonames(Elf *elf, struct buffer *text)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_DYNAMIC)
			continue;
		data = elf_getdata(section, NULL);
		if (!data)
			continue;
		if (add_dynamic(elf, data, &header, DT_SONAME, text) == 0)
			buffer_add(text, "", 1);
		if (add_dynamic(elf, data, &header, DT_RUNPATH, text) == 0 &&
		    add_dynamic(elf, data, &header, DT_RPATH, text) == 0)
			buffer_add(text, "", 1);
		return add_dynamic(elf, data, &header, DT_NEEDED, text);
	}
	buffer_add(text, "\0", 2);
	return 0;
}

void image_about(struct image *image, struct buffer *reply)
{
	struct message_about about = {.message = *(const struct message *)reply->data};
	struct buffer text = {.data = NULL};

	about.message.count = add_sonames(image_elf(image), &text);
	about.flags = (image_may_unwind(image) ? FUNCTION_MAY_UNWIND : 0) |
		      (image_moves_stacks(image) ? FUNCTION_MOVES_STACKS : 0);
	about.text_size = (uint32_t)text.size;
	buffer_clear(reply);
	buffer_add(reply, &about, sizeof(about));
	buffer_add(reply, text.data, text.size);
	buffer_release(&text);
}
