/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The code of a file: its executable sections, and where its jumps lead. Part of the reader: works
 * on hostile files.
 */
#ifndef DASHCAM_SYMBOL_CODE_H
#define DASHCAM_SYMBOL_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODE_SECTIONS_MAX 64

struct Elf;

struct code_section {
	uint64_t start;
	uint64_t end;
	const uint8_t *bytes; /* borrowed from the file */
	uint8_t *targets;     /* a bit for each byte: something jumps there, or takes its address */
	bool is_stub;         /* .plt and its like, .init, .fini: the linker's */
};

/* What lies beside the code: there may be tables of addresses in it. */
struct code_data {
	uint64_t start;
	uint64_t end;
	const uint8_t *bytes; /* borrowed from the file */
};

/* What a function takes the address of, beside the code: perhaps a table for its jumps. */
struct code_table {
	uint64_t address;
	uint64_t function; /* its start */
	bool is_wanted;    /* the function jumps by a table */
};

/* Zero-initialised is empty. */
struct code {
	struct code_section sections[CODE_SECTIONS_MAX];
	size_t count;
	struct code_data data[CODE_SECTIONS_MAX];
	size_t data_count;
	struct code_table *tables; /* what may be one, in the order of their functions; owned */
	size_t table_count;
	size_t table_capacity;
	uint64_t *switches; /* starts with jumps whose targets are not known, rising; owned */
	size_t switch_count;
	size_t switch_capacity;
};

/* Takes the sections, and notes as targets the addresses of code that lie in data or will be put
 * there when the file is loaded. The file must stay open. */
void code_load(struct Elf *elf, struct code *ret);
void code_release(struct code *code);

/* The section that holds the byte at ADDRESS; NULL if none does. */
const struct code_section *code_find(const struct code *code, uint64_t address);

/* Walks over all instructions and notes where they jump to, directly or by a table, and which
 * addresses they take. The walk begins anew at each of STARTS (rising), so that data between
 * functions leads it astray for one function at most. Starts are targets, too: a function may begin
 * inside of another. */
void code_note_targets(struct code *code, const uint64_t *starts, size_t count);

/* Is one of the bytes from FIRST to LAST, both included, a target? */
bool code_has_target(const struct code *code, uint64_t first, uint64_t last);

/* Is there a jump by a table that was not found in [start, end)? Its targets are not known. */
bool code_has_switch(const struct code *code, uint64_t start, uint64_t end);

#endif
