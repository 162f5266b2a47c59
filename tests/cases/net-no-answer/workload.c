/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client asks by UDP, with a time limit, and asks again when it is over: of three questions the
 * server drops two. The server has nothing to do meanwhile.
 */
#include <poll.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "talk.h"

static void answer_some(void *context)
{
	int server = *(int *)context;

	for (unsigned int number = 1;; number++) {
		struct endpoint client = {.size = sizeof(client.address)};
		struct sockaddr *from = (struct sockaddr *)&client.address;
		char question;

		if (recvfrom(server, &question, 1, 0, from, &client.size) != 1)
			give_up("receiving a question");
		if (number % 3 == 0 && sendto(server, "!", 1, 0, from, client.size) != 1)
			give_up("sending an answer");
	}
}

struct client {
	int server;
	int limit_ms;
	bool polls; /* else the socket has the time limit */
};

static NAMED_FUNCTION bool wait_for_answer(const struct client *client)
{
	struct pollfd server = {client->server, POLLIN, 0};
	char answer;

	if (client->polls && poll(&server, 1, client->limit_ms) == 0)
		return false;
	return recv(client->server, &answer, 1, 0) == 1;
}

static NAMED_FUNCTION void query(struct requests *requests, void *context)
{
	const struct client *client = context;
	bool is_answered = false;

	while (!is_answered) {
		send_bytes(client->server, "?", 1);
		wait_begin(requests);
		is_answered = wait_for_answer(client);
		wait_end(requests);
	}
	compute_here(2 * NS_PER_MS);
}

int main(int argc, char **argv)
{
	struct endpoint endpoint;

	if (argc != 4)
		usage("TRUTH poll|receive LIMIT-MS");
	int server = listen_on("udp", "127.0.0.1", 0, &endpoint);
	start_child("server", answer_some, &server);
	close(server);

	struct client client = {.server = connect_to(&endpoint),
				.polls = strcmp(argv[2], "poll") == 0,
				.limit_ms = (int)number_argument(argv[3], "LIMIT-MS")};
	struct timeval limit = {.tv_usec = client.limit_ms * 1000};
	if (!client.polls &&
	    setsockopt(client.server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		give_up("limiting the time to receive");
	struct requests requests = {truth_open(argv[1]), query, &client, "ns.net.recv"};
	run_requests(&requests);
	return 0;
}
