/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two ends of a connection: who is the server, who the client.
 *
 * A server that waits for the next request has nothing to do; a client that waits for the answer is
 * held up. Their waits look alike, so the sockets are asked: a client's port is given out by the
 * kernel, a server's is one that somebody chose, on which somebody was seen to accept, or that
 * several others are connected with; of unix sockets, the server's end has a name.
 */
#ifndef DASHCAM_ANALYSIS_PEER_H
#define DASHCAM_ANALYSIS_PEER_H

#include "analysis/history.h"

enum peer_role {
	PEER_UNKNOWN,
	PEER_SERVER,
	PEER_CLIENT,
};

/* On which end of the connection is SOCKET's owner? NULL is unknown. */
enum peer_role peer_role(const struct history *history, const struct event_socket *socket);

/* The socket that WAIT was for; NULL if it was for none. WAIT may be NULL. */
const struct event_socket *peer_socket(const struct history *history, const struct wait *wait);

/* The socket through which the message came that ended WAIT, at the sender's end; NULL: not known.
 */
const struct event_socket *peer_sender(const struct history *history, const struct wait *wait);

/* The two ends of one connection on this machine. Either may be NULL. */
bool peer_is_mirror(const struct event_socket *one, const struct event_socket *other);

/* The thread that should accept what SOCKET connects to, if it is of this machine: the one that was
 * seen to wait in accept on that port. NULL if there is none. */
const struct thread *peer_acceptor(const struct history *history,
				   const struct event_socket *socket);

#endif
