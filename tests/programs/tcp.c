/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP connections that are held up.
 *   window  the receiver does not read for MS milliseconds. Known: how long the longest send took.
 *   serve   sends back what one client sends, until that closes. Known: the port.
 *   ask     sends a byte to ADDRESS and PORT every 5 ms and waits for it to come back, for MS
 * milliseconds. Known: the port, how often TCP sent again, the longest that it took.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workload.h"

#define BUFFER_BYTES 16384
#define PIECE_BYTES  20000
#define PIECES       20

struct late_reader {
	int listener;
	uint64_t stop_ns;
};

static int listen_at(const char *address, struct sockaddr_in *ret)
{
	socklen_t size = sizeof(*ret);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), bytes = BUFFER_BYTES;

	*ret = (struct sockaddr_in){.sin_family = AF_INET};
	if (inet_pton(AF_INET, address, &ret->sin_addr) != 1)
		usage("TRUTH serve ADDRESS");
	setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (bind(listener, (struct sockaddr *)ret, size) || listen(listener, 3) ||
	    getsockname(listener, (struct sockaddr *)ret, &size))
		give_up("listening");
	return listener;
}

static int connect_to(int truth, const struct sockaddr_in *address)
{
	struct sockaddr_in own;
	socklen_t size = sizeof(own);
	int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), bytes = BUFFER_BYTES;

	setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	if (connect(peer, (const struct sockaddr *)address, sizeof(*address)) ||
	    getsockname(peer, (struct sockaddr *)&own, &size))
		give_up("connecting");
	truth_number(truth, "client_port", ntohs(own.sin_port));
	truth_number(truth, "server_port", ntohs(address->sin_port));
	return peer;
}

/* ---- a receiver that does not read ---- */

static void *read_late(void *argument)
{
	const struct late_reader *reader = argument;
	static char bytes[PIECE_BYTES];
	int peer = accept(reader->listener, NULL, NULL);

	sleep_ns(reader->stop_ns);
	while (recv(peer, bytes, sizeof(bytes), 0) > 0)
		;
	close(peer);
	return NULL;
}

static NAMED_FUNCTION uint64_t send_piece(int peer)
{
	static char bytes[PIECE_BYTES];
	uint64_t begin_ns = now_ns();

	if (send(peer, bytes, sizeof(bytes), 0) != sizeof(bytes))
		give_up("sending");
	return now_ns() - begin_ns;
}

static void window(int truth, uint64_t stop_ns)
{
	uint64_t longest_ns = 0, born_ns = now_ns();
	struct sockaddr_in address;
	struct late_reader reader = {.stop_ns = stop_ns,
				     .listener = listen_at("127.0.0.1", &address)};
	int peer = connect_to(truth, &address);
	pthread_t thread;

	if (pthread_create(&thread, NULL, read_late, &reader))
		give_up("starting the reader");
	for (int i = 0; i < PIECES; i++) {
		uint64_t one_ns = send_piece(peer);

		if (one_ns > longest_ns)
			longest_ns = one_ns;
	}
	close(peer);
	pthread_join(thread, NULL);
	truth_number(truth, "longest_ns", longest_ns);
	truth_thread(truth, "sender", born_ns);
}

/* ---- a question and its echo ---- */

static void serve(int truth, const char *address_text)
{
	struct sockaddr_in address;
	int listener = listen_at(address_text, &address), peer;
	char byte;

	truth_number(truth, "port", ntohs(address.sin_port));
	peer = accept(listener, NULL, NULL);
	while (recv(peer, &byte, 1, 0) == 1 && send(peer, &byte, 1, 0) == 1)
		;
	close(peer);
}

static NAMED_FUNCTION uint64_t ask_once(int peer)
{
	uint64_t begin_ns = now_ns();
	char byte = '?';

	if (send(peer, &byte, 1, 0) != 1 || recv(peer, &byte, 1, 0) != 1)
		give_up("asking");
	return now_ns() - begin_ns;
}

static void ask(int truth, const char *address_text, uint64_t port, uint64_t duration_ns)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	uint64_t born_ns = now_ns(), longest_ns = 0;
	struct tcp_info info;
	socklen_t size = sizeof(info);
	int peer;

	inet_pton(AF_INET, address_text, &address.sin_addr);
	peer = connect_to(truth, &address);
	while (now_ns() - born_ns < duration_ns) {
		uint64_t one_ns = ask_once(peer);

		if (one_ns > longest_ns)
			longest_ns = one_ns;
		sleep_ns(5 * NS_PER_MS);
	}
	if (getsockopt(peer, IPPROTO_TCP, TCP_INFO, &info, &size))
		give_up("TCP_INFO");
	truth_number(truth, "retransmits", info.tcpi_total_retrans);
	truth_number(truth, "longest_ns", longest_ns);
	truth_thread(truth, "client", born_ns);
	close(peer);
}

int main(int argc, char **argv)
{
	if (argc < 4)
		usage("TRUTH window MS | serve ADDRESS | ask ADDRESS PORT MS");
	int truth = truth_open(argv[1]);

	if (!strcmp(argv[2], "window"))
		window(truth, number_argument(argv[3], "MS") * NS_PER_MS);
	else if (!strcmp(argv[2], "serve"))
		serve(truth, argv[3]);
	else if (!strcmp(argv[2], "ask") && argc == 6)
		ask(truth, argv[3], number_argument(argv[4], "PORT"),
		    number_argument(argv[5], "MS") * NS_PER_MS);
	else
		usage("TRUTH window MS | serve ADDRESS | ask ADDRESS PORT MS");
	return 0;
}
