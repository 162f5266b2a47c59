/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where functions lie, by .eh_frame: it is there in stripped files, too. Part of the reader: works
 * on hostile files.
 */
#ifndef DASHCAM_SYMBOL_IMAGE_FRAMES_H
#define DASHCAM_SYMBOL_IMAGE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Elf;

/* A range of code that is unwound by one entry of the table. */
struct frame_range {
	uint64_t start;
	uint64_t end;
	bool is_entry; /* where it begins, the return address lies on top of the stack */
};

/* Zero-initialised is empty. */
struct frame_ranges {
	struct frame_range *items; /* by start; owned */
	size_t count;
	size_t capacity;
};

/* Reads .eh_frame; what makes no sense in it is left out. */
void image_frames(struct Elf *elf, struct frame_ranges *ret);

/* The range that covers ADDRESS; NULL if there is none. */
const struct frame_range *frame_ranges_find(const struct frame_ranges *ranges, uint64_t address);

void frame_ranges_release(struct frame_ranges *ranges);

#endif
