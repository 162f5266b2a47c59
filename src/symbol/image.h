/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One ELF file, opened for reading by the reader: its segments, its call frame information, its
 * symbols and, on demand, its debug file. Works on hostile files; reads by pread only, so that a
 * file cut short under our eyes gives an error and no signal.
 */
#ifndef DASHCAM_SYMBOL_IMAGE_H
#define DASHCAM_SYMBOL_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "symbol/message.h"

struct image;
struct symbols;

/* Opens the ELF file FD, which is owned by the image if 0 is returned. -ENOEXEC: it is no ELF file;
 * -ENOTSUP: of another machine, or 32-bit. Errors carry no sentence. */
int image_open(struct image **ret, int fd);
void image_free(struct image *image); /* NULL is fine */

/* Build id, segments and the name of the debug file. */
void image_describe(const struct image *image, struct message_opened *ret);

/* Appends the unwind row at ADDRESS. -ENODATA: not covered; -EBADMSG: cannot be expressed. */
int image_row(struct image *image, uint64_t address, struct buffer *out);

/* True if a call instruction ends at ADDRESS. */
bool image_is_call_site(struct image *image, uint64_t address);

/* Gives the image a candidate of its debug file: its build id must be the same, or else the
 * checksum of the file must be that of .gnu_debuglink. Owns FD if 0 is returned, else -ESTALE or
 * another error. */
int image_set_debug(struct image *image, int fd);

/* The function symbols of the file and its debug file, loaded on the first call. */
const struct symbols *image_symbols(struct image *image);

/* Adds the same as they stand in the files: several may have one address, or one name. Not to be
 * searched by address. */
void image_all_symbols(struct image *image, struct symbols *ret);

/* The file itself; borrowed. */
struct Elf *image_elf(const struct image *image);

/* The debugging information that has source lines: of the debug file, else of the file; NULL if
 * none. */
struct Dwarf *image_dwarf(struct image *image);

#endif
