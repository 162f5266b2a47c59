/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fast server is far away: each packet takes DELAY-MS each way. The client asks, or sends more
 * than the network holds and waits until it is taken; the server is at rest all that time.
 */
#include <string.h>

#include "talk.h"
#include "tun_relay.h"

#define UPLOAD_BYTES 200000

struct client {
	int peer;
	uint64_t answer_ns; /* waited for the server's word after an upload */
};

static void do_nothing(void *context)
{
	(void)context;
}

static void answer_at_once(int peer)
{
	answer_each(peer, do_nothing, NULL);
}

static void take_uploads(int peer)
{
	static char bytes[UPLOAD_BYTES];

	while (receive_bytes(peer, bytes, sizeof(bytes)))
		send_bytes(peer, "!", 1);
}

/* Sends more than fits under way, then waits for the server's word that all has come. */
static NAMED_FUNCTION void upload(struct requests *requests, void *context)
{
	static char bytes[UPLOAD_BYTES];
	struct client *client = context;
	char answer;

	wait_begin(requests);
	send_bytes(client->peer, bytes, sizeof(bytes));
	wait_end(requests);
	struct thread_time before = blocked_begin(&requests->victim);
	if (!receive_bytes(client->peer, &answer, 1))
		give_up("receiving an answer");
	blocked_end(&requests->victim, before, &client->answer_ns);
}

int main(int argc, char **argv)
{
	int send_buffer_bytes = 8192;

	if (argc != 4)
		usage("TRUTH ask|upload DELAY-MS");
	int truth = truth_open(argv[1]);
	struct tun_relay relay = {.delay_ns = number_argument(argv[3], "DELAY-MS") * NS_PER_MS};
	relay_start(&relay);
	if (strcmp(argv[2], "ask") == 0) {
		int peer = relay_connect(&relay, answer_at_once);
		struct requests requests = {truth, ask, &peer, "ns.net.recv"};

		run_requests(&requests);
		return 0;
	}
	struct client client = {.peer = relay_connect(&relay, take_uploads)};
	if (setsockopt(client.peer, SOL_SOCKET, SO_SNDBUF, &send_buffer_bytes,
		       sizeof(send_buffer_bytes)))
		give_up("making the send buffer small");
	struct requests requests = {truth, upload, &client, "ns.net.send"};
	run_requests(&requests);
	truth_number(truth, "ns.net.recv", client.answer_ns);
	return 0;
}
