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

void code_load(Elf *elf, struct code *ret)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return;
	while ((scn = elf_nextscn(elf, scn)) && ret->count < CODE_SECTIONS_MAX) {
		const char *name;
		GElf_Shdr header;
		Elf_Data *data;

		if (!gelf_getshdr(scn, &header) || !(header.sh_flags & SHF_EXECINSTR) ||
		    header.sh_type == SHT_NOBITS || header.sh_flags & SHF_COMPRESSED)
			continue;
		name = elf_strptr(elf, names, header.sh_name);
		data = elf_rawdata(scn, NULL);
		if (name && data && data->d_buf && data->d_size <= SECTION_BYTES_MAX &&
		    header.sh_addr <= UINT64_MAX - data->d_size)
			add_section(ret, &header, name, data);
	}
	qsort(ret->sections, ret->count, sizeof(ret->sections[0]), compare_sections);
}

void code_release(struct code *code)
{
	for (size_t i = 0; i < code->count; i++)
		free(code->sections[i].targets);
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

static void note(const struct code *code, const struct code_section *near, uint64_t address)
{
	uint64_t at = address - near->start;

	if (at >= near->end - near->start) {
		near = code_find(code, address);
		if (!near)
			return;
		at = address - near->start;
	}
	near->targets[at / 8] |= (uint8_t)(1U << at % 8);
}

static void note_switch(struct code *code, uint64_t address)
{
	array_reserve((void **)&code->switches, &code->switch_capacity, code->switch_count + 1,
		      sizeof(*code->switches));
	code->switches[code->switch_count++] = address;
}

/* Walks over [start, end) of a section. */
static void walk(struct code *code, const struct code_section *section, uint64_t start,
		 uint64_t end)
{
	while (start < end) {
		const uint8_t *bytes = section->bytes + (start - section->start);
		struct instruction instruction;

		if (!instruction_decode(bytes, (size_t)(section->end - start), &instruction)) {
			start++;
			continue;
		}
		if (instruction.has_target)
			note(code, section, start + (uint64_t)instruction.target);
		if (instruction.is_switch)
			note_switch(code, start);
		start += instruction.length;
	}
}

static int compare_addresses(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
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
	/* sections that overlap are walked twice */
	if (code->switch_count > 0)
		qsort(code->switches, code->switch_count, sizeof(*code->switches),
		      compare_addresses);
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
