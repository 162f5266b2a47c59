/* SPDX-License-Identifier: BSD-2-Clause */
/* Ways to wait for a message, a connection, or somebody to take one. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "waits.h"

static void act_write(void *object)
{
	uint64_t one = 1;

	if (write(*(int *)object, &one, sizeof(one)) < 0)
		give_up("write");
}

/* Until the process ends. */
static void act_drain(void *object)
{
	static char bytes[1 << 16];

	while (read(*(int *)object, bytes, sizeof(bytes)) > 0)
		;
}

/* ---- messages ---- */

void way_pipe_read(void)
{
	int pipes[2];
	char byte;

	if (pipe(pipes))
		give_up("pipe");
	later(act_write, &pipes[1]);
	if (read(pipes[0], &byte, 1) != 1)
		give_up("read");
}

void way_pipe_write(void)
{
	static char bytes[1 << 20];
	int pipes[2];

	if (pipe(pipes))
		give_up("pipe");
	later(act_drain, &pipes[0]);
	if (write(pipes[1], bytes, (1 << 16) + 4096) < 0)
		give_up("write");
}

static void act_open(void *path)
{
	open(path, O_WRONLY);
}

void way_fifo_open(void)
{
	char *path = strdup(path_of("fifo"));

	mkfifo(path, 0600);
	later(act_open, path);
	open(path, O_RDONLY);
	unlink(path);
}

static void read_unix(int type)
{
	int pair[2];
	char bytes[16];

	if (socketpair(AF_UNIX, type, 0, pair))
		give_up("socketpair");
	later(act_write, &pair[1]);
	if (read(pair[0], bytes, sizeof(bytes)) <= 0)
		give_up("read");
}

void way_unix_stream(void)
{
	read_unix(SOCK_STREAM);
}

void way_unix_datagram(void)
{
	read_unix(SOCK_DGRAM);
}

void way_unix_packet(void)
{
	read_unix(SOCK_SEQPACKET);
}

/* More than the buffers hold. */
static void send_much(int from, int to)
{
	static char bytes[8 << 20];

	later(act_drain, &to);
	if (send(from, bytes, sizeof(bytes), 0) < 0)
		give_up("send");
}

void way_unix_send(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		give_up("socketpair");
	send_much(pair[0], pair[1]);
}

void way_unix_send_dgram(void)
{
	char bytes[1000] = "";
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
		give_up("socketpair");
	signal_later();
	while (send(pair[0], bytes, sizeof(bytes), 0) > 0)
		;
}

void way_eventfd(void)
{
	int event = eventfd(0, 0);
	uint64_t value;

	later(act_write, &event);
	if (read(event, &value, sizeof(value)) < 0)
		give_up("eventfd");
}

void way_message(void)
{
	int id = msgget(IPC_PRIVATE, 0600);
	char message[64];

	signal_later();
	msgrcv(id, message, 8, 0, 0);
	msgctl(id, IPC_RMID, NULL);
}

void way_mqueue(void)
{
	struct mq_attr limits = {.mq_maxmsg = 1, .mq_msgsize = 16};
	char name[40], message[16];
	mqd_t queue;

	snprintf(name, sizeof(name), "/waits-%d", getpid());
	queue = mq_open(name, O_CREAT | O_RDWR, 0600, &limits);
	mq_unlink(name);
	signal_later();
	mq_receive(queue, message, sizeof(message), NULL);
}

/* ---- network ---- */

static struct sockaddr_in local_address(int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int bound_socket(int type, struct sockaddr_in *ret_address)
{
	struct sockaddr_in address = local_address(0);
	socklen_t size = sizeof(address);
	int sock = socket(AF_INET, type, 0);

	if (bind(sock, (void *)&address, size) || getsockname(sock, (void *)&address, &size))
		give_up("bind");
	*ret_address = address;
	return sock;
}

static int listening_socket(int backlog, struct sockaddr_in *ret_address)
{
	int sock = bound_socket(SOCK_STREAM, ret_address);

	if (listen(sock, backlog))
		give_up("listen");
	return sock;
}

static void tcp_pair(int pair[2])
{
	struct sockaddr_in address;
	int listener = listening_socket(4, &address);

	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(pair[0], (void *)&address, sizeof(address)))
		give_up("connect");
	pair[1] = accept(listener, NULL, NULL);
}

void way_tcp_receive(void)
{
	char bytes[16];
	int pair[2];

	tcp_pair(pair);
	later(act_write, &pair[1]);
	if (read(pair[0], bytes, sizeof(bytes)) <= 0)
		give_up("read");
}

void way_tcp_send(void)
{
	int pair[2];

	tcp_pair(pair);
	send_much(pair[0], pair[1]);
}

void way_udp_receive(void)
{
	struct timeval patience = {0, NAP_NS / NS_PER_US};
	struct sockaddr_in address;
	int sock = bound_socket(SOCK_DGRAM, &address);
	char byte;

	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	recv(sock, &byte, 1, 0);
}

void way_accept(void)
{
	struct sockaddr_in address;

	signal_later();
	accept(listening_socket(4, &address), NULL, NULL);
}

void way_unix_accept(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);

	/* an abstract name of the kernel's choice */
	if (bind(sock, (void *)&address, sizeof(sa_family_t)) || listen(sock, 4))
		give_up("bind");
	signal_later();
	accept(sock, NULL, NULL);
}

/* A full backlog: the second or third connection is not answered. */
void way_connect(void)
{
	struct sockaddr_in address;
	int sock;

	listening_socket(0, &address);
	signal_later();
	for (int i = 0; i < 3; i++) {
		sock = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(sock, (void *)&address, sizeof(address)))
			break;
	}
}
