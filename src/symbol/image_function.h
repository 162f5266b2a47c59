/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds a function of an ELF file by its name, and what must be known before a probe is put on its
 * return. Part of the reader: works on hostile files.
 */
#ifndef DASHCAM_SYMBOL_IMAGE_FUNCTION_H
#define DASHCAM_SYMBOL_IMAGE_FUNCTION_H

#include "symbol/image.h"
#include "symbol/message.h"

/*
 * Fills RET but for its message's type and module. A name is a symbol, or as demangled, with
 * parameters or without. If several functions have it and none is the best (the default version, a
 * visible one), all are counted.
 */
void image_find_function(struct image *image, const struct message_find *request,
			 struct message_function *ret);

/* Does an instruction begin at ADDRESS before which nothing was put on the stack but the return
 * address? Call frame information says so; where there is none, a symbol must do. */
bool image_is_entry(struct image *image, uint64_t address, bool has_symbol);

/* May exceptions or panics go through functions of the file? */
bool image_may_unwind(struct image *image);

/* Does its program switch or move stacks by itself (Go, makecontext)? */
bool image_moves_stacks(struct image *image);

#endif
