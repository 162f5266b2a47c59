/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client asks ROUNDS questions; the server answers each DELAY-MS late. Over TCP on the loopback
 * (a free port) or a unix socket at PATH. Known: ports or path, how long the client waited for
 * answers.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "workload.h"

struct scene {
	int truth;
	uint64_t rounds;
	uint64_t delay_ns;
	int listener;
};

static NAMED_FUNCTION void answer_late(int peer, uint64_t delay_ns)
{
	char question;

	if (recv(peer, &question, 1, 0) != 1)
		give_up("receiving a question");
	sleep_ns(delay_ns);
	if (send(peer, "!", 1, 0) != 1)
		give_up("sending an answer");
}

static void *server(void *argument)
{
	struct scene *scene = argument;
	uint64_t born_ns = now_ns();

	pthread_setname_np(pthread_self(), "server");
	int peer = accept(scene->listener, NULL, NULL);
	if (peer < 0)
		give_up("accepting");
	for (uint64_t i = 0; i < scene->rounds; i++)
		answer_late(peer, scene->delay_ns);
	truth_thread(scene->truth, "server", born_ns);
	close(peer);
	return NULL;
}

static NAMED_FUNCTION uint64_t ask(int peer)
{
	char answer;
	uint64_t begin_ns = now_ns();

	if (send(peer, "?", 1, 0) != 1 || recv(peer, &answer, 1, 0) != 1)
		give_up("asking");
	return now_ns() - begin_ns;
}

static void client(struct scene *scene, int peer, uint64_t born_ns)
{
	uint64_t waited_ns = 0;

	for (uint64_t i = 0; i < scene->rounds; i++)
		waited_ns += ask(peer);
	truth_number(scene->truth, "rounds", scene->rounds);
	truth_number(scene->truth, "waited_ns", waited_ns);
	truth_thread(scene->truth, "client", born_ns);
}

static int listen_tcp(struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_in){.sin_family = AF_INET};
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 || bind(listener, (struct sockaddr *)address, size) ||
	    listen(listener, 1) || getsockname(listener, (struct sockaddr *)address, &size))
		give_up("listening on TCP");
	return listener;
}

static int listen_unix(struct sockaddr_un *address, const char *path)
{
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (snprintf(address->sun_path, sizeof(address->sun_path), "%s", path) >=
	    (int)sizeof(address->sun_path))
		usage("TRUTH unix ROUNDS DELAY-MS PATH (at most 107 characters)");
	if (listener < 0 || bind(listener, (struct sockaddr *)address, sizeof(*address)) ||
	    listen(listener, 1))
		give_up("listening on a unix socket");
	return listener;
}

/* A connected socket; SCENE has the listener and the truth the address afterwards. */
static int connect_client(struct scene *scene, const char *path)
{
	struct sockaddr_in tcp, own;
	struct sockaddr_un local;
	socklen_t size = sizeof(own);
	int peer = socket(path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	scene->listener = path ? listen_unix(&local, path) : listen_tcp(&tcp);
	if (connect(peer, path ? (struct sockaddr *)&local : (struct sockaddr *)&tcp,
		    path ? sizeof(local) : sizeof(tcp)))
		give_up("connecting");
	if (path) {
		truth_text(scene->truth, "path", path);
		return peer;
	}
	getsockname(peer, (struct sockaddr *)&own, &size);
	truth_number(scene->truth, "server_port", ntohs(tcp.sin_port));
	truth_number(scene->truth, "client_port", ntohs(own.sin_port));
	return peer;
}

int main(int argc, char **argv)
{
	uint64_t born_ns = now_ns();
	bool is_unix = argc == 6 && strcmp(argv[2], "unix") == 0;
	pthread_t thread;

	if (!is_unix && !(argc == 5 && strcmp(argv[2], "tcp") == 0))
		usage("TRUTH tcp|unix ROUNDS DELAY-MS [PATH]");
	struct scene scene = {
		.truth = truth_open(argv[1]),
		.rounds = number_argument(argv[3], "ROUNDS"),
		.delay_ns = number_argument(argv[4], "DELAY-MS") * NS_PER_MS,
	};
	int peer = connect_client(&scene, is_unix ? argv[5] : NULL);
	if (pthread_create(&thread, NULL, server, &scene))
		give_up("starting the server");
	client(&scene, peer, born_ns);
	pthread_join(thread, NULL);
	return 0;
}
