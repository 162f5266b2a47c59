/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/place.h"

#include <capstone/capstone.h>
#include <string.h>

#include "base/memory.h"
#include "symbol/code.h"
#include "symbol/instruction.h"
#include "symbol/resolver.h"
#include "symbol/unwind.h"

/* How far behind the entry a place is looked for. The block a function begins with is rarely as
 * long, and what lies before the place is missing from the call's time. */
#define PLACE_BYTES_MAX 96

struct place_finder {
	const struct code *code;
	bool has_long_nops;
	bool has_disassembler;
	csh disassembler;
	cs_insn *instruction;
};

struct place_finder *place_finder_new(const struct code *code, bool has_long_nops)
{
	struct place_finder *finder = xcalloc(1, sizeof(*finder));

	finder->code = code;
	finder->has_long_nops = has_long_nops;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &finder->disassembler) == CS_ERR_OK) {
		cs_option(finder->disassembler, CS_OPT_DETAIL, CS_OPT_ON);
		finder->instruction = cs_malloc(finder->disassembler);
		finder->has_disassembler = finder->instruction != NULL;
	}
	return finder;
}

void place_finder_free(struct place_finder *finder)
{
	if (!finder)
		return;
	if (finder->instruction)
		cs_free(finder->instruction, 1);
	if (finder->disassembler)
		cs_close(&finder->disassembler);
	free(finder);
}

/* ---- what an instruction changes ---- */

static uint16_t argument_of(uint16_t reg)
{
	switch (reg) {
	case X86_REG_RDI:
	case X86_REG_EDI:
	case X86_REG_DI:
	case X86_REG_DIL:
		return RESOLVER_ARGUMENT_RDI;
	case X86_REG_RSI:
	case X86_REG_ESI:
	case X86_REG_SI:
	case X86_REG_SIL:
		return RESOLVER_ARGUMENT_RSI;
	case X86_REG_RDX:
	case X86_REG_EDX:
	case X86_REG_DX:
	case X86_REG_DL:
	case X86_REG_DH:
		return RESOLVER_ARGUMENT_RDX;
	case X86_REG_RCX:
	case X86_REG_ECX:
	case X86_REG_CX:
	case X86_REG_CL:
	case X86_REG_CH:
		return RESOLVER_ARGUMENT_RCX;
	case X86_REG_R8:
	case X86_REG_R8D:
	case X86_REG_R8W:
	case X86_REG_R8B:
		return RESOLVER_ARGUMENT_R8;
	case X86_REG_R9:
	case X86_REG_R9D:
	case X86_REG_R9W:
	case X86_REG_R9B:
		return RESOLVER_ARGUMENT_R9;
	default:
		break;
	}
	if (reg >= X86_REG_XMM0 && reg <= X86_REG_XMM7)
		return (uint16_t)(RESOLVER_ARGUMENT_XMM0 << (reg - X86_REG_XMM0));
	if (reg >= X86_REG_YMM0 && reg <= X86_REG_YMM7)
		return (uint16_t)(RESOLVER_ARGUMENT_XMM0 << (reg - X86_REG_YMM0));
	if (reg >= X86_REG_ZMM0 && reg <= X86_REG_ZMM7)
		return (uint16_t)(RESOLVER_ARGUMENT_XMM0 << (reg - X86_REG_ZMM0));
	return 0;
}

static bool is_stack_pointer(uint16_t reg)
{
	return reg == X86_REG_RSP || reg == X86_REG_ESP || reg == X86_REG_SP || reg == X86_REG_SPL;
}

/* Does it write where the return address lies? */
static bool writes_return_address(const cs_x86 *detail)
{
	for (uint8_t i = 0; i < detail->op_count; i++) {
		const cs_x86_op *operand = &detail->operands[i];

		if (operand->type == X86_OP_MEM && operand->access & CS_AC_WRITE &&
		    is_stack_pointer((uint16_t)operand->mem.base) && operand->mem.disp < 8 &&
		    operand->mem.disp + operand->size > 0)
			return true;
	}
	return false;
}

/* Notes which argument registers the instruction at AT writes. False: the return address does not
 * lie on top of the stack behind it, or that is not known. */
static bool run(struct place_finder *finder, const uint8_t *bytes, size_t size, uint64_t at,
		uint16_t *written)
{
	cs_regs read, write;
	uint8_t read_count, write_count;

	if (!finder->has_disassembler ||
	    !cs_disasm_iter(finder->disassembler, &bytes, &size, &at, finder->instruction) ||
	    cs_regs_access(finder->disassembler, finder->instruction, read, &read_count, write,
			   &write_count))
		return false;
	for (uint8_t i = 0; i < write_count; i++) {
		if (is_stack_pointer(write[i]))
			return false;
		*written |= argument_of(write[i]);
	}
	return !writes_return_address(&finder->instruction->detail->x86);
}

/* ---- the search ---- */

/* A walk over the block that a function begins with. */
struct search {
	struct place_finder *finder;
	const struct code_section *section;
	uint64_t start;
	uint64_t end;
	uint64_t at;
	uint16_t written;  /* so far */
	bool is_begin;     /* nothing but nops so far, endbr64 among them */
	bool has_fallback; /* RET has the first place that takes a probe */
	struct place_found *ret;
};

/* Can a place behind the start be reached without passing the start, or a second time? Targets of
 * a switch are not known: they may be anywhere, but not where the frame is set up. */
static bool is_reached(const struct search *search, const struct instruction *instruction)
{
	bool is_push =
		instruction->uprobe == UPROBE_EMULATED && instruction->kind == INSTRUCTION_PLAIN;
	const struct code *code = search->finder->code;

	if (search->at == search->start)
		return false;
	return code_has_target(code, search->start + 1, search->at) ||
	       (!is_push && !search->is_begin && code_has_switch(code, search->start, search->end));
}

static bool is_cheap(const struct search *search, const struct instruction *instruction)
{
	/* The kernel makes a 5-byte nop a call, which writes below the stack pointer. That is
	 * free at the begin, but perhaps not any more later. */
	if (instruction->kind == INSTRUCTION_NOP && instruction->length == 5 && !search->is_begin)
		return false;
	return instruction->uprobe == UPROBE_EMULATED ||
	       (instruction->uprobe == UPROBE_EMULATED_LATE && search->finder->has_long_nops);
}

static void take(struct search *search, enum resolver_place place)
{
	search->ret->probe_bytes = (uint16_t)(search->at - search->start);
	search->ret->written = search->written;
	search->ret->place = (uint8_t)place;
}

/* Looks at one instruction, and moves on. False: the search is over, ret->why says why. */
static bool step(struct search *search)
{
	const uint8_t *bytes = search->section->bytes + (search->at - search->section->start);
	size_t size = (size_t)(search->section->end - search->at);
	struct instruction instruction;

	search->ret->why = RESOLVER_WHY_NO_CHEAP;
	if (search->at >= search->end || !instruction_decode(bytes, size, &instruction))
		return false;
	if (search->at == search->start)
		search->ret->entry_is_refused = instruction.uprobe == UPROBE_REFUSED;
	if (is_reached(search, &instruction)) {
		search->ret->why = RESOLVER_WHY_JUMPED_TO;
		return false;
	}
	if (is_cheap(search, &instruction)) {
		take(search, RESOLVER_PLACE_CHEAP);
		search->ret->why = RESOLVER_WHY_OK;
		return false;
	}
	if (!search->has_fallback && instruction.uprobe != UPROBE_REFUSED) {
		take(search, RESOLVER_PLACE_COSTLY);
		search->has_fallback = true;
	}
	if (instruction.kind != INSTRUCTION_PLAIN && instruction.kind != INSTRUCTION_NOP)
		return false;
	if (!instruction.is_endbr && instruction.kind != INSTRUCTION_NOP) {
		search->is_begin = false;
		if (!run(search->finder, bytes, instruction.length, search->at, &search->written)) {
			search->ret->why = RESOLVER_WHY_MOVED_STACK;
			return false;
		}
	}
	search->at += instruction.length;
	return true;
}

void place_find(struct place_finder *finder, uint64_t start, uint64_t end, struct place_found *ret)
{
	struct instruction first;
	struct search search = {
		.finder = finder,
		.section = code_find(finder->code, start),
		.start = start,
		.end = end,
		.at = start,
		.is_begin = true,
		.ret = ret,
	};

	*ret = (struct place_found){.place = RESOLVER_PLACE_NONE};
	if (!search.section ||
	    !instruction_decode(search.section->bytes + (start - search.section->start),
				(size_t)(search.section->end - start), &first)) {
		ret->why = RESOLVER_WHY_UNREADABLE;
		return;
	}
	while (search.at - start < PLACE_BYTES_MAX && step(&search))
		;
	if (ret->place == RESOLVER_PLACE_NONE)
		ret->why = RESOLVER_WHY_REFUSED;
	else if (ret->place == RESOLVER_PLACE_COSTLY && ret->why == RESOLVER_WHY_OK)
		ret->why = RESOLVER_WHY_NO_CHEAP;
}
