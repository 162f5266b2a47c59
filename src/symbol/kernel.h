/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of kernel functions, from /proc/kallsyms.
 */
#ifndef DASHCAM_SYMBOL_KERNEL_H
#define DASHCAM_SYMBOL_KERNEL_H

#include <stdio.h>

#include "symbol/symbols.h"

/* Reads functions in the format of /proc/kallsyms; those of modules are named "function [module]".
 * Returns how many have an address: 0 if the kernel hides them. */
size_t kernel_read_symbols(FILE *in, struct symbols *symbols);

#endif
