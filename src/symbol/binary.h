/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of code by the names that people give them.
 */
#ifndef DASHCAM_SYMBOL_BINARY_H
#define DASHCAM_SYMBOL_BINARY_H

#include <stdbool.h>

/* Is NAME a name of the file at PATH: the path itself, its last part, or that without the end of a
 * version ("libm.so.6" of "/lib/libm.so.6.1")? */
bool binary_is_named(const char *path, const char *name);

/* An absolute path for NAME: a path, or a library in the usual directories, or a program in PATH.
 * The caller frees. NULL: nothing is there. */
char *binary_find(const char *name);

#endif
