/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists the functions of an ELF file, and where each can be probed. Part of the reader: works on
 * hostile files.
 */
#ifndef DASHCAM_SYMBOL_IMAGE_LISTING_H
#define DASHCAM_SYMBOL_IMAGE_LISTING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"
#include "symbol/image.h"

struct image_listing;

/* Makes the list. The image must live as long. LONG_NOPS: as in place.h. */
struct image_listing *image_listing_new(struct image *image, bool has_long_nops);
void image_listing_free(struct image_listing *listing); /* NULL is fine */

size_t image_listing_count(const struct image_listing *listing);

/* Appends the function numbered INDEX to a reply as a message_listed. False: it does not fit. */
bool image_listing_add(const struct image_listing *listing, size_t index, struct buffer *reply);

/* Appends what the file is called, what it needs, and how its programs use their stacks to a reply
 * that holds a struct message: it becomes a message_about. */
void image_about(struct image *image, struct buffer *reply);

#endif
