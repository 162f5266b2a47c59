/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resolver's end of its workers (see zygote.h): asks, waits with a limit, and has a worker
 * started again when it has died or does not answer.
 */
#ifndef DASHCAM_SYMBOL_HELPER_H
#define DASHCAM_SYMBOL_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "symbol/message.h"
#include "symbol/opener.h"
#include "symbol/zygote.h"

struct helper;

/* IN_PROCESS: do the workers' work here (tests). Returns 0 or a negative errno with a
 * sentence. */
int helper_new(struct helper **ret, bool in_process);
void helper_free(struct helper *helper); /* ends the workers; NULL is fine */

/*
 * Sends a request of SIZE bytes, with the file FD (borrowed) unless -1, and waits up to LIMIT_MS
 * for the reply. *RET_REPLY is good until the next call; *RET_SIZE is at least that of struct
 * message. Returns the reply's own error, or -ETIMEDOUT or -EPIPE when there was no answer: then
 * the reader has been started again and knows nothing, or -ENODEV when it could not be. No
 * sentence.
 */
int helper_ask(struct helper *helper, const struct message *request, size_t size, int fd,
	       unsigned int limit_ms, const struct message **ret_reply, size_t *ret_size);

/* Has a file opened. Returns a descriptor (owned by the caller) or a negative errno: -ETIMEDOUT if
 * the file system does not answer. No sentence. */
int helper_open(struct helper *helper, const struct opener_request *request,
		struct opener_reply *reply);

/* How often the reader had to be started again. */
uint64_t helper_restarts(const struct helper *helper);
pid_t helper_pid(const struct helper *helper, enum zygote_worker worker); /* 0 if there is none */

#endif
