/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client waits for the answers of a server process, which is slow: it computes, it sleeps, or it
 * waits itself for a third process that computes.
 */
#include <string.h>
#include <unistd.h>

#include "talk.h"

struct server {
	int listener;
	uint64_t work_ns;
	const char *work; /* computes|sleeps|asks */
	int backend;      /* connected, of a server that asks */
};

static NAMED_FUNCTION void price_order(const struct server *server)
{
	compute_here(server->work_ns);
	KEEP_FRAME();
}

static NAMED_FUNCTION void back_off(const struct server *server)
{
	sleep_ns(server->work_ns);
	KEEP_FRAME();
}

static NAMED_FUNCTION void look_up(const struct server *server)
{
	char answer;

	send_bytes(server->backend, "?", 1);
	if (!receive_bytes(server->backend, &answer, 1))
		give_up("asking the backend");
}

static void work(void *context)
{
	const struct server *server = context;

	if (strcmp(server->work, "computes") == 0)
		price_order(server);
	else if (strcmp(server->work, "sleeps") == 0)
		back_off(server);
	else
		look_up(server);
	KEEP_FRAME();
}

static void serve(void *context)
{
	struct server *server = context;
	int peer = accept(server->listener, NULL, NULL);

	if (peer < 0)
		give_up("accepting");
	answer_each(peer, work, server);
}

int main(int argc, char **argv)
{
	struct endpoint front, back;

	if (argc != 5)
		usage("TRUTH tcp|unix computes|sleeps|asks WORK-MS");
	struct server server = {.work = argv[3],
				.work_ns = number_argument(argv[4], "WORK-MS") * NS_PER_MS};

	if (strcmp(server.work, "asks") == 0) {
		struct server backend = {.work = "computes", .work_ns = server.work_ns};

		backend.listener = listen_on(argv[2], "127.0.0.1", 1, &back);
		start_child("backend", serve, &backend);
		server.backend = connect_to(&back);
	}
	server.listener = listen_on(argv[2], "127.0.0.1", 1, &front);
	start_child("server", serve, &server);
	close(server.listener);

	int peer = connect_to(&front);
	bool is_unix = strcmp(argv[2], "unix") == 0;
	struct requests requests = {truth_open(argv[1]), ask, &peer,
				    is_unix ? "ns.wait.ipc" : "ns.net.recv"};
	run_requests(&requests);
	return 0;
}
