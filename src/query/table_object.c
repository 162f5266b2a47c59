/* SPDX-License-Identifier: BSD-2-Clause */
/* file, socket: what descriptors stood for. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "query/internal.h"

static size_t file_count(struct query *query)
{
	return recording_info(model_recording(query->model))->event_count[EVENT_FILE];
}

static size_t socket_count(struct query *query)
{
	return recording_info(model_recording(query->model))->event_count[EVENT_SOCKET];
}

/* Both tables have the id as their first column. */
static int object_range(struct vtab_cursor *cursor, unsigned int kind)
{
	const struct id_list *list;
	int err = query_defined(cursor->query, kind, &list);
	size_t low = 0, high;
	int64_t id;

	if (err)
		return err;
	cursor->source = list;
	cursor->end = high = list->count;
	if (!vtab_scan_equal(&cursor->scan, 0, &id))
		return 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->ids[middle] < (uint64_t)id)
			low = middle + 1;
		else
			high = middle;
	}
	cursor->position = low;
	cursor->end = low < list->count && list->ids[low] == (uint64_t)id ? low + 1 : low;
	return 0;
}

static int file_range(struct vtab_cursor *cursor)
{
	return object_range(cursor, EVENT_FILE);
}

static int socket_range(struct vtab_cursor *cursor)
{
	return object_range(cursor, EVENT_SOCKET);
}

static const void *file_at(const struct vtab_cursor *cursor, size_t i)
{
	return model_file(cursor->query->model, ((const struct id_list *)cursor->source)->ids[i]);
}

static const void *socket_at(const struct vtab_cursor *cursor, size_t i)
{
	return model_socket(cursor->query->model, ((const struct id_list *)cursor->source)->ids[i]);
}

/* ---- file ---- */

static void get_file_path(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_text(out, ((const struct event_file *)cursor->row)->path);
}

static void get_descriptor(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	sqlite3_result_int(out, ((const struct event_file *)cursor->row)->descriptor);
}

#define FILE_MEMBER(type, member, uses, help)                                                      \
	VTAB_MEMBER(type, #member, struct event_file, member, uses, help)

static const struct vtab_column file_columns[] = {
	FILE_MEMBER(VTAB_NUMBER, id, VTAB_EQUAL | VTAB_UNIQUE,
		    "the id that waits carry (object_id)"),
	VTAB_COMPUTED("path", get_file_path, 0,
		      "path, or the last name where that was all to be had"),
	FILE_MEMBER(VTAB_NUMBER, inode, 0, "inode number"),
	FILE_MEMBER(VTAB_NUMBER, device, 0, "device: major << 20 | minor"),
	FILE_MEMBER(VTAB_NUMBER, mode, 0, "type and permissions, as st_mode"),
	FILE_MEMBER(VTAB_ID, pid, 0, "process whose descriptor it was"),
	VTAB_COMPUTED("descriptor", get_descriptor, 0, "the descriptor"),
};

const struct vtab vtab_file = {
	.name = "file",
	.says = "files that threads waited for",
	.columns = file_columns,
	.column_count = ARRAY_SIZE(file_columns),
	.count = file_count,
	.range = file_range,
	.at = file_at,
};

/* ---- socket ---- */

static void get_family(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	uint16_t family = ((const struct event_socket *)cursor->row)->family;

	switch (family) {
	case AF_UNIX:
		vtab_result_text(out, "unix");
		break;
	case AF_INET:
		vtab_result_text(out, "ipv4");
		break;
	case AF_INET6:
		vtab_result_text(out, "ipv6");
		break;
	case AF_NETLINK:
		vtab_result_text(out, "netlink");
		break;
	default:
		sqlite3_result_int(out, family);
		break;
	}
}

static void get_address(const struct vtab_cursor *cursor, sqlite3_context *out,
			const uint8_t *address)
{
	uint16_t family = ((const struct event_socket *)cursor->row)->family;
	char text[INET6_ADDRSTRLEN];

	if ((family == AF_INET || family == AF_INET6) &&
	    inet_ntop(family, address, text, sizeof(text)))
		vtab_result_copy(out, text);
}

static void get_local_address(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	get_address(cursor, out, ((const struct event_socket *)cursor->row)->local_address);
}

static void get_remote_address(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	get_address(cursor, out, ((const struct event_socket *)cursor->row)->remote_address);
}

static void get_socket_path(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct event_socket *socket = cursor->row;

	if (socket->family == AF_UNIX)
		vtab_result_text(out, socket->path);
}

#define SOCKET_MEMBER(type, member, uses, help)                                                    \
	VTAB_MEMBER(type, #member, struct event_socket, member, uses, help)

static const struct vtab_column socket_columns[] = {
	SOCKET_MEMBER(VTAB_NUMBER, id, VTAB_EQUAL | VTAB_UNIQUE,
		      "the id that waits carry (object_id)"),
	VTAB_COMPUTED("family", get_family, 0, "unix, ipv4, ipv6, netlink or a number"),
	SOCKET_MEMBER(VTAB_NUMBER, type, 0, "1 stream, 2 datagram, 5 seqpacket"),
	SOCKET_MEMBER(VTAB_NUMBER, protocol, 0, "6 TCP, 17 UDP"),
	VTAB_COMPUTED("local_address", get_local_address, 0, "IP address"),
	SOCKET_MEMBER(VTAB_ID, local_port, 0, "port"),
	VTAB_COMPUTED("remote_address", get_remote_address, 0, "the peer's IP address"),
	SOCKET_MEMBER(VTAB_ID, remote_port, 0, "the peer's port"),
	SOCKET_MEMBER(VTAB_NUMBER, state, 0, "TCP state: 1 established, 2 SYN sent, 10 listening"),
	VTAB_COMPUTED("path", get_socket_path, 0, "of a unix socket; @ begins an abstract name"),
	SOCKET_MEMBER(VTAB_ID, pid, 0, "process whose descriptor it was"),
};

const struct vtab vtab_socket = {
	.name = "socket",
	.says = "sockets that threads waited for",
	.columns = socket_columns,
	.column_count = ARRAY_SIZE(socket_columns),
	.count = socket_count,
	.range = socket_range,
	.at = socket_at,
};
