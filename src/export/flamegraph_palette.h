/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The colours of a flame graph: for each paint a few shades, once for light and once for dark
 * windows. Which shade a frame has depends on its name only, so a function keeps its colour from
 * picture to picture.
 */
#ifndef DASHCAM_EXPORT_FLAMEGRAPH_PALETTE_H
#define DASHCAM_EXPORT_FLAMEGRAPH_PALETTE_H

#include <stdbool.h>

#include "base/memory.h"
#include "export/flamegraph_layout.h"

#define PALETTE_SHADES 6

/* The name of the paint in style classes: "nu" and a shade make class "nu3". */
const char *palette_class(enum flame_paint paint);
/* What the legend calls it. */
const char *palette_label(enum flame_paint paint);

unsigned int palette_shade(const char *text);

/* The colour as 0xrrggbb, and that of text on it. */
uint32_t palette_fill(enum flame_paint paint, unsigned int shade, bool is_dark);
uint32_t palette_ink(bool is_dark);

/* Appends the style rules of all paints. */
void palette_put_css(struct buffer *out);

#endif
