/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Call frame information: from .eh_frame or .debug_frame, as libdw decodes it, to rows for the
 * unwinder. Part of the reader: works on hostile files.
 */
#ifndef DASHCAM_SYMBOL_CFI_H
#define DASHCAM_SYMBOL_CFI_H

#include <elfutils/libdw.h>

#include "base/memory.h"
#include "symbol/unwind.h"

/* Appends the row that holds at ADDRESS to OUT. Returns 0, or -ENODATA if CFI does not cover the
 * address, or -EBADMSG if what it says cannot be expressed. No sentence: this is ordinary. */
int cfi_row(Dwarf_CFI *cfi, uint64_t address, struct buffer *out);

#endif
