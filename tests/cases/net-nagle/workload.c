/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nagle's algorithm against delayed acknowledgements: the client sends a question in two writes.
 * The second is held back until the first is acknowledged, which the server's kernel puts off for
 * 40 ms, hoping for data to send it with.
 */
#include <string.h>
#include <unistd.h>

#include "talk.h"

#define HEAD_BYTES 8

struct server {
	int listener;
	size_t question_bytes;
};

static void serve(void *context)
{
	struct server *server = context;
	int peer = accept(server->listener, NULL, NULL);
	char question[4096];

	if (peer < 0)
		give_up("accepting");
	while (receive_bytes(peer, question, server->question_bytes))
		send_bytes(peer, "!", 1);
}

struct client {
	int peer;
	size_t body_bytes;
	uint64_t pause_ns;
};

static NAMED_FUNCTION void ask_in_two(struct requests *requests, void *context)
{
	const struct client *client = context;
	static const char body[4096];
	char answer;

	sleep_ns(client->pause_ns);
	send_bytes(client->peer, "question", HEAD_BYTES);
	send_bytes(client->peer, body, client->body_bytes);
	wait_begin(requests);
	if (!receive_bytes(client->peer, &answer, 1))
		give_up("receiving an answer");
	wait_end(requests);
}

int main(int argc, char **argv)
{
	struct endpoint endpoint;

	if (argc != 4)
		usage("TRUTH BODY-BYTES PAUSE-MS");
	size_t body_bytes = number_argument(argv[2], "BODY-BYTES");
	if (body_bytes > 2048)
		usage("TRUTH BODY-BYTES (at most 2048) PAUSE-MS");
	struct server server = {listen_on("tcp", "127.0.0.1", 1, &endpoint),
				HEAD_BYTES + body_bytes};
	start_child("server", serve, &server);
	close(server.listener);

	struct client client = {connect_to(&endpoint), body_bytes,
				number_argument(argv[3], "PAUSE-MS") * NS_PER_MS};
	struct requests requests = {truth_open(argv[1]), ask_in_two, &client, "ns.net.recv"};
	run_requests(&requests);
	return 0;
}
