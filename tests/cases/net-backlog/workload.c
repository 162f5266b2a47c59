/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server with one thread is busy with one customer's order and does not accept. Others fill its
 * backlog; the SYN of the one that comes then is dropped, and sent again a second later, when the
 * server has long been back.
 */
#include <string.h>
#include <unistd.h>

#include "talk.h"

#define BACKLOG_MAX 63

struct server {
	int listener;
	uint64_t work_ns;
	bool computes;
};

static NAMED_FUNCTION void rebuild_index(uint64_t work_ns)
{
	compute_here(work_ns);
	KEEP_FRAME();
}

static NAMED_FUNCTION void wait_a_while(uint64_t work_ns)
{
	sleep_ns(work_ns);
	KEEP_FRAME();
}

/* One customer after the other. An order ('o') is confirmed, then worked on; others are sent away.
 */
static void serve(void *context)
{
	struct server *server = context;
	char question;

	for (int peer; (peer = accept(server->listener, NULL, NULL)) >= 0; close(peer)) {
		if (!receive_bytes(peer, &question, 1) || question != 'o')
			continue;
		send_bytes(peer, "!", 1);
		if (server->computes)
			rebuild_index(server->work_ns);
		else
			wait_a_while(server->work_ns);
	}
}

struct scene {
	struct endpoint endpoint;
	int backlog;
	struct server server;
};

/* The server works after this. */
static int place_order(const struct endpoint *endpoint)
{
	int peer = connect_to(endpoint);
	char confirmation;

	send_bytes(peer, "o", 1);
	if (!receive_bytes(peer, &confirmation, 1))
		give_up("placing an order");
	return peer;
}

/* The backlog takes all but the last of these; which one has to wait is up to the kernel. */
static NAMED_FUNCTION void connect_many(struct requests *requests, const struct scene *scene,
					int *peers, int count)
{
	for (int i = 0; i < count; i++) {
		wait_begin(requests);
		peers[i] = connect_to(&scene->endpoint);
		wait_end(requests);
		send_bytes(peers[i], "x", 1);
	}
}

static void come_too_late(struct requests *requests, void *context)
{
	const struct scene *scene = context;
	int order = place_order(&scene->endpoint);
	int count = scene->backlog + 2; /* a backlog of N takes N + 1 */
	int peers[BACKLOG_MAX + 2];
	char nothing;

	connect_many(requests, scene, peers, count);
	/* The server is free again when it has sent all of them away. */
	for (int i = 0; i < count; i++) {
		receive_bytes(peers[i], &nothing, 1);
		close(peers[i]);
	}
	close(order);
}

int main(int argc, char **argv)
{
	if (argc != 5)
		usage("TRUTH computes|sleeps BACKLOG WORK-MS");
	struct scene scene = {.backlog = number_argument(argv[3], "BACKLOG"),
			      .server.work_ns = number_argument(argv[4], "WORK-MS") * NS_PER_MS,
			      .server.computes = strcmp(argv[2], "computes") == 0};

	if (scene.backlog > BACKLOG_MAX)
		usage("TRUTH computes|sleeps BACKLOG (at most 63) WORK-MS");
	scene.server.listener = listen_on("tcp", "127.0.0.1", scene.backlog, &scene.endpoint);
	start_child("server", serve, &scene.server);
	close(scene.server.listener);
	struct requests requests = {truth_open(argv[1]), come_too_late, &scene, "ns.net.connect"};
	run_requests(&requests);
	return 0;
}
