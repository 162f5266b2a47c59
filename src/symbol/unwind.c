/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/unwind.h"

#include <dwarf.h>
#include <elf.h>
#include <string.h>

/* An address this far above the copy is no stack but garbage. */
#define STACK_REACH_BYTES (UINT64_C(1) << 30)

#define EXPRESSION_DEPTH 32

#if defined(__x86_64__)
const struct unwind_machine unwind_native = {
	.elf_machine = EM_X86_64,
	.stack_pointer = 7,
	.frame_pointer = 6,
	.program_counter = 16,
	.regs = 17,
	.entry_cfa_offset = 8,
};
#else
#error "unwind.c: this machine's DWARF register numbers are not described yet"
#endif

static const struct unwind_op *row_ops(const struct unwind_row *row)
{
	return (const struct unwind_op *)(unwind_row_rules(row) + row->rule_count);
}

size_t unwind_row_size(const struct unwind_row *row)
{
	return sizeof(*row) + row->rule_count * sizeof(struct unwind_rule) +
	       row->op_count * sizeof(struct unwind_op);
}

static bool rule_is_sound(const struct unwind_row *row, const struct unwind_rule *rule)
{
	if (rule->reg >= UNWIND_REGS)
		return false;
	switch (rule->kind) {
	case UNWIND_RULE_AT_CFA:
	case UNWIND_RULE_IS_CFA:
		return true;
	case UNWIND_RULE_IN_REGISTER:
		return rule->offset >= 0 && rule->offset < UNWIND_REGS;
	case UNWIND_RULE_AT_EXPRESSION:
	case UNWIND_RULE_IS_EXPRESSION:
		return rule->op_first + rule->op_count <= row->op_count;
	default:
		return false;
	}
}

bool unwind_row_is_sound(const struct unwind_row *row, size_t size)
{
	if (size < sizeof(*row) || row->rule_count > UNWIND_RULES_MAX ||
	    row->op_count > UNWIND_OPS_MAX || size != unwind_row_size(row))
		return false;
	if (row->end <= row->start || row->cfa_reg >= UNWIND_REGS ||
	    row->cfa_op_count > row->op_count)
		return false;
	for (unsigned int i = 0; i < row->rule_count; i++) {
		if (!rule_is_sound(row, &unwind_row_rules(row)[i]))
			return false;
	}
	for (unsigned int i = 0; i < row->op_count; i++) {
		if (row_ops(row)[i].reg >= UNWIND_REGS)
			return false;
	}
	return true;
}

/* Reads up to 8 little-endian bytes of the copied stack. */
static enum unwind_result read_bytes(const struct unwind_state *state, uint64_t address,
				     unsigned int bytes, uint64_t *ret_value)
{
	uint64_t at = address - state->copy_start;

	if (address < state->copy_start)
		return UNWIND_LOST;
	if (at > state->copy_bytes || state->copy_bytes - at < bytes)
		return at < STACK_REACH_BYTES ? UNWIND_BEYOND : UNWIND_LOST;
	*ret_value = 0;
	memcpy(ret_value, state->copy + at, bytes);
	return UNWIND_STEPPED;
}

enum unwind_result unwind_read(const struct unwind_state *state, uint64_t address,
			       uint64_t *ret_value)
{
	return read_bytes(state, address, 8, ret_value);
}

static bool is_known(const struct unwind_state *state, unsigned int reg)
{
	return state->known >> reg & 1;
}

/* The operand stack of an expression. Depth errors are noted, not followed. */
struct operands {
	uint64_t values[EXPRESSION_DEPTH];
	unsigned int depth;
	bool bad;
};

static void push(struct operands *operands, uint64_t value)
{
	if (operands->depth == EXPRESSION_DEPTH)
		operands->bad = true;
	else
		operands->values[operands->depth++] = value;
}

static uint64_t pop(struct operands *operands)
{
	if (operands->depth == 0) {
		operands->bad = true;
		return 0;
	}
	return operands->values[--operands->depth];
}

/* Copies the operand N below the top to the top. */
static void pick(struct operands *operands, uint64_t n)
{
	if (n >= operands->depth)
		operands->bad = true;
	else
		push(operands, operands->values[operands->depth - 1 - n]);
}

static uint64_t shift(unsigned int atom, uint64_t value, uint64_t by)
{
	if (atom == DW_OP_shra)
		return (uint64_t)((int64_t)value >> (by < 64 ? by : 63));
	if (by >= 64)
		return 0;
	return atom == DW_OP_shl ? value << by : value >> by;
}

/* Operations with two operands; false for an atom that is none. */
static bool binary(unsigned int atom, uint64_t a, uint64_t b, uint64_t *ret_value)
{
	int64_t x = (int64_t)a, y = (int64_t)b;

	switch (atom) {
	case DW_OP_plus:
		*ret_value = a + b;
		return true;
	case DW_OP_minus:
		*ret_value = a - b;
		return true;
	case DW_OP_mul:
		*ret_value = a * b;
		return true;
	case DW_OP_and:
		*ret_value = a & b;
		return true;
	case DW_OP_or:
		*ret_value = a | b;
		return true;
	case DW_OP_xor:
		*ret_value = a ^ b;
		return true;
	case DW_OP_shl:
	case DW_OP_shr:
	case DW_OP_shra:
		*ret_value = shift(atom, a, b);
		return true;
	case DW_OP_eq:
		*ret_value = x == y;
		return true;
	case DW_OP_ne:
		*ret_value = x != y;
		return true;
	case DW_OP_lt:
		*ret_value = x < y;
		return true;
	case DW_OP_le:
		*ret_value = x <= y;
		return true;
	case DW_OP_gt:
		*ret_value = x > y;
		return true;
	case DW_OP_ge:
		*ret_value = x >= y;
		return true;
	default:
		return false;
	}
}

static void exchange(struct operands *operands)
{
	uint64_t top = pop(operands), below = pop(operands);

	push(operands, top);
	push(operands, below);
}

/* Operations that load a value or rearrange the operands; false for an unknown atom. */
static bool other(struct operands *operands, const struct unwind_op *op, uint64_t cfa)
{
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31) {
		push(operands, op->atom - DW_OP_lit0);
		return true;
	}
	switch (op->atom) {
	case DW_OP_const8u: /* all constants arrive as this one */
		push(operands, (uint64_t)op->number);
		return true;
	case DW_OP_call_frame_cfa:
		push(operands, cfa);
		return true;
	case DW_OP_plus_uconst:
		push(operands, pop(operands) + (uint64_t)op->number);
		return true;
	case DW_OP_neg:
		push(operands, 0 - pop(operands));
		return true;
	case DW_OP_not:
		push(operands, ~pop(operands));
		return true;
	case DW_OP_dup:
		pick(operands, 0);
		return true;
	case DW_OP_over:
		pick(operands, 1);
		return true;
	case DW_OP_pick:
		pick(operands, (uint64_t)op->number);
		return true;
	case DW_OP_drop:
		pop(operands);
		return true;
	case DW_OP_swap:
		exchange(operands);
		return true;
	case DW_OP_nop:
		return true;
	default:
		return false;
	}
}

static enum unwind_result evaluate(const struct unwind_state *state, const struct unwind_op *ops,
				   unsigned int count, uint64_t cfa, uint64_t *ret_value)
{
	struct operands operands = {.depth = 0};

	for (unsigned int i = 0; i < count && !operands.bad; i++) {
		const struct unwind_op *op = &ops[i];
		enum unwind_result result;
		uint64_t value, b;

		if (op->atom == DW_OP_bregx) { /* all register operations arrive as this one */
			if (!is_known(state, op->reg))
				return UNWIND_LOST;
			push(&operands, state->regs[op->reg] + (uint64_t)op->number);
		} else if (op->atom == DW_OP_deref) {
			result = unwind_read(state, pop(&operands), &value);
			if (result != UNWIND_STEPPED)
				return result;
			push(&operands, value);
		} else if (operands.depth >= 2 &&
			   binary(op->atom, operands.values[operands.depth - 2],
				  operands.values[operands.depth - 1], &b)) {
			operands.depth -= 2;
			push(&operands, b);
		} else if (!other(&operands, op, cfa)) {
			return UNWIND_LOST;
		}
	}
	*ret_value = pop(&operands);
	return operands.bad ? UNWIND_LOST : UNWIND_STEPPED;
}

/* The value that was saved at an address for one register. What lies below the stack pointer has
 * been popped: in epilogues compilers leave the rule as it was, but the register has its value
 * back. A return address down there has been used up. */
static enum unwind_result saved_value(const struct unwind_state *state, unsigned int reg,
				      uint64_t address, uint64_t *ret_value)
{
	if (address >= state->regs[unwind_native.stack_pointer])
		return unwind_read(state, address, ret_value);
	if (reg == unwind_native.program_counter || !is_known(state, reg))
		return UNWIND_LOST;
	*ret_value = state->regs[reg];
	return UNWIND_STEPPED;
}

/* The caller's value of the register of one rule. */
static enum unwind_result apply(const struct unwind_state *state, const struct unwind_row *row,
				const struct unwind_rule *rule, uint64_t cfa, uint64_t *ret_value)
{
	const struct unwind_op *ops = row_ops(row) + rule->op_first;
	enum unwind_result result;
	uint64_t address;

	switch (rule->kind) {
	case UNWIND_RULE_AT_CFA:
		address = cfa + (uint64_t)(int64_t)rule->offset;
		return saved_value(state, rule->reg, address, ret_value);
	case UNWIND_RULE_IS_CFA:
		*ret_value = cfa + (uint64_t)(int64_t)rule->offset;
		return UNWIND_STEPPED;
	case UNWIND_RULE_IN_REGISTER:
		*ret_value = state->regs[rule->offset];
		return is_known(state, (unsigned int)rule->offset) ? UNWIND_STEPPED : UNWIND_LOST;
	case UNWIND_RULE_AT_EXPRESSION:
		result = evaluate(state, ops, rule->op_count, cfa, &address);
		return result != UNWIND_STEPPED ? result : unwind_read(state, address, ret_value);
	case UNWIND_RULE_IS_EXPRESSION:
		return evaluate(state, ops, rule->op_count, cfa, ret_value);
	default:
		return UNWIND_LOST;
	}
}

static enum unwind_result find_cfa(const struct unwind_state *state, const struct unwind_row *row,
				   uint64_t *ret_cfa)
{
	if (row->flags & UNWIND_ROW_CFA_EXPRESSION)
		return evaluate(state, row_ops(row), row->cfa_op_count, 0, ret_cfa);
	if (!is_known(state, row->cfa_reg))
		return UNWIND_LOST;
	*ret_cfa = state->regs[row->cfa_reg] + (uint64_t)(int64_t)row->cfa_offset;
	return UNWIND_STEPPED;
}

enum unwind_result unwind_step(struct unwind_state *state, const struct unwind_row *row)
{
	const unsigned int pc = unwind_native.program_counter, sp = unwind_native.stack_pointer;
	struct unwind_state next = *state;
	enum unwind_result result;
	uint64_t cfa, value;
	bool returns = false; /* there is a rule for the return address */

	if (row->lost >> pc & 1)
		return UNWIND_END; /* how the first function of a stack says that it is the first */
	result = find_cfa(state, row, &cfa);
	/* Stacks grow down: a caller's frame below ours would send us round in circles. */
	if (result == UNWIND_STEPPED && !(row->flags & UNWIND_ROW_SIGNAL) && cfa < state->regs[sp])
		result = UNWIND_LOST;
	if (result != UNWIND_STEPPED)
		return result;
	next.regs[sp] = cfa;
	next.known = (state->known & ~row->lost) | UINT64_C(1) << sp;
	for (unsigned int i = 0; i < row->rule_count; i++) {
		const struct unwind_rule *rule = &unwind_row_rules(row)[i];
		uint64_t bit = UINT64_C(1) << rule->reg;

		result = apply(state, row, rule, cfa, &value);
		if (rule->reg == pc && result != UNWIND_STEPPED)
			return result;
		/* A lost register matters only if a later rule needs it. */
		next.known = result == UNWIND_STEPPED ? next.known | bit : next.known & ~bit;
		if (result == UNWIND_STEPPED)
			next.regs[rule->reg] = value;
		returns |= rule->reg == pc;
	}
	if (!returns)
		return UNWIND_LOST;
	if (next.regs[pc] == 0)
		return UNWIND_END;
	*state = next;
	return UNWIND_STEPPED;
}

enum unwind_result unwind_step_pointer(struct unwind_state *state)
{
	const unsigned int pc = unwind_native.program_counter, sp = unwind_native.stack_pointer;
	const unsigned int fp = unwind_native.frame_pointer;
	uint64_t at = state->regs[fp], caller_fp, caller_pc;
	enum unwind_result result;

	if (!is_known(state, fp) || at % 8 || at < state->regs[sp])
		return UNWIND_LOST;
	result = unwind_read(state, at, &caller_fp);
	if (result == UNWIND_STEPPED)
		result = unwind_read(state, at + 8, &caller_pc);
	if (result != UNWIND_STEPPED)
		return result;
	if (caller_pc == 0)
		return UNWIND_END;
	state->regs[fp] = caller_fp;
	state->regs[pc] = caller_pc;
	state->regs[sp] = at + 16;
	return UNWIND_STEPPED;
}

enum unwind_result unwind_step_top(struct unwind_state *state)
{
	const unsigned int pc = unwind_native.program_counter, sp = unwind_native.stack_pointer;
	enum unwind_result result;
	uint64_t caller_pc;

	result = unwind_read(state, state->regs[sp], &caller_pc);
	if (result != UNWIND_STEPPED)
		return result;
	if (caller_pc == 0)
		return UNWIND_END;
	state->regs[pc] = caller_pc;
	state->regs[sp] += 8;
	return UNWIND_STEPPED;
}
