/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads the function symbols of an ELF file: .symtab and .dynsym of the file, .symtab of its debug
 * file, and the small table that Fedora packs into .gnu_debugdata. Part of the reader.
 */
#ifndef DASHCAM_SYMBOL_IMAGE_SYMBOLS_H
#define DASHCAM_SYMBOL_IMAGE_SYMBOLS_H

#include <gelf.h>

#include "symbol/symbols.h"

struct elf_file {
	Elf *elf; /* NULL: not there */
	GElf_Ehdr header;
	int fd;
};

/* Adds all symbols, also those with one address; the table still wants symbols_finish. */
void image_load_symbols(const struct elf_file *file, const struct elf_file *debug,
			struct symbols *symbols);

#endif
