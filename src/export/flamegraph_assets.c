/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/flamegraph_assets.h"

/* The Makefile says where the files are. */
#define EMBED(name, path)                                                                          \
	__asm__(".pushsection .rodata\n"                                                           \
		".global " #name "\n"                                                              \
		".type " #name ", @object\n" #name ":\n"                                           \
		".incbin \"" path "\"\n"                                                           \
		".byte 0\n"                                                                        \
		".size " #name ", . - " #name "\n"                                                 \
		".popsection\n")

EMBED(flamegraph_script, FLAMEGRAPH_SCRIPT_PATH);
EMBED(flamegraph_style, FLAMEGRAPH_STYLE_PATH);
