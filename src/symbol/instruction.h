/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions of x86-64, as far as it takes to walk over code quickly: how long each is, where it
 * jumps to, and what the kernel does with a uprobe on it. What they do to registers is capstone's
 * (place.c). Reads hostile bytes; knows nothing of files.
 */
#ifndef DASHCAM_SYMBOL_INSTRUCTION_H
#define DASHCAM_SYMBOL_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSTRUCTION_BYTES_MAX 15

enum instruction_kind {
	INSTRUCTION_PLAIN,         /* the next one comes next */
	INSTRUCTION_NOP,           /* the same, and it changes nothing; endbr64 is none */
	INSTRUCTION_JUMP,          /* to the target */
	INSTRUCTION_BRANCH,        /* to the target or the next one */
	INSTRUCTION_CALL,          /* of the target */
	INSTRUCTION_INDIRECT_JUMP, /* through a register or memory */
	INSTRUCTION_INDIRECT_CALL,
	INSTRUCTION_RETURN,
	INSTRUCTION_SYSCALL,
	INSTRUCTION_TRAP, /* does not go on: ud2, hlt, int3 */
};

/* What the kernel does when it meets a uprobe there. */
enum instruction_uprobe {
	UPROBE_REFUSED,       /* takes no probe (one would be accepted and never fire), or misreads
				 the instruction: the program would go wrong */
	UPROBE_STEPPED,       /* runs it out of line, with a trap behind it */
	UPROBE_EMULATED,      /* does its work itself */
	UPROBE_EMULATED_LATE, /* a nop of more than two bytes: so from 6.16 on, else stepped */
};

/* What it may be of a jump by a table of distances (switch). */
enum instruction_table {
	TABLE_NONE,
	TABLE_LOAD, /* reads a distance: 32 bits, extended, from memory with an index */
	TABLE_JUMP, /* jumps to where a register says */
};

struct instruction {
	uint8_t length;
	uint8_t kind;    /* enum instruction_kind */
	uint8_t uprobe;  /* enum instruction_uprobe */
	bool has_target; /* of a jump, branch, call, or the address of a rip-relative lea */
	bool is_endbr;
	uint8_t table;  /* enum instruction_table */
	int64_t target; /* bytes from the instruction's own address */
};

/* Decodes the instruction at BYTES, of which SIZE may be read. False: it is none, or is cut. */
bool instruction_decode(const uint8_t *bytes, size_t size, struct instruction *ret);

#endif
