/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/image_function.h"

#include <gelf.h>
#include <string.h>

#include "base/spelling.h"
#include "symbol/demangle.h"
#include "symbol/symbols.h"
#include "symbol/unwind.h"

/* ---- what may happen to calls of it ---- */

static bool has_section(Elf *elf, const char *wanted)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return false;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(elf, names, header.sh_name)
					   : NULL;

		if (name && !strcmp(name, wanted))
			return true;
	}
	return false;
}

static bool begins_with_one_of(const char *text, const char *const *beginnings)
{
	for (; *beginnings; beginnings++) {
		if (!strncmp(text, *beginnings, strlen(*beginnings)))
			return true;
	}
	return false;
}

/* Calls TEST with the data of each section of TYPE until it says true. */
static bool any_section(Elf *elf, unsigned int type,
			bool (*test)(Elf *elf, Elf_Data *data, const GElf_Shdr *header))
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) || header.sh_type != type)
			continue;
		data = elf_getdata(section, NULL);
		if (data && test(elf, data, &header))
			return true;
	}
	return false;
}

/* Is a library needed by which exceptions (C++) or panics (Rust) are thrown? */
static bool needs_unwinder(Elf *elf, Elf_Data *data, const GElf_Shdr *header)
{
	static const char *const libraries[] = {"libstdc++.so", "libgcc_s.so", "libc++.so",
						"libc++abi.so", NULL};
	GElf_Dyn entry;

	for (int i = 0; gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
		const char *name = entry.d_tag == DT_NEEDED
					   ? elf_strptr(elf, header->sh_link, entry.d_un.d_val)
					   : NULL;

		if (name && begins_with_one_of(name, libraries))
			return true;
	}
	return false;
}

static bool imports_contexts(Elf *elf, Elf_Data *data, const GElf_Shdr *header)
{
	GElf_Sym symbol;

	for (int i = 1; gelf_getsym(data, i, &symbol); i++) {
		const char *name = symbol.st_shndx == SHN_UNDEF
					   ? elf_strptr(elf, header->sh_link, symbol.st_name)
					   : NULL;

		if (name && (!strcmp(name, "makecontext") || !strcmp(name, "swapcontext")))
			return true;
	}
	return false;
}

static bool is_mangled(const char *name)
{
	return name[0] == '_' && (name[1] == 'Z' || name[1] == 'R');
}

/* A C library has tables for unwinding as well: they count for a function of C++ or Rust only. */
static bool may_unwind(Elf *elf, const char *name, bool has_throw)
{
	return has_throw || any_section(elf, SHT_DYNAMIC, needs_unwinder) ||
	       (is_mangled(name) && has_section(elf, ".gcc_except_table"));
}

bool image_may_unwind(struct image *image)
{
	Elf *elf = image_elf(image);

	return any_section(elf, SHT_DYNAMIC, needs_unwinder) ||
	       has_section(elf, ".gcc_except_table");
}

bool image_moves_stacks(struct image *image)
{
	Elf *elf = image_elf(image);

	return has_section(elf, ".gopclntab") || has_section(elf, ".note.go.buildid") ||
	       any_section(elf, SHT_DYNSYM, imports_contexts);
}

/* Does a row cover both ADDRESS and the byte before it? Then no row begins there. */
static bool is_inside_row(struct image *image, uint64_t address)
{
	struct buffer bytes = {0};
	bool is_inside = !image_row(image, address - 1, &bytes) &&
			 ((const struct unwind_row *)bytes.data)->end > address;

	buffer_release(&bytes);
	return is_inside;
}

bool image_is_entry(struct image *image, uint64_t address, bool has_symbol)
{
	struct message_opened opened;
	struct buffer bytes = {0};
	const struct unwind_row *row;
	bool is_top;

	image_describe(image, &opened);
	if (address == opened.entry)
		return false; /* nobody called it: there is nothing to return to */
	if (image_row(image, address, &bytes)) {
		buffer_release(&bytes);
		return has_symbol;
	}
	row = (const struct unwind_row *)bytes.data;
	is_top = !(row->flags & UNWIND_ROW_CFA_EXPRESSION) &&
		 row->cfa_reg == unwind_native.stack_pointer &&
		 row->cfa_offset == unwind_native.entry_cfa_offset;
	buffer_release(&bytes);
	return is_top && (has_symbol || !is_inside_row(image, address));
}

/* ---- finding it ---- */

struct search {
	const struct message_find *request;
	struct message_function *result;
	uint16_t best_rank;
	const char *symbol; /* of the first match; borrowed */
	bool has_throw;     /* the file can throw by itself */
	unsigned int distances[MESSAGE_SUGGESTIONS_MAX];
};

static void take_match(struct search *search, const struct symbols *all,
		       const struct symbol *symbol)
{
	struct message_function *result = search->result;

	if (result->message.count > 0 && symbol->rank > search->best_rank)
		return;
	if (symbol->rank < search->best_rank)
		result->message.count = 0;
	for (uint32_t i = 0; i < result->message.count && i < MESSAGE_MATCHES_MAX; i++) {
		if (result->addresses[i] == symbol->start)
			return;
	}
	if (result->message.count == 0) {
		search->symbol = symbols_name(all, symbol);
		search->best_rank = symbol->rank;
		result->flags = symbol->is_chosen ? FUNCTION_CHOSEN_LATER : 0;
	}
	if (result->message.count < MESSAGE_MATCHES_MAX)
		result->addresses[result->message.count] = symbol->start;
	result->message.count++;
}

static bool is_named(const char *symbol, const char *readable, const char *wanted)
{
	char whole[DEMANGLE_SIZE];

	if (!strcmp(symbol, wanted) || !strcmp(readable, wanted))
		return true;
	if (!strchr(wanted, '(') || !is_mangled(symbol))
		return false;
	demangle_whole(symbol, whole);
	return !strcmp(whole, wanted);
}

/* Smaller is nearer; UINT_MAX is not like it at all. */
static unsigned int distance(const char *wanted, const char *name)
{
	unsigned int size = (unsigned int)strlen(wanted), letters = spelling_distance(wanted, name);

	if (letters <= 2 || letters <= size / 4)
		return letters;
	if (size > 2 && strstr(name, wanted))
		return 100 + (unsigned int)strlen(name);
	return UINT32_MAX;
}

/* Keeps the nearest names, each once. */
static void take_suggestion(struct search *search, const char *name)
{
	unsigned int near = distance(search->request->name, name), at = MESSAGE_SUGGESTIONS_MAX;
	struct message_function *result = search->result;

	if (near == UINT32_MAX || strlen(name) >= MESSAGE_FUNCTION_NAME)
		return;
	for (unsigned int i = 0; i < MESSAGE_SUGGESTIONS_MAX; i++) {
		if (!strcmp(result->suggestions[i], name))
			return;
	}
	while (at > 0 && near < search->distances[at - 1])
		at--;
	if (at == MESSAGE_SUGGESTIONS_MAX)
		return;
	for (unsigned int i = MESSAGE_SUGGESTIONS_MAX - 1; i > at; i--) {
		search->distances[i] = search->distances[i - 1];
		memcpy(result->suggestions[i], result->suggestions[i - 1], MESSAGE_FUNCTION_NAME);
	}
	search->distances[at] = near;
	strcpy(result->suggestions[at], name);
}

static void look_at(struct search *search, const struct symbols *all, const struct symbol *symbol)
{
	const char *name = symbols_name(all, symbol), *wanted = search->request->name;
	char readable[DEMANGLE_SIZE];

	search->has_throw |= !strcmp(name, "__cxa_throw");
	if (!wanted[0]) {
		if (symbol->start == search->request->address)
			search->symbol = name;
		return;
	}
	demangle(name, readable);
	if (is_named(name, readable, wanted))
		take_match(search, all, symbol);
	else if (search->result->message.count == 0)
		take_suggestion(search, readable);
}

void image_find_function(struct image *image, const struct message_find *request,
			 struct message_function *ret)
{
	struct search search = {.request = request, .result = ret, .best_rank = UINT16_MAX};
	struct symbols all = {0};

	memset(search.distances, 0xff, sizeof(search.distances));
	image_all_symbols(image, &all);
	for (size_t i = 0; i < all.count; i++)
		look_at(&search, &all, &all.items[i]);
	if (!request->name[0]) {
		ret->addresses[0] = request->address;
		ret->message.count = 1;
	}
	if (ret->message.count > 0) {
		Elf *elf = image_elf(image);

		memset(ret->suggestions, 0, sizeof(ret->suggestions));
		if (!image_is_entry(image, ret->addresses[0], search.symbol))
			ret->flags |= FUNCTION_NOT_ENTRY;
		if (may_unwind(elf, search.symbol ? search.symbol : "", search.has_throw))
			ret->flags |= FUNCTION_MAY_UNWIND;
		if (image_moves_stacks(image))
			ret->flags |= FUNCTION_MOVES_STACKS;
	}
	symbols_release(&all);
}
