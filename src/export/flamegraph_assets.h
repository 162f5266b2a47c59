/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flamegraph.js and flamegraph.css, as the build put them into the program.
 */
#ifndef DASHCAM_EXPORT_FLAMEGRAPH_ASSETS_H
#define DASHCAM_EXPORT_FLAMEGRAPH_ASSETS_H

/* NUL-terminated. */
extern const char flamegraph_script[];
extern const char flamegraph_style[];

#endif
