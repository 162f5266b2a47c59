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

/* Zero-initialised is empty. */
struct code {
	struct code_section sections[CODE_SECTIONS_MAX];
	size_t count;
	uint64_t *switches; /* addresses of jumps whose targets are not known, rising; owned */
	size_t switch_count;
	size_t switch_capacity;
};

/* Takes the sections. The file must stay open. */
void code_load(struct Elf *elf, struct code *ret);
void code_release(struct code *code);

/* The section that holds the byte at ADDRESS; NULL if none does. */
const struct code_section *code_find(const struct code *code, uint64_t address);

/* Walks over all instructions and notes where they jump to, calls excepted that go to a start. The
 * walk begins anew at each of STARTS (rising), so that data between functions leads it astray for
 * one function at most. Starts are targets, too: a function may begin inside of another. */
void code_note_targets(struct code *code, const uint64_t *starts, size_t count);

/* Is one of the bytes from FIRST to LAST, both included, a target? */
bool code_has_target(const struct code *code, uint64_t first, uint64_t last);

/* Is there a jump to unknown targets in [start, end)? */
bool code_has_switch(const struct code *code, uint64_t start, uint64_t end);

#endif
