/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gives up everything that reading files needs not: identity, capabilities, other files, new files,
 * processes, network, executable memory.
 */
#ifndef DASHCAM_SYMBOL_SANDBOX_H
#define DASHCAM_SYMBOL_SANDBOX_H

/* Closes all descriptors but KEEP; standard input and outputs go to /dev/null. */
void sandbox_close_files(int keep);

/* Turns this process, for good, into one that can answer on an open socket and nothing else. The
 * process dies with its parent thread. Returns 0 or a negative errno without a sentence; do not go
 * on then. */
int sandbox_enter(void);

#endif
