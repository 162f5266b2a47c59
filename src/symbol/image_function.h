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

#endif
