/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /tmp/perf-PID.map: the names that a JIT compiler gives to its code. Lines of "START SIZE name",
 * both numbers in hexadecimal. Part of the reader: works on hostile files.
 */
#ifndef DASHCAM_SYMBOL_PERF_MAP_H
#define DASHCAM_SYMBOL_PERF_MAP_H

#include "symbol/symbols.h"

/* Reads at most this much of a map. */
#define PERF_MAP_SIZE_MAX (UINT64_C(512) << 20)

/* Fills the table from FD and finishes it. Lines that make no sense are skipped; of several entries
 * with the same start the last one counts, since code is compiled over older code. */
void perf_map_read(int fd, struct symbols *symbols);

#endif
