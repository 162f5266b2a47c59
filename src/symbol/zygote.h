/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process that starts the resolver's workers: the reader, which works on hostile files in a
 * sandbox, and the opener, which opens them. It is forked before the recorder opens anything, so
 * that a worker started late, after another one died, inherits no descriptor and no memory of the
 * recorder. It touches no hostile data itself.
 */
#ifndef DASHCAM_SYMBOL_ZYGOTE_H
#define DASHCAM_SYMBOL_ZYGOTE_H

#include <stddef.h>
#include <sys/types.h>

#include "symbol/message.h"

enum zygote_worker {
	ZYGOTE_READER,
	ZYGOTE_OPENER,
	ZYGOTE_WORKERS
};

/* Runs in the forked process until the other end of the socket CONTROL is closed. For each byte
 * that comes, an enum zygote_worker, it kills the worker of that kind that there was, starts a new
 * one, and answers with its pid and a socket. Does not return. */
void zygote_run(int control) __attribute__((noreturn));

/* Sends SIZE bytes and, unless FD is -1, a descriptor. Returns 0 or a negative errno, no sentence.
 */
int socket_send(int socket, const void *bytes, size_t size, int fd);

/* Receives one message of up to SIZE bytes. *RET_FD, if not NULL, is a descriptor that came with it
 * (owned by the caller) or -1. Returns its size, 0 at the end, or a negative errno, no sentence.
 * FLAGS: of recvmsg. */
ssize_t socket_receive(int socket, void *bytes, size_t size, int *ret_fd, int flags);

#endif
