/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parameters of functions from DWARF: their names and types, and which of the places that the
 * x86-64 System V ABI has for arguments is theirs. Part of the reader: works on hostile files.
 */
#ifndef DASHCAM_SYMBOL_PARAMETERS_H
#define DASHCAM_SYMBOL_PARAMETERS_H

#include "symbol/message.h"

struct Dwarf;

/*
 * Finds those of the function that begins at ADDRESS, in their order, what it returns last. Returns
 * how many. Left out are those that are in no such place (floating-point numbers, structures), and
 * all behind one of which it is not known how many places it takes. Only C and C++ are known to
 * keep to the ABI. DWARF may be NULL.
 */
unsigned int parameters_find(struct Dwarf *dwarf, uint64_t address,
			     struct message_parameter ret[MESSAGE_PARAMETERS_MAX]);

#endif
