/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/image_frames.h"

#include <dwarf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "symbol/unwind.h"

/* Bytes that are read one after the other; beyond their end there are zeros and IS_SHORT is set. */
struct bytes {
	const uint8_t *at;
	const uint8_t *end;
	uint64_t address; /* of AT in the program */
	bool is_short;
};

/* What a common entry (CIE) says of the ranges that belong to it. */
struct common {
	struct bytes instructions;
	uint8_t encoding; /* of addresses: DW_EH_PE_ */
	bool is_augmented;
	uint64_t return_column;
};

static void skip(struct bytes *bytes, uint64_t count)
{
	if (count > (uint64_t)(bytes->end - bytes->at)) {
		bytes->is_short = true;
		count = (uint64_t)(bytes->end - bytes->at);
	}
	bytes->at += count;
	bytes->address += count;
}

/* Reads a little-endian number of SIZE bytes. */
static uint64_t read_number(struct bytes *bytes, unsigned int size)
{
	uint64_t value = 0;

	if ((size_t)(bytes->end - bytes->at) >= size)
		memcpy(&value, bytes->at, size);
	skip(bytes, size);
	return value;
}

static uint64_t read_leb(struct bytes *bytes)
{
	unsigned int shift = 0;
	uint64_t value = 0;
	uint8_t byte;

	do {
		byte = (uint8_t)read_number(bytes, 1);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80 && !bytes->is_short);
	return value;
}

/* The next SIZE bytes as bytes of their own. */
static struct bytes split(struct bytes *bytes, uint64_t size)
{
	struct bytes part = *bytes;

	skip(bytes, size);
	part.end = bytes->at;
	return part;
}

/* ---- encoded addresses ---- */

static unsigned int encoded_size(uint8_t encoding)
{
	switch (encoding & 0x07) {
	case DW_EH_PE_udata2:
		return 2;
	case DW_EH_PE_udata4:
		return 4;
	default:
		return 8;
	}
}

/* How linkers encode them: absolute or relative to where they stand. */
static bool is_known_encoding(uint8_t encoding)
{
	unsigned int form = encoding & 0x07, base = encoding & 0xf0;

	return (base == DW_EH_PE_absptr || base == DW_EH_PE_pcrel) &&
	       (form == 0 || (form >= 2 && form <= 4));
}

static uint64_t read_encoded(struct bytes *bytes, uint8_t encoding, bool is_size)
{
	uint64_t address = bytes->address, value = read_number(bytes, encoded_size(encoding));
	unsigned int unused = 64 - 8 * encoded_size(encoding);

	if (is_size)
		return value;
	if (encoding & DW_EH_PE_signed)
		value = (uint64_t)((int64_t)(value << unused) >> unused);
	return (encoding & 0xf0) == DW_EH_PE_pcrel ? address + value : value;
}

/* ---- the rule that holds at the begin of a range ---- */

struct cfa {
	uint64_t reg;
	uint64_t offset;
	bool is_other;   /* an expression */
	bool has_caller; /* the return address is known */
};

/* Runs one instruction. False: it moves on to a later address, or is not known. */
static bool run_instruction(struct bytes *code, struct cfa *cfa, uint64_t return_column)
{
	uint8_t op = (uint8_t)read_number(code, 1);

	if ((op & 0xc0) == DW_CFA_offset) {
		read_leb(code);
		return true;
	}
	if ((op & 0xc0) == DW_CFA_restore)
		return true;
	switch (op) {
	case DW_CFA_nop:
		return true;
	case DW_CFA_def_cfa:
	case DW_CFA_def_cfa_sf:
		cfa->reg = read_leb(code);
		cfa->offset = read_leb(code);
		/* a factored one would need the factor: nobody writes it at the begin */
		cfa->is_other = op == DW_CFA_def_cfa_sf;
		return true;
	case DW_CFA_def_cfa_register:
		cfa->reg = read_leb(code);
		return true;
	case DW_CFA_def_cfa_offset:
		cfa->offset = read_leb(code);
		return true;
	case DW_CFA_undefined:
		cfa->has_caller &= read_leb(code) != return_column;
		return true;
	case DW_CFA_same_value:
	case DW_CFA_restore_extended:
	case DW_CFA_GNU_args_size:
		read_leb(code);
		return true;
	case DW_CFA_offset_extended:
	case DW_CFA_offset_extended_sf:
	case DW_CFA_register:
	case DW_CFA_val_offset:
	case DW_CFA_val_offset_sf:
		read_leb(code);
		read_leb(code);
		return true;
	case DW_CFA_expression:
	case DW_CFA_val_expression:
		read_leb(code);
		skip(code, read_leb(code));
		return true;
	case DW_CFA_remember_state:
	case DW_CFA_restore_state:
		return true;
	case DW_CFA_def_cfa_offset_sf:
	case DW_CFA_def_cfa_expression:
		cfa->is_other = true;
		return false;
	default: /* it advances */
		return false;
	}
}

static bool is_entry(const struct common *common, struct bytes instructions)
{
	struct bytes initial = common->instructions;
	struct cfa cfa = {.has_caller = true};

	while (initial.at < initial.end && run_instruction(&initial, &cfa, common->return_column))
		;
	while (instructions.at < instructions.end &&
	       run_instruction(&instructions, &cfa, common->return_column))
		;
	return !cfa.is_other && cfa.has_caller && cfa.reg == unwind_native.stack_pointer &&
	       cfa.offset == unwind_native.entry_cfa_offset;
}

/* ---- entries ---- */

/* Reads the augmentation data that belongs to the letters of TEXT. */
static bool read_augmentation(struct bytes *bytes, const char *text, struct common *ret)
{
	struct bytes data = split(bytes, read_leb(bytes));

	for (text++; *text; text++) {
		uint8_t encoding;

		switch (*text) {
		case 'R':
			ret->encoding = (uint8_t)read_number(&data, 1);
			break;
		case 'L':
			read_number(&data, 1);
			break;
		case 'P':
			encoding = (uint8_t)read_number(&data, 1);
			read_number(&data, encoded_size(encoding));
			break;
		case 'S': /* of a signal handler */
		case 'B':
			break;
		default:
			return false;
		}
	}
	return !data.is_short;
}

static bool read_common(struct bytes bytes, struct common *ret)
{
	uint8_t version = (uint8_t)read_number(&bytes, 1);
	const char *text = (const char *)bytes.at;
	size_t length = strnlen(text, (size_t)(bytes.end - bytes.at));

	skip(&bytes, length + 1);
	if (bytes.is_short || (version != 1 && version != 3))
		return false;
	read_leb(&bytes); /* code alignment */
	read_leb(&bytes); /* data alignment */
	*ret = (struct common){.is_augmented = text[0] == 'z'};
	ret->return_column = version == 1 ? read_number(&bytes, 1) : read_leb(&bytes);
	if (text[0] && (!ret->is_augmented || !read_augmentation(&bytes, text, ret)))
		return false;
	ret->instructions = bytes;
	return !bytes.is_short && is_known_encoding(ret->encoding);
}

/* The entry at BYTES, without its length. False: that is no entry. */
static bool next_entry(struct bytes *bytes, struct bytes *ret)
{
	uint64_t length = read_number(bytes, 4);

	if (length == UINT32_MAX)
		length = read_number(bytes, 8);
	*ret = split(bytes, length);
	return length > 0 && !bytes->is_short;
}

static void add_range(struct bytes entry, const struct common *common, struct frame_ranges *ret)
{
	struct frame_range range;

	range.start = read_encoded(&entry, common->encoding, false);
	range.end = range.start + read_encoded(&entry, common->encoding, true);
	if (common->is_augmented)
		skip(&entry, read_leb(&entry));
	if (entry.is_short || range.end <= range.start)
		return;
	range.is_entry = is_entry(common, entry);
	array_reserve((void **)&ret->items, &ret->capacity, ret->count + 1, sizeof(*ret->items));
	ret->items[ret->count++] = range;
}

static void read_section(struct bytes section, struct frame_ranges *ret)
{
	const uint8_t *begin = section.at, *known = NULL;
	uint64_t address = section.address;
	struct bytes entry;
	struct common common = {.encoding = 0};

	while (next_entry(&section, &entry)) {
		const uint8_t *from = entry.at;
		uint64_t back = read_number(&entry, 4);
		struct bytes at;

		if (back == 0 || back > (uint64_t)(from - begin))
			continue; /* a common entry, or nonsense */
		at = (struct bytes){from - back, section.end, address, false};
		at.address += (uint64_t)(at.at - begin);
		if (at.at != known) {
			struct bytes inner;

			known = NULL;
			if (!next_entry(&at, &inner) || read_number(&inner, 4) != 0 ||
			    !read_common(inner, &common))
				continue;
			known = from - back;
		}
		add_range(entry, &common, ret);
	}
}

static int compare(const void *left, const void *right)
{
	const struct frame_range *a = left, *b = right;

	return a->start < b->start ? -1 : a->start > b->start;
}

void image_frames(Elf *elf, struct frame_ranges *ret)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(elf, names, header.sh_name)
					   : NULL;
		Elf_Data *data;

		if (!name || strcmp(name, ".eh_frame") || header.sh_type == SHT_NOBITS)
			continue;
		data = elf_rawdata(section, NULL);
		if (!data || !data->d_buf)
			continue;
		read_section((struct bytes){data->d_buf,
					    (const uint8_t *)data->d_buf + data->d_size,
					    header.sh_addr, false},
			     ret);
	}
	if (ret->count > 0)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare);
}

const struct frame_range *frame_ranges_find(const struct frame_ranges *ranges, uint64_t address)
{
	size_t low = 0, high = ranges->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges->items[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && address < ranges->items[low - 1].end ? &ranges->items[low - 1] : NULL;
}

void frame_ranges_release(struct frame_ranges *ranges)
{
	free(ranges->items);
	*ranges = (struct frame_ranges){.items = NULL};
}
