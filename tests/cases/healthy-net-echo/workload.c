/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client asks a fast server now and then, over TCP on the loopback or a unix socket. Both mostly
 * have nothing to do.
 */
#include <string.h>
#include <unistd.h>

#include "talk.h"

static void answer_at_once(void *context)
{
	(void)context;
}

static void serve(void *context)
{
	int peer = accept(*(int *)context, NULL, NULL);

	if (peer < 0)
		give_up("accepting");
	answer_each(peer, answer_at_once, NULL);
}

struct client {
	int peer;
	uint64_t pause_ns;
};

static void ask_now_and_then(struct requests *requests, void *context)
{
	struct client *client = context;

	sleep_ns(client->pause_ns);
	ask(requests, &client->peer);
}

int main(int argc, char **argv)
{
	struct endpoint endpoint;

	if (argc != 4)
		usage("TRUTH tcp|unix PAUSE-MS");
	int listener = listen_on(argv[2], "127.0.0.1", 1, &endpoint);
	struct requests requests = {truth_open(argv[1]), ask_now_and_then};
	truth_number(requests.truth, "server.tid", start_child("server", serve, &listener));
	close(listener);

	struct client client = {connect_to(&endpoint),
				number_argument(argv[3], "PAUSE-MS") * NS_PER_MS};
	requests.context = &client;
	run_requests(&requests);
	return 0;
}
