/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/instruction.h"

#include <string.h>

/*
 * What follows each opcode, one letter each:
 *   .  nothing          m  operands (ModRM)              x  no such instruction
 *   i  a byte           M  operands, a byte              p  a prefix or a longer opcode
 *   w  two bytes        z  four bytes, two with prefix 66
 *   e  three bytes      Z  operands, then as z
 *   d  four bytes       v  as z, but eight with REX.W
 *   o  an address       g  operands, then i or z if the operation (ModRM.reg) is 0 or 1
 */
static const char one_byte[] = "mmmmizxxmmmmizxp"
			       "mmmmizxxmmmmizxx"
			       "mmmmizpxmmmmizpx"
			       "mmmmizpxmmmmizpx"
			       "pppppppppppppppp"
			       "................"
			       "xxpmppppzZiM...."
			       "iiiiiiiiiiiiiiii"
			       "MZxMmmmmmmmmmmmm"
			       "..........x....."
			       "oooo....iz......"
			       "iiiiiiiivvvvvvvv"
			       "MMw.ppMZe.w..ix."
			       "mmmmxxx.mmmmmmmm"
			       "iiiiiiiiddxi...."
			       "p.pp..gg......mm";

static const char two_bytes[] = "mmmmx.....x.xm.M" /* behind 0f */
				"mmmmmmmmmmmmmmmm"
				"mmmmxxxxmmmmmmmm"
				"......x.pxpxxxxx"
				"mmmmmmmmmmmmmmmm"
				"mmmmmmmmmmmmmmmm"
				"mmmmmmmmmmmmmmmm"
				"MMMMmmm.mmmmmmmm"
				"dddddddddddddddd"
				"mmmmmmmmmmmmmmmm"
				"...mMmmm...mMmmm"
				"mmmmmmmmmmMmmmmm"
				"mmMmMMMm........"
				"mmmmmmmmmmmmmmmm"
				"mmmmmmmmmmmmmmmm"
				"mmmmmmmmmmmmmmmm";

/* One-byte opcodes on which the kernel takes no probe. */
static const uint8_t refused_opcodes[] = {
	0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x62,
	0x6c, 0x6d, 0x6e, 0x6f, 0x82, 0x9a, 0xcc, 0xcd, 0xce, 0xcf, 0xd4, 0xd5, 0xd6, 0xe4,
	0xe5, 0xe6, 0xe7, 0xea, 0xec, 0xed, 0xee, 0xef, 0xf1, 0xf4, 0xfa, 0xfb,
};

/* An instruction while it is taken apart. */
struct decoder {
	const uint8_t *bytes;
	size_t size;
	size_t at;
	bool has_66;
	bool has_67;
	bool has_repeat;     /* f2 or f3 */
	bool has_bad_prefix; /* the kernel takes no probe with it */
	bool is_vector;      /* behind a VEX, EVEX or XOP prefix */
	uint8_t rex;
	uint8_t map; /* 0: opcodes of one byte, 1: behind 0f, 2: 0f38, 3: 0f3a */
	uint8_t opcode;
	uint8_t modrm;
	bool has_index; /* the address in memory has one */
	int64_t number; /* the displacement of rip, or the number behind the opcode, sign-extended
			 */
};

static bool take(struct decoder *decoder, uint8_t *ret)
{
	if (decoder->at >= decoder->size || decoder->at >= INSTRUCTION_BYTES_MAX)
		return false;
	*ret = decoder->bytes[decoder->at++];
	return true;
}

/* Takes a signed little-endian number of COUNT bytes. */
static bool take_number(struct decoder *decoder, size_t count)
{
	uint64_t value = 0;
	uint8_t byte = 0;

	if (count == 0)
		return true;
	for (size_t i = 0; i < count; i++) {
		if (!take(decoder, &byte))
			return false;
		value |= (uint64_t)byte << 8 * i;
	}
	decoder->number = (int64_t)(value << (64 - 8 * count)) >> (64 - 8 * count);
	return true;
}

/* ---- prefixes and opcode ---- */

/* Takes all prefixes; *RET is the byte behind them. */
static bool take_prefixes(struct decoder *decoder, uint8_t *ret)
{
	for (;;) {
		if (!take(decoder, ret))
			return false;
		switch (*ret) {
		case 0x66:
			decoder->has_66 = true;
			break;
		case 0x67:
			decoder->has_67 = true;
			break;
		case 0xf2:
		case 0xf3:
			decoder->has_repeat = true;
			break;
		case 0x64:
		case 0x65:
			break;
		case 0x26: /* segments that do nothing in 64-bit mode, and lock */
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0xf0:
			decoder->has_bad_prefix = true;
			break;
		default:
			if ((*ret & 0xf0) != 0x40)
				return true;
			decoder->rex = *ret;
			return take(decoder, ret);
		}
	}
}

/* The opcode behind the prefix of a vector instruction. */
static bool take_vector(struct decoder *decoder, uint8_t prefix)
{
	unsigned int more = prefix == 0xc5 ? 0 : prefix == 0x62 ? 2 : 1;
	uint8_t byte;

	decoder->is_vector = true;
	if (!take(decoder, &byte))
		return false;
	decoder->map = prefix == 0xc5 ? 1 : prefix == 0x62 ? byte & 0x07 : byte & 0x1f;
	while (more-- > 0) {
		if (!take(decoder, &byte))
			return false;
	}
	return take(decoder, &decoder->opcode);
}

static bool take_opcode(struct decoder *decoder)
{
	uint8_t byte;

	if (!take_prefixes(decoder, &byte))
		return false;
	/* 8f is pop unless what would be its ModRM is a map of XOP. */
	if (byte == 0xc4 || byte == 0xc5 || byte == 0x62 ||
	    (byte == 0x8f && decoder->at < decoder->size &&
	     (decoder->bytes[decoder->at] & 0x1f) >= 8))
		return take_vector(decoder, byte);
	decoder->opcode = byte;
	if (byte != 0x0f)
		return true;
	decoder->map = 1;
	if (!take(decoder, &decoder->opcode))
		return false;
	if (decoder->opcode != 0x38 && decoder->opcode != 0x3a)
		return true;
	decoder->map = decoder->opcode == 0x38 ? 2 : 3;
	return take(decoder, &decoder->opcode);
}

/* ---- what is behind the opcode ---- */

static char shape_of(const struct decoder *decoder)
{
	switch (decoder->map) {
	case 0:
		return one_byte[decoder->opcode];
	case 1:
		return two_bytes[decoder->opcode];
	case 2:
	case 5: /* EVEX, half precision */
	case 6:
	case 9: /* XOP */
		return 'm';
	case 3:
	case 8: /* XOP */
		return 'M';
	default:
		return 'x';
	}
}

/* ModRM, SIB and displacement. */
static bool take_operands(struct decoder *decoder)
{
	unsigned int mode, base;
	uint8_t sib;

	if (!take(decoder, &decoder->modrm))
		return false;
	mode = decoder->modrm >> 6;
	base = decoder->modrm & 7;
	if (mode == 3)
		return true;
	if (base == 4) {
		if (!take(decoder, &sib))
			return false;
		base = sib & 7;
		decoder->has_index = (sib >> 3 & 7) != 4 || decoder->rex & 2;
	}
	/* 5 without a displacement of its own: relative to rip, or with SIB no base */
	return take_number(decoder, mode == 1 ? 1 : mode == 2 || base == 5 ? 4 : 0);
}

static bool take_rest(struct decoder *decoder)
{
	bool is_wide = decoder->rex & 8;
	size_t word = decoder->has_66 && !is_wide ? 2 : 4;

	switch (shape_of(decoder)) {
	case '.':
		return true;
	case 'm':
		return take_operands(decoder);
	case 'M':
		return take_operands(decoder) && take_number(decoder, 1);
	case 'Z':
		return take_operands(decoder) && take_number(decoder, word);
	case 'g':
		if (!take_operands(decoder))
			return false;
		return decoder->modrm >> 3 & 6 ||
		       take_number(decoder, decoder->opcode & 1 ? word : 1);
	case 'i':
		return take_number(decoder, 1);
	case 'w':
		return take_number(decoder, 2);
	case 'e':
		return take_number(decoder, 3);
	case 'd':
		return take_number(decoder, 4);
	case 'z':
		return take_number(decoder, word);
	case 'v':
		return take_number(decoder, is_wide ? 8 : word);
	case 'o':
		return take_number(decoder, decoder->has_67 ? 4 : 8);
	default:
		return false;
	}
}

/* ---- what it is ---- */

static unsigned int operation(const struct decoder *decoder)
{
	return decoder->modrm >> 3 & 7;
}

static bool is_rip_relative(const struct decoder *decoder)
{
	return (decoder->modrm & 0xc7) == 0x05;
}

static void set_target(const struct decoder *decoder, struct instruction *ret,
		       enum instruction_kind kind)
{
	ret->kind = (uint8_t)kind;
	ret->has_target = true;
	ret->target = (int64_t)decoder->at + decoder->number;
}

static void classify_group5(const struct decoder *decoder, struct instruction *ret)
{
	switch (operation(decoder)) {
	case 2:
	case 3:
		ret->kind = INSTRUCTION_INDIRECT_CALL;
		break;
	case 4:
	case 5:
		ret->kind = INSTRUCTION_INDIRECT_JUMP;
		ret->table = decoder->modrm >> 6 == 3 ? TABLE_JUMP : TABLE_NONE;
		break;
	default:
		break;
	}
}

static void classify_one(const struct decoder *decoder, struct instruction *ret)
{
	uint8_t opcode = decoder->opcode;

	if ((opcode & 0xf0) == 0x70 || (opcode >= 0xe0 && opcode <= 0xe3))
		set_target(decoder, ret, INSTRUCTION_BRANCH);
	else if (opcode == 0xe9 || opcode == 0xeb)
		set_target(decoder, ret, INSTRUCTION_JUMP);
	else if (opcode == 0xe8)
		set_target(decoder, ret, INSTRUCTION_CALL);
	else if (opcode == 0xc7 && decoder->modrm == 0xf8) /* xbegin */
		set_target(decoder, ret, INSTRUCTION_BRANCH);
	else if (opcode == 0x8d && is_rip_relative(decoder))
		set_target(decoder, ret, INSTRUCTION_PLAIN);
	else if (opcode == 0x90 && !(decoder->rex & 1)) /* else xchg r8 */
		ret->kind = INSTRUCTION_NOP;
	else if ((opcode & 0xf6) == 0xc2 || opcode == 0xcf) /* c2 c3 ca cb */
		ret->kind = INSTRUCTION_RETURN;
	else if (opcode == 0xcc || opcode == 0xf1 || opcode == 0xf4)
		ret->kind = INSTRUCTION_TRAP;
	else if (opcode == 0xcd)
		ret->kind = INSTRUCTION_SYSCALL;
	else if (opcode == 0xff)
		classify_group5(decoder, ret);
	else if (opcode == 0x63 && decoder->has_index)
		ret->table = TABLE_LOAD;
}

static void classify_two(const struct decoder *decoder, struct instruction *ret)
{
	uint8_t opcode = decoder->opcode;

	if ((opcode & 0xf0) == 0x80)
		set_target(decoder, ret, INSTRUCTION_BRANCH);
	else if (opcode == 0x05 || opcode == 0x34)
		ret->kind = INSTRUCTION_SYSCALL;
	else if (opcode == 0x07 || opcode == 0x35)
		ret->kind = INSTRUCTION_RETURN;
	else if (opcode == 0x0b || opcode == 0xb9 || opcode == 0xff)
		ret->kind = INSTRUCTION_TRAP;
	else if (opcode == 0x1f && operation(decoder) == 0)
		ret->kind = INSTRUCTION_NOP;
	else if (opcode == 0x1e && decoder->has_repeat && decoder->modrm == 0xfa)
		ret->is_endbr = true;
}

/* ---- what the kernel does ---- */

/* Only these nops are known to it, byte by byte. */
static bool is_plain_nop(const uint8_t *bytes, size_t length)
{
	static const uint8_t nops[][8] = {
		{0x0f, 0x1f, 0x00},
		{0x0f, 0x1f, 0x40, 0x00},
		{0x0f, 0x1f, 0x44, 0x00, 0x00},
		{0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
		{0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
		{0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
	};

	return length >= 3 && length <= 8 && !memcmp(bytes, nops[length - 3], length);
}

static bool is_refused(const struct decoder *decoder, const struct instruction *instruction)
{
	uint8_t opcode = decoder->opcode;
	bool is_branch = instruction->kind == INSTRUCTION_JUMP ||
			 instruction->kind == INSTRUCTION_CALL ||
			 instruction->kind == INSTRUCTION_BRANCH;

	if (decoder->has_bad_prefix || instruction->kind == INSTRUCTION_SYSCALL ||
	    instruction->kind == INSTRUCTION_TRAP)
		return true;
	/* xbegin, c7, would be run elsewhere, and where it goes when it fails lies beside it */
	if (is_branch && (decoder->has_66 || opcode == 0xc7))
		return true;
	/* The kernel takes the opcode behind a VEX or EVEX prefix for one of one byte: it would run
	 * vpbroadcastb (78) as a jump, vpor (eb) too, and skip vzeroupper (77). Likewise xchg with
	 * r8 (41 90) for a nop. */
	if (decoder->is_vector || (decoder->map == 0 && opcode == 0x90 && decoder->rex & 1))
		return true;
	if (decoder->map > 0)
		return false;
	if (opcode == 0x8e && operation(decoder) == 2) /* mov to ss */
		return true;
	return memchr(refused_opcodes, opcode, sizeof(refused_opcodes));
}

static bool is_emulated(const struct decoder *decoder, const struct instruction *instruction)
{
	uint8_t opcode = decoder->opcode;

	if (decoder->map == 1)
		return (opcode & 0xf0) == 0x80;
	if (decoder->map > 1)
		return false;
	/* push of a register: alone or with REX.B */
	if ((opcode & 0xf8) == 0x50)
		return decoder->at == 1 || (decoder->at == 2 && decoder->rex == 0x41);
	return (opcode & 0xf0) == 0x70 || opcode == 0xe8 || opcode == 0xe9 || opcode == 0xeb ||
	       instruction->kind == INSTRUCTION_NOP;
}

static enum instruction_uprobe uprobe_of(const struct decoder *decoder,
					 const struct instruction *instruction)
{
	if (is_refused(decoder, instruction))
		return UPROBE_REFUSED;
	if (is_emulated(decoder, instruction))
		return UPROBE_EMULATED;
	return is_plain_nop(decoder->bytes, decoder->at) ? UPROBE_EMULATED_LATE : UPROBE_STEPPED;
}

bool instruction_decode(const uint8_t *bytes, size_t size, struct instruction *ret)
{
	struct decoder decoder = {.bytes = bytes, .size = size};

	if (!take_opcode(&decoder) || !take_rest(&decoder))
		return false;
	*ret = (struct instruction){.length = (uint8_t)decoder.at, .kind = INSTRUCTION_PLAIN};
	if (!decoder.is_vector && decoder.map == 0)
		classify_one(&decoder, ret);
	else if (!decoder.is_vector && decoder.map == 1)
		classify_two(&decoder, ret);
	ret->uprobe = (uint8_t)uprobe_of(&decoder, ret);
	return true;
}
