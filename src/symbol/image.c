/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/image.h"

#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <gelf.h>
#include <string.h>
#include <sys/stat.h>

#include "symbol/cfi.h"
#include "symbol/image_symbols.h"
#include "symbol/unwind.h"

/* Longest call instruction: an indirect call with a 32-bit displacement and prefixes. */
#define CALL_BYTES_MAX 8

struct image {
	struct elf_file file;
	struct elf_file debug;
	Dwarf *dwarf;      /* of file or debug */
	Dwarf *main_dwarf; /* of file */
	Dwarf_CFI *frame;  /* of .eh_frame */
	Dwarf_CFI *debug_frame;
	bool has_looked_for_frame;
	bool has_looked_for_dwarf;
	bool has_symbols;
	struct symbols symbols;
	struct message_opened description;
};

static int elf_file_open(struct elf_file *ret, int fd)
{
	struct elf_file file = {.fd = fd};
	int err = 0;

	file.elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!file.elf)
		return -ENOEXEC;
	if (elf_kind(file.elf) != ELF_K_ELF || !gelf_getehdr(file.elf, &file.header))
		err = -ENOEXEC;
	else if (file.header.e_machine != unwind_native.elf_machine ||
		 gelf_getclass(file.elf) != ELFCLASS64)
		err = -ENOTSUP;
	if (err) {
		elf_end(file.elf);
		return err;
	}
	*ret = file;
	return 0;
}

static void elf_file_release(struct elf_file *file)
{
	if (!file->elf)
		return;
	elf_end(file->elf);
	close(file->fd);
	file->elf = NULL;
}

static void read_segments(const struct elf_file *file, struct message_opened *opened)
{
	size_t count;

	if (elf_getphdrnum(file->elf, &count))
		return;
	for (size_t i = 0; i < count && opened->segment_count < MESSAGE_SEGMENTS_MAX; i++) {
		struct message_segment *segment = &opened->segments[opened->segment_count];
		GElf_Phdr header;

		if (!gelf_getphdr(file->elf, (int)i, &header))
			return;
		if (header.p_type != PT_LOAD || header.p_filesz == 0)
			continue;
		*segment = (struct message_segment){
			.file_offset = header.p_offset,
			.file_bytes = header.p_filesz,
			.address = header.p_vaddr,
			.is_code = (header.p_flags & PF_X) != 0,
		};
		opened->segment_count++;
	}
}

static uint32_t read_build_id(const struct elf_file *file, uint8_t *ret)
{
	const void *bytes = NULL;
	ssize_t size = dwelf_elf_gnu_build_id(file->elf, &bytes);

	if (size <= 0 || size > EVENT_BUILD_ID_MAX)
		return 0;
	memcpy(ret, bytes, (size_t)size);
	return (uint32_t)size;
}

static void read_link(const struct elf_file *file, struct message_opened *opened)
{
	GElf_Word checksum;
	const char *name = dwelf_elf_gnu_debuglink(file->elf, &checksum);
	size_t size = name ? strlen(name) + 1 : 0;

	if (size == 0 || size > sizeof(opened->link))
		return;
	memcpy(opened->link, name, size);
	opened->link_checksum = checksum;
}

int image_open(struct image **ret, int fd)
{
	struct image *image = xcalloc(1, sizeof(*image));
	int err = elf_file_open(&image->file, fd);

	if (err) {
		free(image);
		return err;
	}
	image->description.entry = image->file.header.e_entry;
	read_segments(&image->file, &image->description);
	image->description.build_id_size = read_build_id(&image->file, image->description.build_id);
	read_link(&image->file, &image->description);
	*ret = image;
	return 0;
}

void image_free(struct image *image)
{
	if (!image)
		return;
	if (image->frame)
		dwarf_cfi_end(image->frame);
	if (image->dwarf && image->dwarf != image->main_dwarf)
		dwarf_end(image->dwarf);
	if (image->main_dwarf)
		dwarf_end(image->main_dwarf);
	symbols_release(&image->symbols);
	elf_file_release(&image->debug);
	elf_file_release(&image->file);
	free(image);
}

void image_describe(const struct image *image, struct message_opened *ret)
{
	*ret = image->description;
}

static bool has_section(const struct elf_file *file, const char *suffix)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(file->elf, &names))
		return false;
	while ((section = elf_nextscn(file->elf, section))) {
		GElf_Shdr header;
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(file->elf, names, header.sh_name)
					   : NULL;

		/* both .debug_x and the older, compressed .zdebug_x */
		if (name && header.sh_type != SHT_NOBITS && strstr(name, suffix))
			return true;
	}
	return false;
}

static Dwarf *main_dwarf(struct image *image)
{
	if (!image->main_dwarf)
		image->main_dwarf = dwarf_begin_elf(image->file.elf, DWARF_C_READ, NULL);
	return image->main_dwarf;
}

static void look_for_frame(struct image *image)
{
	image->has_looked_for_frame = true;
	image->frame = dwarf_getcfi_elf(image->file.elf);
	/* Opening all of DWARF for this one section is dear: only where it is there. */
	if (has_section(&image->file, "debug_frame") && main_dwarf(image))
		image->debug_frame = dwarf_getcfi(image->main_dwarf);
}

int image_row(struct image *image, uint64_t address, struct buffer *out)
{
	int err = -ENODATA;

	if (!image->has_looked_for_frame)
		look_for_frame(image);
	if (image->frame)
		err = cfi_row(image->frame, address, out);
	if (err && image->debug_frame)
		err = cfi_row(image->debug_frame, address, out);
	return err;
}

/* Reads up to SIZE bytes of code that end at ADDRESS; returns how many. */
static size_t read_code(const struct image *image, uint64_t address, uint8_t *bytes, size_t size)
{
	for (unsigned int i = 0; i < image->description.segment_count; i++) {
		const struct message_segment *segment = &image->description.segments[i];
		uint64_t at = address - segment->address;
		ssize_t n;

		if (!segment->is_code || address <= segment->address || at > segment->file_bytes)
			continue;
		if (size > at)
			size = at;
		n = pread(image->file.fd, bytes, size, (off_t)(segment->file_offset + at - size));
		return n == (ssize_t)size ? size : 0;
	}
	return 0;
}

/* True if the bytes, which end where the return address points, end with a call: e8 rel32, or
 * ff /2 with each of the lengths that its operand can have. */
static bool ends_with_call(const uint8_t *end, size_t size)
{
	if (size >= 5 && end[-5] == 0xe8)
		return true;
	for (size_t length = 2; length <= 7 && length <= size; length++) {
		const uint8_t *at = end - length;
		unsigned int mode = at[1] >> 6, base = at[1] & 7;
		size_t expected = 2;

		if (at[0] != 0xff || (at[1] >> 3 & 7) != 2)
			continue;
		if (mode != 3 && base == 4)
			expected++;
		if (mode == 1)
			expected++;
		if (mode == 2 || (mode == 0 && base == 5))
			expected += 4;
		if (mode == 0 && base == 4 && length == 7 && (at[2] & 7) == 5)
			expected += 4;
		if (expected == length)
			return true;
	}
	return false;
}

bool image_is_call_site(struct image *image, uint64_t address)
{
	uint8_t bytes[CALL_BYTES_MAX];
	size_t size = read_code(image, address, bytes, sizeof(bytes));

	return size >= 2 && ends_with_call(bytes + size, size);
}

/* The CRC-32 of .gnu_debuglink (the polynomial of zlib), over the whole file. */
static bool checksum_matches(int fd, uint32_t expected)
{
	uint8_t bytes[16384];
	uint32_t sum = ~UINT32_C(0);
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, bytes, sizeof(bytes), at)) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			sum ^= bytes[i];
			for (int bit = 0; bit < 8; bit++)
				sum = sum >> 1 ^ (sum & 1 ? UINT32_C(0xedb88320) : 0);
		}
		at += n;
	}
	return n == 0 && ~sum == expected;
}

int image_set_debug(struct image *image, int fd)
{
	const struct message_opened *description = &image->description;
	uint8_t build_id[sizeof(description->build_id)];
	struct elf_file debug = {.fd = -1};
	uint32_t size;
	bool matches;
	int err;

	if (image->debug.elf || image->has_symbols)
		return -EALREADY;
	err = elf_file_open(&debug, fd);
	if (err)
		return err;
	size = read_build_id(&debug, build_id);
	if (description->build_id_size > 0)
		matches = size == description->build_id_size &&
			  !memcmp(build_id, description->build_id, size);
	else
		matches = checksum_matches(fd, description->link_checksum);
	if (!matches) {
		elf_end(debug.elf);
		return -ESTALE;
	}
	image->debug = debug;
	return 0;
}

const struct symbols *image_symbols(struct image *image)
{
	if (!image->has_symbols) {
		image->has_symbols = true;
		image_load_symbols(&image->file, &image->debug, &image->symbols);
		symbols_finish(&image->symbols);
	}
	return &image->symbols;
}

void image_all_symbols(struct image *image, struct symbols *ret)
{
	image_load_symbols(&image->file, &image->debug, ret);
}

Elf *image_elf(const struct image *image)
{
	return image->file.elf;
}

Dwarf *image_dwarf(struct image *image)
{
	if (image->has_looked_for_dwarf)
		return image->dwarf;
	image->has_looked_for_dwarf = true;
	if (image->debug.elf && has_section(&image->debug, "debug_info"))
		image->dwarf = dwarf_begin_elf(image->debug.elf, DWARF_C_READ, NULL);
	else if (has_section(&image->file, "debug_info"))
		image->dwarf = main_dwarf(image);
	return image->dwarf;
}
