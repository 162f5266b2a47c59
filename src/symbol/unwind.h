/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One step of unwinding: from the registers of a function to those of its caller.
 *
 * A row says how, for a range of addresses: the canonical frame address (CFA), then for each
 * register where the caller's value is. Rows are decoded from .eh_frame by the reader (see cfi.h),
 * which handles hostile files; so a row is hostile too until unwind_row_is_sound has passed it. The
 * evaluation here reads nothing but the copied registers and the copied stack.
 */
#ifndef DASHCAM_SYMBOL_UNWIND_H
#define DASHCAM_SYMBOL_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNWIND_REGS      33 /* DWARF register numbers below this are followed */
#define UNWIND_RULES_MAX 33 /* of one row */
#define UNWIND_OPS_MAX   64 /* of one row, over all its expressions */

/* What the unwinder must know of a machine, in DWARF register numbers. */
struct unwind_machine {
	uint16_t elf_machine; /* EM_ */
	uint8_t stack_pointer;
	uint8_t frame_pointer;
	uint8_t program_counter; /* as raw stacks carry it, and the return address column of rows */
	uint8_t regs;            /* how many registers a raw stack carries */
	uint8_t entry_cfa_offset; /* from the stack pointer, where a function begins */
};

extern const struct unwind_machine unwind_native;

enum unwind_rule_kind {
	UNWIND_RULE_AT_CFA = 2,        /* in memory at CFA + offset */
	UNWIND_RULE_IS_CFA = 3,        /* it is CFA + offset */
	UNWIND_RULE_IN_REGISTER = 4,   /* in the register numbered offset */
	UNWIND_RULE_AT_EXPRESSION = 5, /* in memory at the expression's value */
	UNWIND_RULE_IS_EXPRESSION = 6, /* it is the expression's value */
};

/* Where the caller's value of one register is. One without a rule, and not lost, keeps its value.
 */
struct unwind_rule {
	uint8_t reg;
	uint8_t kind;     /* enum unwind_rule_kind */
	uint8_t op_first; /* of an expression: its operations in the row */
	uint8_t op_count;
	int32_t offset;
};

/* One DWARF operation; register operands have been moved to REG. */
struct unwind_op {
	uint8_t atom; /* DW_OP_ */
	uint8_t reg;
	uint8_t reserved[6];
	int64_t number;
};

enum unwind_row_flag {
	UNWIND_ROW_SIGNAL = 1, /* a signal frame: the caller was interrupted, it did not call */
	UNWIND_ROW_CFA_EXPRESSION = 2, /* the first cfa_op_count operations compute the CFA */
	UNWIND_ROW_NONE = 4,           /* no call frame information covers the range */
};

struct unwind_row {
	uint64_t start; /* the range of module addresses it holds for */
	uint64_t end;
	uint64_t lost; /* bit N: the caller's value of register N cannot be had */
	int32_t cfa_offset;
	uint8_t cfa_reg;
	uint8_t cfa_op_count;
	uint8_t flags; /* enum unwind_row_flag */
	uint8_t rule_count;
	uint8_t op_count;
	uint8_t reserved[7];
}; /* behind it rule_count rules, then op_count operations */

static inline const struct unwind_rule *unwind_row_rules(const struct unwind_row *row)
{
	return (const struct unwind_rule *)(row + 1);
}

size_t unwind_row_size(const struct unwind_row *row);

/* Checks that the SIZE bytes at ROW are one whole row whose indexes stay inside. */
bool unwind_row_is_sound(const struct unwind_row *row, size_t size);

/* The state of one function: its registers, and the copied stack that all functions share. */
struct unwind_state {
	uint64_t regs[UNWIND_REGS];
	uint64_t known; /* bit N: regs[N] has a value */
	const uint8_t *copy;
	uint64_t copy_start; /* address of copy[0] */
	uint64_t copy_bytes;
};

enum unwind_result {
	UNWIND_STEPPED, /* the state is now the caller's */
	UNWIND_END,     /* there is no caller: the stack ends here */
	UNWIND_BEYOND,  /* memory above the copy was needed */
	UNWIND_LOST,    /* a value is lost or makes no sense */
};

/* Reads 8 bytes of stack. Gives UNWIND_STEPPED, UNWIND_BEYOND or UNWIND_LOST. */
enum unwind_result unwind_read(const struct unwind_state *state, uint64_t address,
			       uint64_t *ret_value);

/* Moves the state to the caller by a sound row. The state is unchanged unless UNWIND_STEPPED. */
enum unwind_result unwind_step(struct unwind_state *state, const struct unwind_row *row);

/* Moves the state to the caller by the frame pointer: the caller's pair (frame pointer, return
 * address) lies where it points. */
enum unwind_result unwind_step_pointer(struct unwind_state *state);

/* Moves the state to the caller of a function without a frame: the return address is on top. */
enum unwind_result unwind_step_top(struct unwind_state *state);

#endif
