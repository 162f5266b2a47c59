/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words for cases in which processes talk: children that die with their parent, listening and
 * connected sockets, questions and answers of one byte. Each ends the program with a sentence when
 * it cannot.
 */
#ifndef DASHCAM_TESTS_TALK_H
#define DASHCAM_TESTS_TALK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "case.h"

/* Where a server can be reached. */
struct endpoint {
	struct sockaddr_storage address;
	socklen_t size;
	int type; /* SOCK_ */
};

/*
 * Runs BODY(CONTEXT) in a child process called NAME. It is killed when this process ends, however
 * that comes. Returns its pid.
 */
pid_t start_child(const char *name, void (*body)(void *context), void *context);
/* Kills and reaps a child. */
void end_child(pid_t child);
/* The calling thread's name (15 characters). */
void set_name(const char *name);

/*
 * A bound and, but for "udp", listening socket of KIND "tcp", "udp" (both on ADDRESS, a free port)
 * or "unix" (an abstract name that the kernel chooses; ADDRESS is not used). BACKLOG as of
 * listen(2).
 */
int listen_on(const char *kind, const char *address, int backlog, struct endpoint *ret);
int connect_to(const struct endpoint *endpoint);
/* The TCP or UDP port of an endpoint. */
uint16_t endpoint_port(const struct endpoint *endpoint);

void send_bytes(int peer, const void *bytes, size_t size);
/* False when the peer has closed. */
int receive_bytes(int peer, void *bytes, size_t size);

/* A request (case.h) to the connected socket *CONTEXT, an int: sends one byte, waits for one byte.
 */
void ask(struct requests *requests, void *context);
/* Waits for one byte, calls WORK(CONTEXT), sends one byte; until PEER is closed. */
void answer_each(int peer, void (*work)(void *context), void *context);

#endif
