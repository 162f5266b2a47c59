/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network loses packets: one in LOSE-EVERY of the client's questions, and everything else for
 * BLACKOUT-MS after it. The client waits until its kernel has sent the question again; the server
 * does not know of it.
 */
#include "talk.h"
#include "tun_relay.h"

static void do_nothing(void *context)
{
	(void)context;
}

static void answer_at_once(int peer)
{
	answer_each(peer, do_nothing, NULL);
}

static void ask_now_and_then(struct requests *requests, void *context)
{
	sleep_ns(5 * NS_PER_MS);
	ask(requests, context);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH LOSE-EVERY BLACKOUT-MS");
	int truth = truth_open(argv[1]);
	struct tun_relay relay = {.delay_ns = NS_PER_MS,
				  .lose_every = number_argument(argv[2], "LOSE-EVERY"),
				  .blackout_ns =
					  number_argument(argv[3], "BLACKOUT-MS") * NS_PER_MS};
	relay_start(&relay);
	int peer = relay_connect(&relay, answer_at_once);
	struct requests requests = {truth, ask_now_and_then, &peer, "ns.net.recv"};
	run_requests(&requests);
	return 0;
}
