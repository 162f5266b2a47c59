/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/image_symbols.h"

#include <lzma.h>
#include <string.h>

/* In a symbol's version: not the default one. <elf.h> has no name for it. */
#define VERSION_HIDDEN 0x8000

/* Limits on what a packed symbol table may unfold to and need while unfolding. */
#define PACKED_SYMBOLS_MAX (UINT64_C(256) << 20)
#define LZMA_MEMORY_MAX    (UINT64_C(128) << 20)

/* A symbol table and what its symbols are judged by. */
struct table {
	Elf *elf;
	Elf_Data *data;
	Elf_Data *section_indexes; /* for files with very many sections; NULL else */
	Elf_Data *versions;        /* of a dynamic table; NULL if there are none */
	size_t strings;            /* index of its string section */
	bool is_dynamic;
};

/* The section a symbol is in, if that holds code; false if not. */
static bool code_section(const struct table *table, const GElf_Sym *symbol, GElf_Word index,
			 GElf_Shdr *ret)
{
	Elf_Scn *section;

	if (symbol->st_shndx != SHN_XINDEX)
		index = symbol->st_shndx;
	if (symbol->st_shndx == SHN_UNDEF ||
	    (symbol->st_shndx >= SHN_LORESERVE && symbol->st_shndx != SHN_XINDEX))
		return false;
	section = elf_getscn(table->elf, index);
	return section && gelf_getshdr(section, ret) && ret->sh_flags & SHF_EXECINSTR;
}

/* A version of the symbol that is kept for old programs; new ones get another. Static tables have
 * the version in the name, behind two @ if it is the one for new programs. */
static bool is_old_version(const struct table *table, int index, const char *name)
{
	const char *at = strchr(name, '@');
	GElf_Versym version;

	if (at)
		return at[1] != '@';
	return table->versions && gelf_getversym(table->versions, index, &version) &&
	       version & VERSION_HIDDEN;
}

/* Smaller is better: known type before unknown, visible before local, new before old. */
static uint16_t rank_of(unsigned int type, unsigned int bind, bool is_old)
{
	return (uint16_t)((type == STT_NOTYPE) * 4 + (bind == STB_LOCAL) * 2 + is_old);
}

static void consider(const struct table *table, int index, struct symbols *symbols)
{
	GElf_Word section_index = 0;
	struct symbol symbol;
	GElf_Shdr section;
	GElf_Sym elf;
	unsigned int type, bind;
	const char *name;

	if (!gelf_getsymshndx(table->data, table->section_indexes, index, &elf, &section_index))
		return;
	type = GELF_ST_TYPE(elf.st_info);
	bind = GELF_ST_BIND(elf.st_info);
	if (type != STT_FUNC && type != STT_GNU_IFUNC && (type != STT_NOTYPE || bind == STB_LOCAL))
		return;
	if (elf.st_size == 0 && table->is_dynamic)
		return;
	if (!code_section(table, &elf, section_index, &section) ||
	    elf.st_value - section.sh_addr >= section.sh_size)
		return;
	name = elf_strptr(table->elf, table->strings, elf.st_name);
	if (!name)
		return;
	symbol = (struct symbol){
		.start = elf.st_value,
		.end = elf.st_value + elf.st_size,
		.rank = rank_of(type, bind, is_old_version(table, index, name)),
		.open_end = elf.st_size == 0,
		.is_chosen = type == STT_GNU_IFUNC,
	};
	if (symbol.open_end)
		symbol.end = section.sh_addr + section.sh_size;
	symbols_add(symbols, &symbol, name);
}

/* The data of a section of TYPE that belongs to a table. */
static Elf_Data *find_companion(Elf *elf, size_t table_index, unsigned int type)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;

		if (gelf_getshdr(section, &header) && header.sh_type == type &&
		    header.sh_link == table_index)
			return elf_getdata(section, NULL);
	}
	return NULL;
}

/* Loads the tables of one TYPE: SHT_SYMTAB or SHT_DYNSYM. */
static void load_tables(Elf *elf, unsigned int type, struct symbols *symbols)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section))) {
		struct table table = {.elf = elf, .is_dynamic = type == SHT_DYNSYM};
		GElf_Shdr header;
		size_t count;

		if (!gelf_getshdr(section, &header) || header.sh_type != type ||
		    header.sh_entsize != sizeof(Elf64_Sym))
			continue;
		table.data = elf_getdata(section, NULL);
		if (!table.data)
			continue;
		table.strings = header.sh_link;
		table.section_indexes = find_companion(elf, elf_ndxscn(section), SHT_SYMTAB_SHNDX);
		if (table.is_dynamic)
			table.versions = find_companion(elf, elf_ndxscn(section), SHT_GNU_versym);
		count = table.data->d_size / header.sh_entsize;
		for (size_t i = 0; i < count && i < INT32_MAX; i++)
			consider(&table, (int)i, symbols);
	}
}

/* Unfolds an xz stream whose size is not known beforehand. The caller frees. False: not readable.
 */
static bool unfold(const Elf_Data *packed, struct buffer *out)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret result = lzma_stream_decoder(&stream, LZMA_MEMORY_MAX, 0);

	stream.next_in = packed->d_buf;
	stream.avail_in = packed->d_size;
	while (result == LZMA_OK && out->size < PACKED_SYMBOLS_MAX) {
		const size_t step = 256 * 1024;

		stream.next_out = buffer_extend(out, step);
		stream.avail_out = step;
		result = lzma_code(&stream, LZMA_FINISH);
		out->size -= stream.avail_out;
	}
	lzma_end(&stream);
	return result == LZMA_STREAM_END;
}

static void load_packed(Elf *elf, struct symbols *symbols)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return;
	while ((section = elf_nextscn(elf, section))) {
		struct buffer unfolded = {.data = NULL};
		const char *name = NULL;
		GElf_Shdr header;
		Elf_Data *data;
		Elf *inner;

		if (gelf_getshdr(section, &header))
			name = elf_strptr(elf, names, header.sh_name);
		if (!name || strcmp(name, ".gnu_debugdata"))
			continue;
		data = elf_rawdata(section, NULL);
		if (data && data->d_buf && unfold(data, &unfolded)) {
			inner = elf_memory(unfolded.data, unfolded.size);
			if (inner)
				load_tables(inner, SHT_SYMTAB, symbols);
			elf_end(inner);
		}
		buffer_release(&unfolded);
		return;
	}
}

void image_load_symbols(const struct elf_file *file, const struct elf_file *debug,
			struct symbols *symbols)
{
	load_tables(file->elf, SHT_SYMTAB, symbols);
	load_tables(file->elf, SHT_DYNSYM, symbols);
	if (debug->elf)
		load_tables(debug->elf, SHT_SYMTAB, symbols);
	load_packed(file->elf, symbols);
}
