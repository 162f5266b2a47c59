/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/source.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

#include "base/memory.h"

struct source {
	Dwarf *dwarf;
};

struct source *source_new(Dwarf *dwarf)
{
	struct source *source = xcalloc(1, sizeof(*source));

	source->dwarf = dwarf;
	return source;
}

void source_free(struct source *source)
{
	free(source);
}

/* By .debug_aranges, or else by asking each unit (libdw keeps what it learns from either). */
Dwarf_Die *source_find_unit(Dwarf *dwarf, Dwarf_Addr address, Dwarf_Die *memory)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die sub;
	uint8_t type;

	if (dwarf_addrdie(dwarf, address, memory))
		return memory;
	while (dwarf_get_units(dwarf, unit, &unit, NULL, &type, memory, &sub) == 0) {
		if (type == DW_UT_compile && dwarf_haspc(memory, address) > 0)
			return memory;
	}
	return NULL;
}

static const char *function_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	const char *name =
		dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute));

	if (!name)
		name = dwarf_formstring(
			dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute));
	if (!name)
		name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_name, &attribute));
	return name ? name : "";
}

/* Where the code of DIE begins. */
static Dwarf_Addr start_of(Dwarf_Die *die, Dwarf_Addr otherwise)
{
	Dwarf_Addr start;

	return dwarf_entrypc(die, &start) == 0 && start <= otherwise ? start : otherwise;
}

/* Where DIE, an inlined call, was called from. */
static void call_place(Dwarf_Die *unit, Dwarf_Die *die, struct source_place *place)
{
	Dwarf_Attribute attribute;
	Dwarf_Word line = 0, file = 0;
	Dwarf_Files *files;
	const char *name = NULL;
	size_t count;

	place->line = 0;
	place->file = "";
	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attribute), &line) == 0)
		place->line = (uint32_t)line;
	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attribute), &file) == 0 &&
	    dwarf_getsrcfiles(unit, &files, &count) == 0 && file < count)
		name = dwarf_filesrc(files, file, NULL, NULL);
	if (name)
		place->file = name;
}

static void line_place(Dwarf_Die *unit, Dwarf_Addr address, struct source_place *place)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, address);
	const char *name = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	int number = 0;

	place->line = 0;
	place->file = name ? name : "";
	if (line && dwarf_lineno(line, &number) == 0 && number > 0)
		place->line = (uint32_t)number;
}

/* dwarf_getscopes alone leaves the code at the first inlined call and goes on where that function
 * was defined. */
int source_find_scopes(Dwarf_Die *unit, Dwarf_Addr address, Dwarf_Die **ret)
{
	_cleanup_free_ Dwarf_Die *scopes = NULL;

	if (dwarf_getscopes(unit, address, &scopes) <= 0)
		return 0;
	return dwarf_getscopes_die(&scopes[0], ret);
}

unsigned int source_find(struct source *source, uint64_t address,
			 struct source_place ret[SOURCE_DEPTH_MAX])
{
	struct source_place next = {.function = "", .start = address};
	_cleanup_free_ Dwarf_Die *scopes = NULL;
	unsigned int found = 0;
	Dwarf_Die unit;
	int count;

	if (!source->dwarf || !source_find_unit(source->dwarf, address, &unit))
		return 0;
	line_place(&unit, address, &next);
	ret[0] = next;
	count = source_find_scopes(&unit, address, &scopes);
	for (int i = 0; i < count && found < SOURCE_DEPTH_MAX; i++) {
		int tag = dwarf_tag(&scopes[i]);

		if (tag != DW_TAG_subprogram && tag != DW_TAG_inlined_subroutine)
			continue;
		next.function = function_name(&scopes[i]);
		next.start = start_of(&scopes[i], address);
		ret[found++] = next;
		if (tag == DW_TAG_subprogram)
			return found;
		call_place(&unit, &scopes[i], &next);
	}
	/* Inlined calls without the real function around them make no sense; the line may. */
	ret[0].function = "";
	return ret[0].line > 0 && found == 0 ? 1 : 0;
}
