/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the probe of a function goes: each rule with code that keeps and code that breaks it. */
#include "unit/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "symbol/code.h"
#include "symbol/instruction.h"
#include "symbol/place.h"
#include "symbol/resolver.h"

#define START    0x1000
#define CODE_MAX 256

#define CHEAP  RESOLVER_PLACE_CHEAP
#define COSTLY RESOLVER_PLACE_COSTLY
#define NONE   RESOLVER_PLACE_NONE
#define WHY(x) RESOLVER_WHY_##x

/* Code as hexadecimal digits; behind a '|' the next function begins. */
static size_t assemble(const char *hex, uint8_t *bytes, uint64_t *starts, size_t *start_count)
{
	size_t size = 0;
	unsigned int byte;

	starts[0] = START;
	*start_count = 1;
	for (; *hex; hex++) {
		if (*hex == '|')
			starts[(*start_count)++] = START + size;
		if (*hex == '|' || *hex == ' ')
			continue;
		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		assert_true(size < CODE_MAX);
		bytes[size++] = (uint8_t)byte;
		hex++;
	}
	return size;
}

/* Finds the place of the first function. */
static struct place_found find(const char *hex, bool has_long_nops)
{
	uint8_t bytes[CODE_MAX];
	uint64_t starts[8];
	size_t start_count, size = assemble(hex, bytes, starts, &start_count);
	struct code code = {
		.sections = {{.start = START,
			      .end = START + size,
			      .bytes = bytes,
			      .targets = xcalloc(CODE_MAX, 1)}},
		.count = 1,
	};
	struct place_finder *finder;
	struct place_found found;

	code_note_targets(&code, starts, start_count);
	finder = place_finder_new(&code, has_long_nops);
	place_find(finder, START, start_count > 1 ? starts[1] : START + size, &found);
	place_finder_free(finder);
	code_release(&code);
	return found;
}

struct place_case {
	const char *says;
	const char *code;
	uint16_t behind;
	uint8_t place;
	uint8_t why;
};

static bool is_as_said(const struct place_case *wanted, bool has_long_nops)
{
	struct place_found found = find(wanted->code, has_long_nops);

	if (found.place == wanted->place && found.why == wanted->why &&
	    (found.place == NONE || found.probe_bytes == wanted->behind))
		return true;
	print_error("%s: place %u, %u bytes behind, why %u\n", wanted->says, found.place,
		    found.probe_bytes, found.why);
	return false;
}

static void check(const struct place_case *cases, size_t count, bool has_long_nops)
{
	bool is_good = true;

	for (size_t i = 0; i < count; i++)
		is_good &= is_as_said(&cases[i], has_long_nops);
	assert_true(is_good);
}

#define CHECK(cases) check(cases, ARRAY_SIZE(cases), true)

static void test_emulated(void **state)
{
	static const struct place_case cases[] = {
		{"push rbp", "55 c3", 0, CHEAP, WHY(OK)},
		{"push r12", "41 54 c3", 0, CHEAP, WHY(OK)},
		{"nop", "90 c3", 0, CHEAP, WHY(OK)},
		{"data16 nop", "66 90 c3", 0, CHEAP, WHY(OK)},
		{"jmp", "eb 00 c3", 0, CHEAP, WHY(OK)},
		{"jmp far", "e9 00 01 00 00", 0, CHEAP, WHY(OK)},
		{"call", "e8 00 01 00 00 c3", 0, CHEAP, WHY(OK)},
		{"je", "74 01 c3 c3", 0, CHEAP, WHY(OK)},
		{"je far", "0f 84 00 01 00 00 c3", 0, CHEAP, WHY(OK)},
		{"push imm", "6a 01 58 c3", 0, COSTLY, WHY(MOVED_STACK)},
		{"push ax", "66 50 66 58 c3", 0, COSTLY, WHY(MOVED_STACK)},
		{"loop", "e2 01 c3 c3", 0, COSTLY, WHY(NO_CHEAP)},
		{"jmp rax", "ff e0", 0, COSTLY, WHY(NO_CHEAP)},
		{"jmp through a slot", "ff 25 00 00 00 00", 0, COSTLY, WHY(NO_CHEAP)},
		{"ret", "c3", 0, COSTLY, WHY(NO_CHEAP)},
		{"mov, ret", "89 f8 c3 55", 0, COSTLY, WHY(NO_CHEAP)},
	};

	(void)state;
	CHECK(cases);
}

static void test_behind_entry(void **state)
{
	static const struct place_case cases[] = {
		{"endbr64, push", "f3 0f 1e fa 55 c3", 4, CHEAP, WHY(OK)},
		{"xor, test, je", "31 c0 85 ff 74 01 c3 c3", 4, CHEAP, WHY(OK)},
		{"sub rsp, push", "48 83 ec 08 55 c3", 0, COSTLY, WHY(MOVED_STACK)},
		{"lea rsp, push", "48 8d 64 24 f8 55 c3", 0, COSTLY, WHY(MOVED_STACK)},
		{"and rsp, push", "48 83 e4 e0 55 c3", 0, COSTLY, WHY(MOVED_STACK)},
		{"pop, push", "5f 57 c3", 0, COSTLY, WHY(MOVED_STACK)},
		{"over the return address, push", "48 89 04 24 55 c3", 0, COSTLY, WHY(MOVED_STACK)},
		{"into the red zone, push", "48 89 44 24 f8 55 c3", 5, CHEAP, WHY(OK)},
		{"mov eax, syscall, push", "b8 01 00 00 00 0f 05 55 c3", 0, COSTLY, WHY(NO_CHEAP)},
		{"24 times lea, push",
		 "488d4001488d4001488d4001488d4001488d4001488d4001488d4001488d4001"
		 "488d4001488d4001488d4001488d4001488d4001488d4001488d4001488d4001"
		 "488d4001488d4001488d4001488d4001488d4001488d4001488d4001488d4001 55 c3",
		 0, COSTLY, WHY(NO_CHEAP)},
	};

	(void)state;
	CHECK(cases);
}

static void test_targets(void **state)
{
	static const struct place_case cases[] = {
		{"a loop at the very entry", "80 3f 00 74 05 48 ff c7 eb f6 c3", 3, CHEAP, WHY(OK)},
		{"a loop behind it", "31 c0 80 3f 00 74 05 48 ff c7 eb f6 c3", 0, COSTLY,
		 WHY(JUMPED_TO)},
		{"a loop of its end only", "31 c0 74 01 c3 48 ff c7 eb fb", 2, CHEAP, WHY(OK)},
		{"another function jumps in", "89 f8 90 c3 | eb fc", 0, COSTLY, WHY(JUMPED_TO)},
		{"another function jumps behind it", "89 f8 90 c3 | eb fd", 2, CHEAP, WHY(OK)},
		{"another function calls into it", "89 f8 90 c3 | e8 f9 ff ff ff c3", 0, COSTLY,
		 WHY(JUMPED_TO)},
		{"its address is taken", "89 f8 90 c3 | 48 8d 05 f7 ff ff ff c3", 0, COSTLY,
		 WHY(JUMPED_TO)},
		/* the end of a function is the start of the next: it is not looked beyond */
		{"another function begins in it", "89 f8 | 90 c3", 0, COSTLY, WHY(NO_CHEAP)},
	};

	(void)state;
	CHECK(cases);
}

/* Where a jump by a table leads is not known. */
static void test_switches(void **state)
{
	static const struct place_case cases[] = {
		/* addresses are found where the table is, or in relocations */
		{"by memory", "83 ff 05 77 07 ff 24 fd 00 20 00 00 c3", 3, CHEAP, WHY(OK)},
		{"by a register and distances, push before",
		 "83 ff 05 53 77 08 48 63 04 ba 48 01 d0 ff e0 c3", 3, CHEAP, WHY(OK)},
		{"by a register and distances", "83 ff 05 77 08 48 63 04 ba 48 01 d0 ff e0 c3", 0,
		 COSTLY, WHY(JUMPED_TO)},
		{"by a register alone", "83 ff 05 77 07 48 8b 47 18 90 ff e0 c3", 3, CHEAP,
		 WHY(OK)},
		{"at the very entry", "77 09 48 63 04 ba 48 01 d0 ff e0 c3", 0, CHEAP, WHY(OK)},
		{"in another function", "83 ff 05 77 01 c3 c3 | 48 63 04 ba 48 01 d0 ff e0", 3,
		 CHEAP, WHY(OK)},
	};

	(void)state;
	CHECK(cases);
}

static void test_nops(void **state)
{
	static const struct place_case new_kernel[] = {
		{"nop5", "0f 1f 44 00 00 c3", 0, CHEAP, WHY(OK)},
		{"endbr64, nop5", "f3 0f 1e fa 0f 1f 44 00 00 c3", 4, CHEAP, WHY(OK)},
		{"mov, nop5", "89 f8 0f 1f 44 00 00 c3", 0, COSTLY, WHY(NO_CHEAP)},
		{"mov, nop5, push", "89 f8 0f 1f 44 00 00 55 c3", 7, CHEAP, WHY(OK)},
		{"mov, nop4", "89 f8 0f 1f 40 00 c3", 2, CHEAP, WHY(OK)},
		{"a nop of another form", "0f 1f 45 00 c3", 0, COSTLY, WHY(NO_CHEAP)},
	};
	static const struct place_case old_kernel[] = {
		{"nop5", "0f 1f 44 00 00 c3", 0, COSTLY, WHY(NO_CHEAP)},
		{"nop5, push", "0f 1f 44 00 00 55 c3", 5, CHEAP, WHY(OK)},
		{"nop", "90 c3", 0, CHEAP, WHY(OK)},
	};

	(void)state;
	CHECK(new_kernel);
	check(old_kernel, ARRAY_SIZE(old_kernel), false);
}

static void test_refused(void **state)
{
	static const struct place_case cases[] = {
		{"a nop with a segment, push", "66 2e 0f 1f 84 00 00 00 00 00 55 c3", 10, CHEAP,
		 WHY(OK)},
		{"lock add, ret", "f0 48 01 37 c3", 4, COSTLY, WHY(NO_CHEAP)},
		{"ds mov, ret", "3e 8b 07 c3", 3, COSTLY, WHY(NO_CHEAP)},
		{"vpbroadcastb, ret", "c4 e2 7d 78 c0 c3", 5, COSTLY, WHY(NO_CHEAP)},
		{"EVEX vpbroadcastb, ja", "62 e2 7d 28 7a ce 77 01 c3 c3", 6, CHEAP, WHY(OK)},
		{"vzeroupper, ret", "c5 f8 77 c3", 3, COSTLY, WHY(NO_CHEAP)},
		{"xchg with r8, ret", "41 90 c3", 2, COSTLY, WHY(NO_CHEAP)},
		{"16-bit jump", "66 eb 00 c3", 0, NONE, WHY(REFUSED)},
		{"xbegin", "c7 f8 00 00 00 00 c3", 0, NONE, WHY(REFUSED)},
		{"syscall", "0f 05 c3", 0, NONE, WHY(REFUSED)},
		{"ud2", "0f 0b", 0, NONE, WHY(REFUSED)},
		{"no instruction", "06 c3", 0, NONE, WHY(UNREADABLE)},
		{"cut", "48 8b 05 00", 0, NONE, WHY(UNREADABLE)},
	};

	(void)state;
	CHECK(cases);
	assert_true(find("f0 48 01 37 c3", true).entry_is_refused);
	assert_false(find("89 f8 c3", true).entry_is_refused);
}

static void test_written(void **state)
{
	(void)state;
	assert_int_equal(find("89 f7 55 c3", true).written, RESOLVER_ARGUMENT_RDI);
	assert_int_equal(find("31 c9 44 89 c8 45 31 c9 55 c3", true).written,
			 RESOLVER_ARGUMENT_RCX | RESOLVER_ARGUMENT_R9);
	assert_int_equal(find("0f 57 d2 55 c3", true).written, RESOLVER_ARGUMENT_XMM0 << 2);
	assert_int_equal(find("c5 f4 57 c9 55 c3", true).written, RESOLVER_ARGUMENT_XMM0 << 1);
	assert_int_equal(find("31 c0 85 ff 74 01 c3 c3", true).written, 0);
	/* mul writes rdx without naming it */
	assert_int_equal(find("48 f7 e7 55 c3", true).written, RESOLVER_ARGUMENT_RDX);
	/* at the entry itself nothing is written yet */
	assert_int_equal(find("89 f7 c3", true).written, 0);
}

struct length_case {
	const char *code;
	uint8_t length;
	uint8_t kind;
	int64_t target;
};

/* One of each way in which instructions are long. Whole libraries were compared with objdump. */
static void test_lengths(void **state)
{
	static const struct length_case cases[] = {
		{"8b 04 25 00 00 00 00", 7, INSTRUCTION_PLAIN, 0},
		{"8b 84 24 00 00 00 00", 7, INSTRUCTION_PLAIN, 0},
		{"8b 44 24 08", 4, INSTRUCTION_PLAIN, 0},
		{"48 b8 00 00 00 00 00 00 00 00", 10, INSTRUCTION_PLAIN, 0},
		{"66 b8 00 00", 4, INSTRUCTION_PLAIN, 0},
		{"66 81 3f 00 00", 5, INSTRUCTION_PLAIN, 0},
		{"f6 c1 01", 3, INSTRUCTION_PLAIN, 0},
		{"f7 d8", 2, INSTRUCTION_PLAIN, 0},
		{"48 f7 c7 00 00 00 00", 7, INSTRUCTION_PLAIN, 0},
		{"c8 00 00 00", 4, INSTRUCTION_PLAIN, 0},
		{"66 0f 3a 0f c1 08", 6, INSTRUCTION_PLAIN, 0},
		{"0f 38 f0 07", 4, INSTRUCTION_PLAIN, 0},
		{"c5 f8 77", 3, INSTRUCTION_PLAIN, 0},
		{"c4 e3 7d 39 c1 01", 6, INSTRUCTION_PLAIN, 0},
		{"62 f1 fe 28 6f 47 01", 7, INSTRUCTION_PLAIN, 0},
		{"eb fe", 2, INSTRUCTION_JUMP, 0},
		{"e8 00 00 00 00", 5, INSTRUCTION_CALL, 5},
		{"0f 8f 00 01 00 00", 6, INSTRUCTION_BRANCH, 0x106},
		{"41 ff 24 c7", 4, INSTRUCTION_INDIRECT_JUMP, 0},
		{"ff 15 00 00 00 00", 6, INSTRUCTION_INDIRECT_CALL, 0},
		{"f3 c3", 2, INSTRUCTION_RETURN, 0},
		{"c2 08 00", 3, INSTRUCTION_RETURN, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct instruction instruction;
		uint8_t bytes[CODE_MAX];
		uint64_t starts[8];
		size_t count, size = assemble(cases[i].code, bytes, starts, &count);

		assert_true(instruction_decode(bytes, size, &instruction));
		if (instruction.length != cases[i].length || instruction.kind != cases[i].kind)
			print_error("%s\n", cases[i].code);
		assert_int_equal(instruction.length, cases[i].length);
		assert_int_equal(instruction.kind, cases[i].kind);
		assert_int_equal(instruction.target, cases[i].target);
		for (size_t cut = 0; cut < size; cut++)
			assert_false(instruction_decode(bytes, cut, &instruction));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emulated), cmocka_unit_test(test_behind_entry),
		cmocka_unit_test(test_targets),  cmocka_unit_test(test_switches),
		cmocka_unit_test(test_nops),     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_written),  cmocka_unit_test(test_lengths),
	};

#if !defined(__x86_64__)
	return 0; /* places are looked for on x86-64 only */
#endif
	return cmocka_run_group_tests(tests, NULL, NULL);
}
