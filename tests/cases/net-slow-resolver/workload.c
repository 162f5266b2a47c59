/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client asks for names by UDP and waits for each; the resolver takes long to find them. Its
 * socket is connected to no one, that of the client may be.
 */
#include <string.h>
#include <unistd.h>

#include "talk.h"

struct resolver {
	int socket;
	uint64_t work_ns;
};

static NAMED_FUNCTION void find_name(uint64_t work_ns)
{
	compute_here(work_ns);
	KEEP_FRAME();
}

static void resolve(void *context)
{
	struct resolver *resolver = context;

	for (;;) {
		struct endpoint client = {.size = sizeof(client.address)};
		struct sockaddr *from = (struct sockaddr *)&client.address;
		char name[64];

		if (recvfrom(resolver->socket, name, sizeof(name), 0, from, &client.size) <= 0)
			give_up("receiving a query");
		find_name(resolver->work_ns);
		if (sendto(resolver->socket, "127.0.0.1", 9, 0, from, client.size) != 9)
			give_up("sending an answer");
	}
}

struct client {
	int socket;
	const struct sockaddr *resolver; /* NULL: the socket is connected to it */
	socklen_t resolver_size;
};

static NAMED_FUNCTION void query(struct requests *requests, void *context)
{
	const struct client *client = context;
	char address[64];

	if (sendto(client->socket, "example.org", 11, 0, client->resolver, client->resolver_size) !=
	    11)
		give_up("sending a query");
	wait_begin(requests);
	if (recv(client->socket, address, sizeof(address), 0) != 9)
		give_up("receiving an answer");
	wait_end(requests);
}

int main(int argc, char **argv)
{
	struct endpoint endpoint;

	if (argc != 4)
		usage("TRUTH connected|unconnected WORK-MS");
	bool is_connected = strcmp(argv[2], "connected") == 0;
	struct resolver resolver = {listen_on("udp", "127.0.0.1", 0, &endpoint),
				    number_argument(argv[3], "WORK-MS") * NS_PER_MS};
	start_child("resolver", resolve, &resolver);
	close(resolver.socket);

	struct client client = {.resolver = (struct sockaddr *)&endpoint.address,
				.resolver_size = endpoint.size};
	if (is_connected)
		client = (struct client){.socket = connect_to(&endpoint)};
	else
		client.socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct requests requests = {truth_open(argv[1]), query, &client, "ns.net.recv"};
	run_requests(&requests);
	return 0;
}
