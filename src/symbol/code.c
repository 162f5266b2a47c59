/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/code.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "symbol/instruction.h"

/* More code than any program has; the bitmap takes an eighth of it. */
#define SECTION_BYTES_MAX (UINT64_C(1) << 30)

static bool is_stub(const char *name)
{
	return !strncmp(name, ".plt", 4) || !strncmp(name, ".iplt", 5) || !strcmp(name, ".init") ||
	       !strcmp(name, ".fini");
}

static void add_section(struct code *code, const GElf_Shdr *header, const char *name,
			const Elf_Data *data)
{
	struct code_section *section = &code->sections[code->count++];

	*section = (struct code_section){
		.start = header->sh_addr,
		.end = header->sh_addr + data->d_size,
		.bytes = data->d_buf,
		.targets = xcalloc(data->d_size / 8 + 1, 1),
		.is_stub = is_stub(name),
	};
}

static int compare_sections(const void *left, const void *right)
{
	const struct code_section *a = left, *b = right;

	return a->start < b->start ? -1 : a->start > b->start;
}

void code_release(struct code *code)
{
	for (size_t i = 0; i < code->count; i++)
		free(code->sections[i].targets);
	free(code->tables);
	free(code->switches);
	*code = (struct code){.count = 0};
}

const struct code_section *code_find(const struct code *code, uint64_t address)
{
	for (size_t i = 0; i < code->count; i++) {
		if (address - code->sections[i].start <
		    code->sections[i].end - code->sections[i].start)
			return &code->sections[i];
	}
	return NULL;
}

/* ---- targets ---- */

static const struct code_data *find_data(const struct code *code, uint64_t address)
{
	for (size_t i = 0; i < code->data_count; i++) {
		if (address - code->data[i].start < code->data[i].end - code->data[i].start)
			return &code->data[i];
	}
	return NULL;
}

/* Notes a target, probably in the section NEAR. False: no code is there. */
static bool note(const struct code *code, const struct code_section *near, uint64_t address)
{
	uint64_t at = address - near->start;

	if (at >= near->end - near->start) {
		near = code_find(code, address);
		if (!near)
			return false;
		at = address - near->start;
	}
	near->targets[at / 8] |= (uint8_t)(1U << at % 8);
	return true;
}

static void note_switch(struct code *code, uint64_t start)
{
	array_reserve((void **)&code->switches, &code->switch_capacity, code->switch_count + 1,
		      sizeof(*code->switches));
	code->switches[code->switch_count++] = start;
}

static void add_table(struct code *code, uint64_t address, uint64_t function)
{
	if (!find_data(code, address))
		return;
	array_reserve((void **)&code->tables, &code->table_capacity, code->table_count + 1,
		      sizeof(*code->tables));
	code->tables[code->table_count++] =
		(struct code_table){.address = address, .function = function};
}

/* Walks over [start, end) of a section, a function. One that jumps through a register jumps by a
 * table only if it also reads distances; others call a function last that they have a pointer to.
 */
static void walk(struct code *code, const struct code_section *section, uint64_t start,
		 uint64_t end)
{
	size_t first_table = code->table_count;
	unsigned int met = 0; /* a bit for each enum instruction_table */
	uint64_t at = start;

	while (at < end) {
		const uint8_t *bytes = section->bytes + (at - section->start);
		struct instruction instruction;

		if (!instruction_decode(bytes, (size_t)(section->end - at), &instruction)) {
			at++;
			continue;
		}
		if (instruction.has_target &&
		    !note(code, section, at + (uint64_t)instruction.target))
			add_table(code, at + (uint64_t)instruction.target, start);
		met |= 1U << instruction.table;
		at += instruction.length;
	}
	if (!(met & 1U << TABLE_JUMP && met & 1U << TABLE_LOAD))
		return;
	if (first_table == code->table_count)
		note_switch(code, start);
	for (; first_table < code->table_count; first_table++)
		code->tables[first_table].is_wanted = true;
}

static int compare_addresses(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* ---- tables of distances ---- */

/* Notes the targets of what may be a table of distances from itself; false if it is none. It ends
 * at the next one's start at the latest. */
static bool note_table(const struct code *code, const struct code_table *table, uint64_t limit)
{
	const struct code_data *data = find_data(code, table->address);
	bool is_table = false;
	int32_t distance;

	if (limit > data->end)
		limit = data->end;
	for (uint64_t at = table->address; at + sizeof(distance) <= limit; at += sizeof(distance)) {
		memcpy(&distance, data->bytes + (at - data->start), sizeof(distance));
		if (!note(code, &code->sections[0], table->address + (uint64_t)(int64_t)distance))
			break;
		is_table = true;
	}
	return is_table;
}

/* The first of COUNT rising addresses that lies behind ADDRESS. */
static uint64_t next_address(const uint64_t *addresses, size_t count, uint64_t address)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (addresses[middle] <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count ? addresses[low] : UINT64_MAX;
}

/* Notes the targets of all tables, and the functions that jump by one which was not found. */
static void note_tables(struct code *code)
{
	_cleanup_free_ uint64_t *addresses = xmalloc((code->table_count + 1) * sizeof(*addresses));
	size_t i = 0;

	for (size_t t = 0; t < code->table_count; t++)
		addresses[t] = code->tables[t].address;
	qsort(addresses, code->table_count, sizeof(*addresses), compare_addresses);
	while (i < code->table_count) {
		const struct code_table *first = &code->tables[i];
		bool is_found = false;

		for (; i < code->table_count && code->tables[i].function == first->function; i++)
			is_found |= note_table(code, &code->tables[i],
					       next_address(addresses, code->table_count,
							    code->tables[i].address));
		if (first->is_wanted && !is_found)
			note_switch(code, first->function);
	}
}

void code_note_targets(struct code *code, const uint64_t *starts, size_t count)
{
	size_t next = 0;

	for (size_t i = 0; i < code->count; i++) {
		const struct code_section *section = &code->sections[i];
		uint64_t at = section->start;

		while (next < count && starts[next] < section->start)
			next++;
		for (; next < count && starts[next] < section->end; next++) {
			walk(code, section, at, starts[next]);
			at = starts[next];
			note(code, section, at);
		}
		walk(code, section, at, section->end);
	}
	note_tables(code);
	if (code->switch_count > 0)
		qsort(code->switches, code->switch_count, sizeof(*code->switches),
		      compare_addresses);
}

/* ---- loading ---- */

/* What the loader writes into data: addresses of functions and of labels. */
static void note_relocations(struct code *code, Elf_Data *data)
{
	GElf_Rela relocation;

	for (int i = 0; gelf_getrela(data, i, &relocation); i++) {
		if (GELF_R_TYPE(relocation.r_info) == R_X86_64_RELATIVE)
			note(code, &code->sections[0], (uint64_t)relocation.r_addend);
	}
}

/* Addresses that are in data already. */
static void note_words(struct code *code, const struct code_data *data)
{
	uint64_t word;

	for (uint64_t at = 0; at + sizeof(word) <= data->end - data->start; at += sizeof(word)) {
		memcpy(&word, data->bytes + at, sizeof(word));
		note(code, &code->sections[0], word);
	}
}

static void add_data(struct code *code, const GElf_Shdr *header, const Elf_Data *data)
{
	if (code->data_count < CODE_SECTIONS_MAX)
		code->data[code->data_count++] = (struct code_data){
			header->sh_addr, header->sh_addr + data->d_size, data->d_buf};
}

/* Takes a section that is loaded, if it is of use. */
static void take_section(struct code *code, Elf *elf, Elf_Scn *scn, const GElf_Shdr *header,
			 size_t names)
{
	const char *name = elf_strptr(elf, names, header->sh_name);
	Elf_Data *data = elf_rawdata(scn, NULL);

	if (!name || !data || !data->d_buf || data->d_size > SECTION_BYTES_MAX ||
	    header->sh_addr > UINT64_MAX - data->d_size)
		return;
	if (!(header->sh_flags & SHF_EXECINSTR))
		add_data(code, header, data);
	else if (code->count < CODE_SECTIONS_MAX)
		add_section(code, header, name, data);
}

static void take_sections(Elf *elf, struct code *code)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr header;

		if (gelf_getshdr(scn, &header) && header.sh_flags & SHF_ALLOC &&
		    header.sh_type == SHT_PROGBITS && !(header.sh_flags & SHF_COMPRESSED))
			take_section(code, elf, scn, &header, names);
	}
}

static void take_relocations(Elf *elf, struct code *code)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr header;
		Elf_Data *data;

		if (!gelf_getshdr(scn, &header) || header.sh_type != SHT_RELA ||
		    !(header.sh_flags & SHF_ALLOC))
			continue;
		data = elf_getdata(scn, NULL);
		if (data)
			note_relocations(code, data);
	}
}

/* Are there addresses of code in data before it is loaded? In a program at a fixed place, and where
 * relocations are packed. */
static bool has_words(Elf *elf)
{
	Elf_Scn *scn = NULL;
	GElf_Ehdr header;

	if (gelf_getehdr(elf, &header) && header.e_type == ET_EXEC)
		return true;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr section;

		if (gelf_getshdr(scn, &section) && section.sh_type == SHT_RELR)
			return true;
	}
	return false;
}

void code_load(Elf *elf, struct code *ret)
{
	take_sections(elf, ret);
	qsort(ret->sections, ret->count, sizeof(ret->sections[0]), compare_sections);
	if (ret->count == 0)
		return;
	take_relocations(elf, ret);
	for (size_t i = 0; i < ret->data_count && has_words(elf); i++)
		note_words(ret, &ret->data[i]);
}

bool code_has_target(const struct code *code, uint64_t first, uint64_t last)
{
	const struct code_section *section = code_find(code, first);

	if (!section)
		return false;
	for (uint64_t at = first - section->start; at <= last - section->start; at++) {
		if (at < section->end - section->start && section->targets[at / 8] >> at % 8 & 1)
			return true;
	}
	return false;
}

bool code_has_switch(const struct code *code, uint64_t start, uint64_t end)
{
	size_t low = 0, high = code->switch_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (code->switches[middle] < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low < code->switch_count && code->switches[low] < end;
}
