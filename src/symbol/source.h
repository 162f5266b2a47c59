/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Source lines and inlined calls from DWARF. Units are found by address and read when first asked
 * about. Part of the reader: works on hostile files.
 */
#ifndef DASHCAM_SYMBOL_SOURCE_H
#define DASHCAM_SYMBOL_SOURCE_H

#include <elfutils/libdw.h>
#include <stdint.h>

#define SOURCE_DEPTH_MAX 32 /* inlined calls inside each other that are followed */

struct source;

/* One function at an address. The texts belong to the DWARF data; never NULL. */
struct source_place {
	const char *
		function; /* linkage name if there is one, so that it is demangled with its scope */
	const char *file;
	uint64_t start; /* of the function or of the inlined code */
	uint32_t line;
};

/* DWARF is borrowed and may be NULL: then nothing is found. */
struct source *source_new(Dwarf *dwarf);
void source_free(struct source *source); /* NULL is fine */

/* Finds the functions at ADDRESS: the innermost inlined one first, the real one last. Returns how
 * many, 0 if nothing is known. */
unsigned int source_find(struct source *source, uint64_t address,
			 struct source_place ret[SOURCE_DEPTH_MAX]);

/* The compile unit at ADDRESS, in MEMORY; NULL if there is none. */
Dwarf_Die *source_find_unit(Dwarf *dwarf, Dwarf_Addr address, Dwarf_Die *memory);

/* The DIEs around ADDRESS, innermost first, as they lie inside each other in the code. Returns how
 * many; the caller frees *RET. */
int source_find_scopes(Dwarf_Die *unit, Dwarf_Addr address, Dwarf_Die **ret);

#endif
