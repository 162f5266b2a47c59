/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/demangle.h"

#include <libiberty/demangle.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beyond this a mangled name is left as it is: demangling can take time that grows with its square.
 */
#define MANGLED_SIZE_MAX 8192

/* Copies TEXT, cut with dots where it is too long; never in the middle of a UTF-8 character. */
static void copy_cut(const char *text, char *out)
{
	size_t size = strlen(text);

	if (size < DEMANGLE_SIZE) {
		memcpy(out, text, size + 1);
		return;
	}
	size = DEMANGLE_SIZE - 4;
	while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
		size--;
	memcpy(out, text, size);
	memcpy(out + size, "...", 4);
}

static void demangle_as(const char *name, int style, char *out)
{
	char *readable = NULL;

	/* All manglings that matter begin with _Z (C++, old Rust) or _R (Rust). */
	if (name[0] == '_' && (name[1] == 'Z' || name[1] == 'R') && strlen(name) < MANGLED_SIZE_MAX)
		readable = cplus_demangle(name, style);
	copy_cut(readable ? readable : name, out);
	free(readable);
}

void demangle(const char *name, char *out)
{
	demangle_as(name, DMGL_AUTO, out);
}

void demangle_whole(const char *name, char *out)
{
	demangle_as(name, DMGL_AUTO | DMGL_PARAMS | DMGL_ANSI, out);
}
