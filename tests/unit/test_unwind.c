/* SPDX-License-Identifier: BSD-2-Clause */
/* One step of unwinding, by rows made here. */
#include <dwarf.h>
#include <string.h>

#include "unit/unit.h"

#include "base/memory.h"
#include "symbol/unwind.h"

#define STACK_START 0x7000000000ULL

enum {
	RBX = 3,
	RBP = 6,
	RSP = 7,
	R12 = 12,
	RIP = 16
};

struct test_row {
	struct unwind_row row;
	union {
		struct unwind_rule rules[4];
		struct unwind_op ops[8];
		uint8_t bytes[256];
	};
};

/* A row whose rules and operations are packed as a reader packs them. */
static const struct unwind_row *make(struct test_row *memory, struct unwind_row row,
				     const struct unwind_rule *rules, const struct unwind_op *ops)
{
	row.start = 0x1000;
	row.end = 0x1010;
	memset(memory, 0, sizeof(*memory));
	memory->row = row;
	memcpy(memory->bytes, rules, row.rule_count * sizeof(*rules));
	if (ops)
		memcpy(memory->bytes + row.rule_count * sizeof(*rules), ops,
		       row.op_count * sizeof(*ops));
	assert_true(unwind_row_is_sound(&memory->row, unwind_row_size(&memory->row)));
	return &memory->row;
}

static struct unwind_state state_of(const uint64_t *stack, size_t words)
{
	struct unwind_state state = {
		.known = (1 << 17) - 1,
		.copy = (const uint8_t *)stack,
		.copy_start = STACK_START,
		.copy_bytes = words * sizeof(*stack),
	};

	for (unsigned int i = 0; i < 17; i++)
		state.regs[i] = 0x100 + i;
	state.regs[RSP] = STACK_START;
	return state;
}

static void an_ordinary_frame(void **unused)
{
	static const uint64_t stack[] = {0, 111, 222, 0x4444, 0};
	static const struct unwind_rule rules[] = {
		{.reg = RBX, .kind = UNWIND_RULE_AT_CFA, .offset = -24},
		{.reg = RBP, .kind = UNWIND_RULE_AT_CFA, .offset = -16},
		{.reg = RIP, .kind = UNWIND_RULE_AT_CFA, .offset = -8},
	};
	struct unwind_state state = state_of(stack, 5);
	struct test_row memory;

	(void)unused;
	assert_int_equal(unwind_step(&state, make(&memory,
						  (struct unwind_row){.lost = 1,
								      .cfa_reg = RSP,
								      .cfa_offset = 32,
								      .rule_count = 3},
						  rules, NULL)),
			 UNWIND_STEPPED);
	assert_int_equal(state.regs[RIP], 0x4444);
	assert_int_equal(state.regs[RSP], STACK_START + 32);
	assert_int_equal(state.regs[RBX], 111);
	assert_int_equal(state.regs[RBP], 222);
	assert_int_equal(state.regs[R12], 0x100 + R12); /* no rule: kept */
	assert_false(state.known & 1);                  /* rax is lost */
}

/* Behind the pops of an epilogue the rules stay as they were; the registers have their values back.
 */
static void an_epilogue(void **unused)
{
	static const uint64_t stack[] = {0x4444};
	static const struct unwind_rule rules[] = {
		{.reg = RBX, .kind = UNWIND_RULE_AT_CFA, .offset = -24},
		{.reg = RIP, .kind = UNWIND_RULE_AT_CFA, .offset = -8},
	};
	struct unwind_state state = state_of(stack, 1);
	struct test_row memory;

	(void)unused;
	assert_int_equal(
		unwind_step(&state, make(&memory,
					 (struct unwind_row){
						 .cfa_reg = RSP, .cfa_offset = 8, .rule_count = 2},
					 rules, NULL)),
		UNWIND_STEPPED);
	assert_int_equal(state.regs[RIP], 0x4444);
	assert_int_equal(state.regs[RBX], 0x100 + RBX);
	assert_true(state.known >> RBX & 1);
}

/* vfork keeps its return address in a register while the system call runs: nothing of it is on the
 * stack. */
static void a_return_address_in_a_register(void **unused)
{
	static const uint64_t stack[] = {0};
	static const struct unwind_rule rule = {
		.reg = RIP, .kind = UNWIND_RULE_IN_REGISTER, .offset = 5};
	const struct unwind_row row = {.cfa_reg = RSP, .rule_count = 1};
	struct unwind_state state = state_of(stack, 1);
	struct test_row memory;

	(void)unused;
	assert_int_equal(unwind_step(&state, make(&memory, row, &rule, NULL)), UNWIND_STEPPED);
	assert_int_equal(state.regs[RIP], 0x105);
	assert_int_equal(state.regs[RSP], STACK_START);
}

/* The end of the stack, memory that is not there, and rows that lead nowhere. */
static void how_stacks_end(void **unused)
{
	static const uint64_t stack[] = {0, 0};
	const uint64_t first = UINT64_C(1) << RIP; /* the return address is lost */
	const struct {
		struct unwind_rule rule;
		int32_t cfa_offset;
		uint8_t cfa_reg;
		uint64_t lost;
		enum unwind_result expected;
	} cases[] = {
		{{RBX, UNWIND_RULE_IS_CFA, 0, 0, 0}, 8, RSP, first, UNWIND_END},
		{{RIP, UNWIND_RULE_AT_CFA, 0, 0, -8}, 8, RSP, 0, UNWIND_END}, /* it is 0 */
		{{RIP, UNWIND_RULE_AT_CFA, 0, 0, -8}, 24, RSP, 0, UNWIND_BEYOND},
		{{RIP, UNWIND_RULE_AT_CFA, 0, 0, -4}, 16, RSP, 0, UNWIND_BEYOND},
		{{RIP, UNWIND_RULE_AT_CFA, 0, 0, -8}, 0, RSP, 0, UNWIND_LOST},
		{{RIP, UNWIND_RULE_AT_CFA, 0, 0, -8}, -8, RSP, 0, UNWIND_LOST},
		{{RIP, UNWIND_RULE_AT_CFA, 0, 0, -8}, 8, 20, 0, UNWIND_LOST}, /* unknown */
		{{RBX, UNWIND_RULE_IS_CFA, 0, 0, 0}, 8, RSP, 0, UNWIND_LOST},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct unwind_state state = state_of(stack, 2), before = state;
		struct test_row memory;

		assert_int_equal(unwind_step(&state, make(&memory,
							  (struct unwind_row){
								  .cfa_reg = cases[i].cfa_reg,
								  .cfa_offset = cases[i].cfa_offset,
								  .lost = cases[i].lost,
								  .rule_count = 1},
							  &cases[i].rule, NULL)),
				 cases[i].expected);
		assert_memory_equal(&state, &before, sizeof(state));
	}
}

/* What a linker writes for the PLT: CFA = rsp + 8 + ((rip & 15) >= 11) * 8. */
static void the_plt(void **unused)
{
	static const struct unwind_op ops[] = {
		{.atom = DW_OP_bregx, .reg = RSP, .number = 8},
		{.atom = DW_OP_bregx, .reg = RIP},
		{.atom = DW_OP_lit15},
		{.atom = DW_OP_and},
		{.atom = DW_OP_lit11},
		{.atom = DW_OP_ge},
		{.atom = DW_OP_lit3},
		{.atom = DW_OP_shl},
		{.atom = DW_OP_plus},
	};
	static const uint64_t stack[] = {0x1111, 0x2222};
	static const struct unwind_rule rule = {
		.reg = RIP, .kind = UNWIND_RULE_AT_CFA, .offset = -8};
	const struct unwind_row row = {
		.flags = UNWIND_ROW_CFA_EXPRESSION,
		.cfa_op_count = ARRAY_SIZE(ops),
		.op_count = ARRAY_SIZE(ops),
		.rule_count = 1,
	};
	struct unwind_state state = state_of(stack, 2);
	struct test_row memory;

	(void)unused;
	state.regs[RIP] = 0x5006;
	assert_int_equal(unwind_step(&state, make(&memory, row, &rule, ops)), UNWIND_STEPPED);
	assert_int_equal(state.regs[RIP], 0x1111);
	state = state_of(stack, 2);
	state.regs[RIP] = 0x500b;
	assert_int_equal(unwind_step(&state, make(&memory, row, &rule, ops)), UNWIND_STEPPED);
	assert_int_equal(state.regs[RIP], 0x2222);
}

/* Registers at places that expressions compute, as in signal frames; the stack may go anywhere. */
static void a_signal_frame(void **unused)
{
	static const struct unwind_op ops[] = {
		{.atom = DW_OP_bregx, .reg = RSP, .number = 16},
		{.atom = DW_OP_deref},
		{.atom = DW_OP_bregx, .reg = RSP, .number = 8},
	};
	static const struct unwind_rule rules[] = {
		{.reg = RSP, .kind = UNWIND_RULE_IS_EXPRESSION, .op_first = 0, .op_count = 2},
		{.reg = RIP, .kind = UNWIND_RULE_AT_EXPRESSION, .op_first = 2, .op_count = 1},
	};
	static const uint64_t stack[] = {0, 0x9999, 0x1234};
	const struct unwind_row row = {
		.flags = UNWIND_ROW_SIGNAL | UNWIND_ROW_CFA_EXPRESSION,
		.cfa_op_count = 2,
		.op_count = 3,
		.rule_count = 2,
	};
	struct unwind_state state = state_of(stack, 3);
	struct test_row memory;

	(void)unused;
	assert_int_equal(unwind_step(&state, make(&memory, row, rules, ops)), UNWIND_STEPPED);
	assert_int_equal(state.regs[RIP], 0x9999);
	assert_int_equal(state.regs[RSP], 0x1234);
}

/* Expressions that pop what is not there, push too much, or are not known: lost, not crashed. */
static void bad_expressions(void **unused)
{
	static const uint64_t stack[] = {0x1111};
	static const struct unwind_rule rule = {
		.reg = RIP, .kind = UNWIND_RULE_AT_CFA, .offset = -8};
	struct unwind_op ops[UNWIND_OPS_MAX];
	union {
		struct unwind_row row;
		uint8_t bytes[2048];
	} memory;

	(void)unused;
	for (unsigned int atom = 0; atom < 256; atom++) {
		for (unsigned int count = 1; count <= UNWIND_OPS_MAX; count += 21) {
			struct unwind_state state = state_of(stack, 1);

			for (unsigned int i = 0; i < count; i++)
				ops[i] = (struct unwind_op){.atom = (uint8_t)atom,
							    .number = 1 << 20};
			memory.row = (struct unwind_row){
				.start = 1,
				.end = 2,
				.flags = UNWIND_ROW_CFA_EXPRESSION,
				.cfa_op_count = (uint8_t)count,
				.op_count = (uint8_t)count,
				.rule_count = 1,
			};
			memcpy(memory.bytes + sizeof(memory.row), &rule, sizeof(rule));
			memcpy(memory.bytes + sizeof(memory.row) + sizeof(rule), ops,
			       count * sizeof(ops[0]));
			assert_true(unwind_row_is_sound(&memory.row, unwind_row_size(&memory.row)));
			assert_int_not_equal(unwind_step(&state, &memory.row), UNWIND_STEPPED);
		}
	}
}

static void rows_that_are_not_sound(void **unused)
{
	static const struct unwind_row good = {
		.start = 1, .end = 2, .rule_count = 1, .op_count = 1};
	static const struct unwind_row bad[] = {
		{.start = 2, .end = 2, .rule_count = 1, .op_count = 1},
		{.start = 1, .end = 2, .rule_count = 1, .op_count = 1, .cfa_reg = UNWIND_REGS},
		{.start = 1, .end = 2, .rule_count = 1, .op_count = 1, .cfa_op_count = 2},
	};
	static const struct unwind_rule bad_rules[] = {
		{.reg = UNWIND_REGS, .kind = UNWIND_RULE_AT_CFA},
		{.reg = 0, .kind = 0},
		{.reg = 0, .kind = 200},
		{.reg = 0, .kind = UNWIND_RULE_IN_REGISTER, .offset = UNWIND_REGS},
		{.reg = 0, .kind = UNWIND_RULE_IN_REGISTER, .offset = -1},
		{.reg = 0, .kind = UNWIND_RULE_IS_EXPRESSION, .op_first = 1, .op_count = 1},
	};
	struct test_row memory = {.row = good};
	const size_t size = unwind_row_size(&good);

	(void)unused;
	memory.rules[0] = (struct unwind_rule){.kind = UNWIND_RULE_AT_CFA};
	assert_true(unwind_row_is_sound(&memory.row, size));
	assert_false(unwind_row_is_sound(&memory.row, size - 1));
	assert_false(unwind_row_is_sound(&memory.row, size + 1));
	assert_false(unwind_row_is_sound(&memory.row, sizeof(memory.row) - 1));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		memory.row = bad[i];
		assert_false(unwind_row_is_sound(&memory.row, size));
	}
	memory.row = good;
	for (size_t i = 0; i < ARRAY_SIZE(bad_rules); i++) {
		memory.rules[0] = bad_rules[i];
		assert_false(unwind_row_is_sound(&memory.row, size));
	}
}

static void by_pointer_and_by_the_top(void **unused)
{
	static const uint64_t stack[] = {0x1111, STACK_START + 24, 0x2222, 0, 0};
	struct unwind_state state = state_of(stack, 5);

	(void)unused;
	assert_int_equal(unwind_step_pointer(&state), UNWIND_LOST); /* rbp points nowhere */
	state.regs[RBP] = STACK_START + 8;
	assert_int_equal(unwind_step_pointer(&state), UNWIND_STEPPED);
	assert_int_equal(state.regs[RIP], 0x2222);
	assert_int_equal(state.regs[RSP], STACK_START + 24);
	assert_int_equal(state.regs[RBP], STACK_START + 24);
	assert_int_equal(unwind_step_pointer(&state), UNWIND_END);
	state = state_of(stack, 5);
	assert_int_equal(unwind_step_top(&state), UNWIND_STEPPED);
	assert_int_equal(state.regs[RIP], 0x1111);
	assert_int_equal(state.regs[RSP], STACK_START + 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_frame),
		cmocka_unit_test(an_epilogue),
		cmocka_unit_test(a_return_address_in_a_register),
		cmocka_unit_test(how_stacks_end),
		cmocka_unit_test(the_plt),
		cmocka_unit_test(a_signal_frame),
		cmocka_unit_test(bad_expressions),
		cmocka_unit_test(rows_that_are_not_sound),
		cmocka_unit_test(by_pointer_and_by_the_top),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
