/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file system with one file whose server is slow: a process of ours answers the kernel's requests
 * by the raw /dev/fuse protocol. The file's bytes are in the server's memory.
 *
 * The server works off one request after the other, in functions with telling names: each read,
 * write and fsync of the file costs as much as was set, asleep in slow_sleep() or computing in
 * slow_compute().
 */
#ifndef DASHCAM_TESTS_CASES_SLOW_FILE_H
#define DASHCAM_TESTS_CASES_SLOW_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct slow_file_settings; /* memory that the server shares */

struct slow_file {
	pid_t server; /* a process named COMM */
	char directory[64];
	char path[80];
	struct slow_file_settings *settings;
};

/*
 * Starts the server as a process named COMM and mounts it. The caller is in a mount namespace of
 * its own, see namespaces_begin. SIZE_BYTES is the file's, for good.
 */
void slow_file_begin(struct slow_file *file, const char *comm, size_t size_bytes);

/* From now on each request about the file's bytes takes DELAY_NS, computing if IS_BUSY, else
 * asleep. */
void slow_file_delay(struct slow_file *file, uint64_t delay_ns, bool is_busy);

/* Unmounts it and ends the server. */
void slow_file_end(struct slow_file *file);

#endif
