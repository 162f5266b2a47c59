/* SPDX-License-Identifier: BSD-2-Clause */
/* What a wait was on, in words. */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "model/internal.h"

#define LOCK_SPIN   1
#define LOCK_READ   2
#define LOCK_WRITE  4
#define LOCK_RT     8
#define LOCK_PERCPU 16
#define LOCK_MUTEX  32

#define END_TEXT_SIZE (INET6_ADDRSTRLEN + 16)

const struct event_file *model_file(const struct model *model, uint64_t id)
{
	const uint64_t *known = map64_get(&model->tables.files, id);

	return known ? (const struct event_file *)(uintptr_t)*known : NULL;
}

const struct event_socket *model_socket(const struct model *model, uint64_t id)
{
	const uint64_t *known = map64_get(&model->tables.sockets, id);

	return known ? (const struct event_socket *)(uintptr_t)*known : NULL;
}

const struct event_socket *model_socket_next(const struct model *model, size_t *at)
{
	uint64_t id, value;

	return map64_next(&model->tables.sockets, at, &id, &value)
		       ? (const struct event_socket *)(uintptr_t)value
		       : NULL;
}

static void file_text(const struct event_file *file, char *text, size_t size)
{
	if (*file->path)
		snprintf(text, size, "%s", file->path);
	else if (S_ISFIFO(file->mode))
		snprintf(text, size, "pipe:[%llu]", file->inode);
	else
		snprintf(text, size, "inode %llu on %u:%u", file->inode, file->device >> 20,
			 file->device & 0xfffff);
}

/* "10.0.0.1:80", "[::1]:80" */
static void end_text(uint16_t family, const uint8_t *address, uint16_t port, char *text)
{
	char number[INET6_ADDRSTRLEN] = "";

	inet_ntop(family, address, number, sizeof(number));
	snprintf(text, END_TEXT_SIZE, family == AF_INET6 ? "[%s]:%u" : "%s:%u", number, port);
}

static const char *protocol_name(const struct event_socket *socket)
{
	switch (socket->protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	default:
		return socket->type == SOCK_STREAM ? "stream" : "ip";
	}
}

static void internet_text(const struct event_socket *socket, char *text, size_t size)
{
	char local[END_TEXT_SIZE], remote[END_TEXT_SIZE];

	end_text(socket->family, socket->local_address, socket->local_port, local);
	end_text(socket->family, socket->remote_address, socket->remote_port, remote);
	if (socket->remote_port)
		snprintf(text, size, "%s %s > %s", protocol_name(socket), local, remote);
	else
		snprintf(text, size, "%s %s", protocol_name(socket), local);
}

static void socket_text(const struct event_socket *socket, char *text, size_t size)
{
	switch (socket->family) {
	case AF_INET:
	case AF_INET6:
		internet_text(socket, text, size);
		break;
	case AF_UNIX:
		snprintf(text, size, "unix %s", *socket->path ? socket->path : "(unnamed)");
		break;
	case AF_NETLINK:
		snprintf(text, size, "netlink");
		break;
	default:
		snprintf(text, size, "socket of family %u", socket->family);
		break;
	}
}

static const char *lock_name(uint32_t flags)
{
	if (flags & LOCK_MUTEX)
		return flags & LOCK_RT ? "rt mutex" : "mutex";
	if (flags & LOCK_PERCPU)
		return flags & LOCK_WRITE ? "percpu rwsem, write" : "percpu rwsem, read";
	if (flags & LOCK_SPIN)
		return flags & LOCK_READ    ? "rwlock, read"
		       : flags & LOCK_WRITE ? "rwlock, write"
					    : "spinlock";
	if (flags & LOCK_RT)
		return "rt mutex";
	return flags & LOCK_READ ? "rwsem, read" : flags & LOCK_WRITE ? "rwsem, write" : "lock";
}

char *model_object_text(const struct model *model, const struct event_wait *evidence, char *text,
			size_t size)
{
	const struct event_file *file = model_file(model, evidence->object);
	const struct event_socket *socket = model_socket(model, evidence->object);

	if (size == 0)
		return text;
	*text = '\0';
	if (evidence->object_kind == EVENT_OBJECT_FILE && file) {
		file_text(file, text, size);
	} else if (evidence->object_kind == EVENT_OBJECT_SOCKET && socket) {
		socket_text(socket, text, size);
	} else if (evidence->futex_address) {
		snprintf(text, size, "futex 0x%llx", evidence->futex_address);
	} else if (evidence->lock_address) {
		snprintf(text, size, "lock 0x%llx (%s)", evidence->lock_address,
			 lock_name(evidence->lock_flags));
	}
	return text;
}
