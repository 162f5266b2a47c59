/* SPDX-License-Identifier: BSD-2-Clause */
/* A server waits for requests with epoll, answers each at once, and waits again. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "case.h"

struct scene {
	struct requests requests;
	uint64_t pause_ns; /* of the client */
	int server, client;
	int epoll;
};

static void *client(void *argument)
{
	struct scene *scene = argument;
	char line[64] = "hello";

	while (!scene->requests.is_over) {
		if (write(scene->client, line, sizeof(line)) != sizeof(line))
			give_up("sending to the server");
		/* The server is gone after its last answer. */
		if (recv(scene->client, line, sizeof(line), MSG_WAITALL) != sizeof(line))
			give_up("hearing from the server");
		sleep_ns(scene->pause_ns);
	}
	return NULL;
}

static NAMED_FUNCTION void answer(struct requests *requests, void *context)
{
	struct scene *scene = context;
	struct epoll_event event;
	char line[64];

	wait_begin(requests);
	if (epoll_wait(scene->epoll, &event, 1, -1) != 1)
		give_up("waiting for requests");
	wait_end(requests);
	if (read(scene->server, line, sizeof(line)) != sizeof(line))
		give_up("reading a request");
	compute_here(100 * NS_PER_US);
	if (write(scene->server, line, sizeof(line)) != sizeof(line))
		give_up("answering");
	KEEP_FRAME();
}

static void connect_tcp(struct scene *scene)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	scene->client = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &size) ||
	    connect(scene->client, (struct sockaddr *)&address, size))
		give_up("connecting");
	scene->server = accept(listener, NULL, NULL);
	close(listener);
}

static void connect_unix(struct scene *scene)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		give_up("connecting");
	scene->server = pair[0];
	scene->client = pair[1];
}

int main(int argc, char **argv)
{
	if (argc != 4 || (strcmp(argv[2], "tcp") && strcmp(argv[2], "unix")))
		usage("TRUTH tcp|unix PAUSE-MS");
	struct scene scene = {
		.requests = {truth_open(argv[1]), answer, &scene, "ns.wait.idle"},
		.pause_ns = number_argument(argv[3], "PAUSE-MS") * NS_PER_MS,
		.epoll = epoll_create1(EPOLL_CLOEXEC),
	};
	struct epoll_event wanted = {.events = EPOLLIN};

	if (!strcmp(argv[2], "tcp"))
		connect_tcp(&scene);
	else
		connect_unix(&scene);
	if (epoll_ctl(scene.epoll, EPOLL_CTL_ADD, scene.server, &wanted))
		give_up("epoll");
	pthread_t client_thread = start_thread("client", client, &scene);

	run_requests(&scene.requests);
	/* The client's last request is not answered any more. */
	shutdown(scene.server, SHUT_RDWR);
	join_thread(client_thread);
	return 0;
}
