/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes on functions of files, by the kernel's own interfaces: Debian 12's libbpf knows only the
 * older one.
 */
#ifndef DASHCAM_CAPTURE_UPROBE_H
#define DASHCAM_CAPTURE_UPROBE_H

#include <stdbool.h>
#include <stdint.h>

/* The attach type that a program for many places must be loaded with (BPF_TRACE_UPROBE_MULTI, 6.6).
 */
#define UPROBE_MULTI_TYPE 48

/* Does this kernel put one program on many places at once? */
bool uprobe_has_multi(void);

/* Puts PROGRAM_FD, loaded with UPROBE_MULTI_TYPE, on COUNT places of the file PATH, for all
 * processes. Returns the descriptor of the link, or a negative errno. */
int uprobe_attach_many(int program_fd, const char *path, const uint64_t *offsets, uint32_t count);

/* The same for one place, with a program that was loaded without that type: any kernel.
 * *RET_EVENT_FD has to stay open as well. */
int uprobe_attach_one(int program_fd, const char *path, uint64_t offset, int *ret_event_fd);

#endif
