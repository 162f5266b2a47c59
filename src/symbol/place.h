/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the probe on a function's entry goes.
 *
 * On an instruction that the kernel emulates a uprobe costs under 1 us, on another, which is
 * single-stepped, more than ten times as much. So we look for the first of the former in the block
 * the function begins with, where each call passes exactly once: before it nothing jumps in, and
 * the stack pointer has not moved, so that a return probe finds the return address on top. Else the
 * probe goes to the first instruction that takes one, which mostly is the very first.
 *
 * Part of the reader: works on hostile code.
 */
#ifndef DASHCAM_SYMBOL_PLACE_H
#define DASHCAM_SYMBOL_PLACE_H

#include <stdbool.h>
#include <stdint.h>

struct code;

struct place_finder; /* holds a disassembler */

/* LONG_NOPS: the kernel emulates nops of more than two bytes. */
struct place_finder *place_finder_new(const struct code *code, bool has_long_nops);
void place_finder_free(struct place_finder *finder); /* NULL is fine */

struct place_found {
	uint16_t probe_bytes;  /* from the start of the function */
	uint16_t written;      /* enum resolver_argument: registers written before it */
	uint8_t place;         /* enum resolver_place */
	uint8_t why;           /* enum resolver_why */
	bool entry_is_refused; /* the kernel takes no probe on the first instruction */
};

/* The place for the function at [start, end); END may be START: not known. */
void place_find(struct place_finder *finder, uint64_t start, uint64_t end, struct place_found *ret);

#endif
