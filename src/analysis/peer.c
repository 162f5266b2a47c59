/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/peer.h"

#include <string.h>
#include <sys/socket.h>

/* Ports from here on are given out to clients (net.ipv4.ip_local_port_range). */
#define EPHEMERAL_PORT 32768

/* Tells these from the other habits that are kept in the same map (account.c). */
#define HABIT_ACCEPTS  (UINT64_C(1) << 62)
#define HABIT_CONNECTS (UINT64_C(1) << 60)
/* No port, but that all ports have been looked for. */
#define PORTS          (UINT64_C(1) << 16)
/* More than one port. */
#define SHARED         (UINT64_C(1) << 17)

const struct event_socket *peer_socket(const struct history *history, const struct wait *wait)
{
	return wait && wait->evidence && wait->evidence->object_kind == EVENT_OBJECT_SOCKET
		       ? model_socket(history_model(history), wait->evidence->object)
		       : NULL;
}

const struct event_socket *peer_sender(const struct history *history, const struct wait *wait)
{
	return wait && wait->evidence
		       ? model_socket(history_model(history), wait->evidence->waker_socket)
		       : NULL;
}

bool peer_is_mirror(const struct event_socket *one, const struct event_socket *other)
{
	return one && other && one->local_port && one->remote_port &&
	       one->local_port == other->remote_port && one->remote_port == other->local_port;
}

static bool is_accept(const struct wait *wait)
{
	const char *name = wait->evidence && wait->evidence->syscall >= 0
				   ? model_syscall_name(wait->evidence->syscall)
				   : NULL;

	return name && !strncmp(name, "accept", 6);
}

/* Counts up to two ports that PORT was connected with: the first, or SHARED. */
static void note_connection(struct map64 *habits, uint16_t port, uint16_t other)
{
	uint64_t *known = map64_get(habits, HABIT_CONNECTS | port);

	if (!known)
		map64_put(habits, HABIT_CONNECTS | port, other);
	else if (*known != other)
		*known = SHARED;
}

/* Ports that were connected with several others that the kernel gave out: those of servers. */
static void find_shared(const struct history *history, struct map64 *habits)
{
	const struct event_socket *socket;
	size_t at = 0;

	while ((socket = model_socket_next(history_model(history), &at))) {
		if (socket->family == AF_UNIX || socket->local_port < EPHEMERAL_PORT ||
		    socket->remote_port < EPHEMERAL_PORT)
			continue;
		note_connection(habits, socket->local_port, socket->remote_port);
		note_connection(habits, socket->remote_port, socket->local_port);
	}
	map64_put(habits, HABIT_CONNECTS | PORTS, 1);
}

static bool is_shared(const struct history *history, uint16_t port)
{
	struct map64 *habits = history_habits(history);
	const uint64_t *known;

	if (!map64_get(habits, HABIT_CONNECTS | PORTS))
		find_shared(history, habits);
	known = map64_get(habits, HABIT_CONNECTS | port);
	return known && *known == SHARED;
}

/* All that were seen to wait in accept, by port. */
static void find_acceptors(const struct history *history, struct map64 *habits)
{
	struct model *model = history_model(history);

	for (size_t i = 0; i < model_wait_count(model); i++) {
		const struct wait *wait = model_wait(model, i);
		const struct event_socket *socket =
			is_accept(wait) ? peer_socket(history, wait) : NULL;

		if (socket && !map64_get(habits, HABIT_ACCEPTS | socket->local_port))
			map64_put(habits, HABIT_ACCEPTS | socket->local_port, wait->thread->index);
	}
	map64_put(habits, HABIT_ACCEPTS | PORTS, 1);
}

/* The thread that was seen to wait in accept on PORT. */
static const struct thread *acceptor_of(const struct history *history, uint16_t port)
{
	struct map64 *habits = history_habits(history);
	const uint64_t *known;

	if (!map64_get(habits, HABIT_ACCEPTS | PORTS))
		find_acceptors(history, habits);
	known = map64_get(habits, HABIT_ACCEPTS | port);
	return known ? model_thread(history_model(history), *known) : NULL;
}

const struct thread *peer_acceptor(const struct history *history, const struct event_socket *socket)
{
	return socket && socket->remote_port ? acceptor_of(history, socket->remote_port) : NULL;
}

enum peer_role peer_role(const struct history *history, const struct event_socket *socket)
{
	if (!socket)
		return PEER_UNKNOWN;
	if (socket->family == AF_UNIX)
		return socket->path[0] ? PEER_SERVER : PEER_UNKNOWN;
	if (!socket->local_port || !socket->remote_port)
		return PEER_UNKNOWN;
	if (socket->local_port < EPHEMERAL_PORT && socket->remote_port >= EPHEMERAL_PORT)
		return PEER_SERVER;
	if (socket->local_port >= EPHEMERAL_PORT && socket->remote_port < EPHEMERAL_PORT)
		return PEER_CLIENT;
	if (acceptor_of(history, socket->local_port))
		return PEER_SERVER;
	if (acceptor_of(history, socket->remote_port))
		return PEER_CLIENT;
	if (is_shared(history, socket->local_port) == is_shared(history, socket->remote_port))
		return PEER_UNKNOWN;
	return is_shared(history, socket->local_port) ? PEER_SERVER : PEER_CLIENT;
}
