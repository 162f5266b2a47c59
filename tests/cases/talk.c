/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"
#include "talk.h"

void set_name(const char *name)
{
	prctl(PR_SET_NAME, name);
}

pid_t start_child(const char *name, void (*body)(void *context), void *context)
{
	pid_t parent = getpid();
	pid_t child = fork();

	if (child < 0)
		give_up("forking");
	if (child > 0)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	set_name(name);
	body(context);
	_exit(0);
}

void end_child(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void name_address(const char *kind, const char *address, struct endpoint *endpoint)
{
	struct sockaddr_in *internet = (struct sockaddr_in *)&endpoint->address;

	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->type = strcmp(kind, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
	if (strcmp(kind, "unix") == 0) {
		/* No more than a family: the kernel chooses a name. */
		endpoint->address.ss_family = AF_UNIX;
		endpoint->size = sizeof(sa_family_t);
		return;
	}
	internet->sin_family = AF_INET;
	if (inet_pton(AF_INET, address, &internet->sin_addr) != 1)
		give_up(address);
	endpoint->size = sizeof(*internet);
}

/* A port as servers have: chosen, not given out by the kernel. One that is free. */
static int bind_chosen(int listener, struct endpoint *endpoint)
{
	struct sockaddr_in *internet = (struct sockaddr_in *)&endpoint->address;

	if (endpoint->address.ss_family != AF_INET)
		return bind(listener, (struct sockaddr *)&endpoint->address, endpoint->size);
	for (int i = 0; i < 100; i++) {
		internet->sin_port = htons((uint16_t)(10000 + (getpid() * 31 + i * 97) % 20000));
		if (!bind(listener, (struct sockaddr *)&endpoint->address, endpoint->size))
			return 0;
	}
	return -1;
}

int listen_on(const char *kind, const char *address, int backlog, struct endpoint *ret)
{
	struct endpoint endpoint;

	name_address(kind, address, &endpoint);
	int listener = socket(endpoint.address.ss_family, endpoint.type | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind_chosen(listener, &endpoint))
		give_up("binding a socket");
	if (endpoint.type == SOCK_STREAM && listen(listener, backlog))
		give_up("listening");
	endpoint.size = sizeof(endpoint.address);
	if (getsockname(listener, (struct sockaddr *)&endpoint.address, &endpoint.size))
		give_up("asking for a socket's address");
	*ret = endpoint;
	return listener;
}

int connect_to(const struct endpoint *endpoint)
{
	int peer = socket(endpoint->address.ss_family, endpoint->type | SOCK_CLOEXEC, 0);

	if (peer < 0 || connect(peer, (const struct sockaddr *)&endpoint->address, endpoint->size))
		give_up("connecting");
	return peer;
}

uint16_t endpoint_port(const struct endpoint *endpoint)
{
	return ntohs(((const struct sockaddr_in *)&endpoint->address)->sin_port);
}

void send_bytes(int peer, const void *bytes, size_t size)
{
	const char *next = bytes;

	while (size) {
		ssize_t sent = send(peer, next, size, MSG_NOSIGNAL);

		if (sent <= 0)
			give_up("sending");
		next += sent;
		size -= sent;
	}
}

int receive_bytes(int peer, void *bytes, size_t size)
{
	char *next = bytes;

	while (size) {
		ssize_t received = recv(peer, next, size, 0);

		if (received <= 0)
			return 0;
		next += received;
		size -= received;
	}
	return 1;
}

NAMED_FUNCTION void ask(struct requests *requests, void *context)
{
	int peer = *(int *)context;
	char answer;

	send_bytes(peer, "?", 1);
	wait_begin(requests);
	if (!receive_bytes(peer, &answer, 1))
		give_up("receiving an answer");
	wait_end(requests);
}

void answer_each(int peer, void (*work)(void *context), void *context)
{
	char question;

	while (receive_bytes(peer, &question, 1)) {
		work(context);
		send_bytes(peer, "!", 1);
	}
}
