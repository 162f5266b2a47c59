/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As most clients do it: the answer of a slow server is waited for in poll or epoll, not in recv.
 * The wait may have a time limit that is shorter than the answer takes: then the client asks again
 * and again whether it is there.
 */
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "talk.h"

struct server {
	int listener;
	uint64_t work_ns;
};

static NAMED_FUNCTION void sort_orders(uint64_t work_ns)
{
	compute_here(work_ns);
	KEEP_FRAME();
}

static void work(void *context)
{
	sort_orders(*(uint64_t *)context);
	KEEP_FRAME();
}

static void serve(void *context)
{
	struct server *server = context;
	int peer = accept(server->listener, NULL, NULL);

	if (peer < 0)
		give_up("accepting");
	answer_each(peer, work, &server->work_ns);
}

struct client {
	int peer;
	int epoll; /* -1: it polls */
	int limit_ms;
};

static NAMED_FUNCTION void wait_for_answer(const struct client *client)
{
	struct pollfd peer = {client->peer, POLLIN, 0};
	struct epoll_event event;
	int ready;

	do {
		ready = client->epoll < 0 ? poll(&peer, 1, client->limit_ms)
					  : epoll_wait(client->epoll, &event, 1, client->limit_ms);
		if (ready < 0)
			give_up("waiting for an answer");
	} while (!ready);
}

static void query(struct requests *requests, void *context)
{
	const struct client *client = context;
	char answer;

	send_bytes(client->peer, "?", 1);
	wait_begin(requests);
	wait_for_answer(client);
	wait_end(requests);
	if (!receive_bytes(client->peer, &answer, 1))
		give_up("receiving an answer");
}

static int epoll_on(int peer)
{
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, peer, &event))
		give_up("making an epoll descriptor");
	return epoll;
}

int main(int argc, char **argv)
{
	struct endpoint endpoint;

	if (argc != 6)
		usage("TRUTH tcp|unix poll|epoll WORK-MS LIMIT-MS");
	struct server server = {listen_on(argv[2], "127.0.0.1", 1, &endpoint),
				number_argument(argv[4], "WORK-MS") * NS_PER_MS};
	start_child("server", serve, &server);
	close(server.listener);

	struct client client = {connect_to(&endpoint), -1, number_argument(argv[5], "LIMIT-MS")};
	if (strcmp(argv[3], "epoll") == 0)
		client.epoll = epoll_on(client.peer);
	bool is_unix = strcmp(argv[2], "unix") == 0;
	struct requests requests = {truth_open(argv[1]), query, &client,
				    is_unix ? "ns.wait.ipc" : "ns.net.recv"};
	run_requests(&requests);
	return 0;
}
