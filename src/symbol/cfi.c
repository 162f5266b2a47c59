/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/cfi.h"

#include <dwarf.h>
#include <errno.h>
#include <string.h>

/* A row under construction: rules and operations have room for the most that a row may hold. */
struct draft {
	struct unwind_row row;
	struct unwind_rule rules[UNWIND_RULES_MAX];
	struct unwind_op ops[UNWIND_OPS_MAX];
};

/* Translates one operation: register and constant operations each get one form. False: not
 * understood. */
static bool translate(const Dwarf_Op *from, struct unwind_op *to)
{
	unsigned int atom = from->atom;

	*to = (struct unwind_op){.atom = (uint8_t)atom, .number = (int64_t)from->number};
	if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31) {
		to->atom = DW_OP_bregx;
		to->reg = (uint8_t)(atom - DW_OP_breg0);
	} else if (atom == DW_OP_bregx) {
		to->reg = (uint8_t)from->number;
		to->number = (int64_t)from->number2;
		return from->number < UNWIND_REGS;
	} else if (atom >= DW_OP_const1u && atom <= DW_OP_consts) {
		to->atom = DW_OP_const8u;
	}
	return true;
}

static int add_ops(struct draft *draft, const Dwarf_Op *ops, size_t count, uint8_t *ret_first,
		   uint8_t *ret_count)
{
	if (count > (size_t)UNWIND_OPS_MAX - draft->row.op_count)
		return -EBADMSG;
	*ret_first = draft->row.op_count;
	*ret_count = (uint8_t)count;
	for (size_t i = 0; i < count; i++) {
		if (!translate(&ops[i], &draft->ops[draft->row.op_count++]))
			return -EBADMSG;
	}
	return 0;
}

/* "Register plus offset" is by far the most frequent CFA. */
static int add_cfa(struct draft *draft, const Dwarf_Op *ops, size_t count)
{
	struct unwind_op op;
	uint8_t first;

	if (count == 0)
		return -EBADMSG;
	if (count == 1 && translate(&ops[0], &op) && op.atom == DW_OP_bregx &&
	    op.number == (int32_t)op.number) {
		draft->row.cfa_reg = op.reg;
		draft->row.cfa_offset = (int32_t)op.number;
		return 0;
	}
	draft->row.flags |= UNWIND_ROW_CFA_EXPRESSION;
	return add_ops(draft, ops, count, &first, &draft->row.cfa_op_count);
}

/* True if the operations are "CFA" or "CFA + constant". */
static bool is_cfa_offset(const Dwarf_Op *ops, size_t count, int32_t *ret_offset)
{
	int64_t offset = count == 2 ? (int64_t)ops[1].number : 0;

	if (count < 1 || count > 2 || ops[0].atom != DW_OP_call_frame_cfa)
		return false;
	if (count == 2 && ops[1].atom != DW_OP_plus_uconst)
		return false;
	*ret_offset = (int32_t)offset;
	return offset == (int32_t)offset;
}

static bool is_register(const Dwarf_Op *ops, size_t count, int32_t *ret_reg)
{
	if (count != 1)
		return false;
	if (ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31)
		*ret_reg = ops[0].atom - DW_OP_reg0;
	else if (ops[0].atom == DW_OP_regx && ops[0].number < UNWIND_REGS)
		*ret_reg = (int32_t)ops[0].number;
	else
		return false;
	return true;
}

static int add_rule(struct draft *draft, Dwarf_Frame *frame, unsigned int reg, unsigned int column)
{
	struct unwind_rule *rule = &draft->rules[draft->row.rule_count];
	Dwarf_Op memory[3], *ops;
	size_t count;
	bool is_value;

	if (dwarf_frame_register(frame, (int)column, memory, &ops, &count))
		return -EBADMSG;
	if (count == 0 && !ops) /* the same value as in the caller */
		return 0;
	if (count == 0) {
		draft->row.lost |= UINT64_C(1) << reg;
		return 0;
	}
	*rule = (struct unwind_rule){.reg = (uint8_t)reg};
	draft->row.rule_count++;
	if (is_register(ops, count, &rule->offset)) {
		rule->kind = UNWIND_RULE_IN_REGISTER;
		return 0;
	}
	is_value = ops[count - 1].atom == DW_OP_stack_value;
	count -= is_value;
	if (is_cfa_offset(ops, count, &rule->offset)) {
		rule->kind = is_value ? UNWIND_RULE_IS_CFA : UNWIND_RULE_AT_CFA;
		return 0;
	}
	rule->kind = is_value ? UNWIND_RULE_IS_EXPRESSION : UNWIND_RULE_AT_EXPRESSION;
	return add_ops(draft, ops, count, &rule->op_first, &rule->op_count);
}

static int fill(struct draft *draft, Dwarf_Frame *frame)
{
	const struct unwind_machine *machine = &unwind_native;
	Dwarf_Addr start, end;
	bool is_signal;
	Dwarf_Op *ops;
	size_t count;
	int column = dwarf_frame_info(frame, &start, &end, &is_signal);
	int err;

	if (column < 0 || end <= start || dwarf_frame_cfa(frame, &ops, &count))
		return -EBADMSG;
	draft->row.start = start;
	draft->row.end = end;
	draft->row.flags = is_signal ? UNWIND_ROW_SIGNAL : 0;
	err = add_cfa(draft, ops, count);
	for (unsigned int reg = 0; reg < machine->regs && !err; reg++) {
		/* The stack pointer has a rule of its own only in signal frames; else it is the
		 * CFA. */
		if (reg == machine->program_counter)
			continue;
		if (reg == machine->stack_pointer && !is_signal)
			continue;
		err = add_rule(draft, frame, reg, reg);
	}
	if (!err)
		err = add_rule(draft, frame, machine->program_counter, (unsigned int)column);
	return err;
}

/*
 * The end of the row at ADDRESS; 0 if there is none. The start that libdw gives is not to be relied
 * on: behind DW_CFA_restore_state (after each early return) it is that of the remembered row.
 */
static uint64_t row_end(Dwarf_CFI *cfi, uint64_t address)
{
	Dwarf_Addr start, end = 0;
	Dwarf_Frame *frame;

	if (dwarf_cfi_addrframe(cfi, address, &frame))
		return 0;
	if (dwarf_frame_info(frame, &start, &end, NULL) < 0)
		end = 0;
	free(frame);
	return end;
}

int cfi_row(Dwarf_CFI *cfi, uint64_t address, struct buffer *out)
{
	struct draft draft = {.row = {.start = 0}};
	Dwarf_Frame *frame;
	int err;

	if (dwarf_cfi_addrframe(cfi, address, &frame))
		return -ENODATA;
	err = fill(&draft, frame);
	free(frame);
	if (err)
		return err;
	if (address < draft.row.start || address >= draft.row.end)
		return -EBADMSG;
	if (row_end(cfi, draft.row.start) != draft.row.end)
		draft.row.start = address;
	buffer_add(out, &draft.row, sizeof(draft.row));
	buffer_add(out, draft.rules, draft.row.rule_count * sizeof(draft.rules[0]));
	buffer_add(out, draft.ops, draft.row.op_count * sizeof(draft.ops[0]));
	return 0;
}
