/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names as people write them: C++ and Rust symbols demangled, without parameters, cut to a sane
 * length.
 */
#ifndef DASHCAM_SYMBOL_DEMANGLE_H
#define DASHCAM_SYMBOL_DEMANGLE_H

#include <stddef.h>

#define DEMANGLE_SIZE 512 /* longest name, its NUL included */

/* Writes the readable form of NAME into OUT, of DEMANGLE_SIZE bytes. */
void demangle(const char *name, char *out);

/* The same with the parameters, as a declaration has them: what tells overloads apart. */
void demangle_whole(const char *name, char *out);

#endif
