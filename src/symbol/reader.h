/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader: answers the resolver's requests about the files of recorded processes. It runs in a
 * sandbox, because these files are hostile; tests run it in their own process.
 */
#ifndef DASHCAM_SYMBOL_READER_H
#define DASHCAM_SYMBOL_READER_H

#include <stddef.h>

#include "base/memory.h"
#include "symbol/message.h"

struct reader;

struct reader *reader_new(void);
void reader_free(struct reader *reader); /* NULL is fine */

/* Answers one request of SIZE bytes; FD is the file that came with it (owned from here on) or -1.
 * The reply replaces what is in REPLY. */
void reader_answer(struct reader *reader, const struct message *request, size_t size, int fd,
		   struct buffer *reply);

#endif
