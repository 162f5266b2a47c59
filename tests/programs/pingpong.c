/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two partners pass a byte through two pipes ROUNDS times, as threads or as processes, on one CPU.
 * Known: each round makes each partner sleep once, so there are at least 2 x ROUNDS switches.
 */
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

struct scene {
	int truth;
	uint64_t rounds;
	int there[2];
	int back[2];
};

static void pass(int from, int to)
{
	char byte;

	if (read(from, &byte, 1) != 1 || write(to, &byte, 1) != 1)
		give_up("passing a byte");
}

static void *pong(void *argument)
{
	struct scene *scene = argument;
	uint64_t born_ns = now_ns();

	pthread_setname_np(pthread_self(), "pong");
	for (uint64_t i = 0; i < scene->rounds; i++)
		pass(scene->there[0], scene->back[1]);
	truth_thread(scene->truth, "pong", born_ns);
	return NULL;
}

static void ping(struct scene *scene, uint64_t born_ns)
{
	if (write(scene->there[1], "x", 1) != 1)
		give_up("writing the first byte");
	for (uint64_t i = 1; i < scene->rounds; i++)
		pass(scene->back[0], scene->there[1]);
	char byte;
	if (read(scene->back[0], &byte, 1) != 1)
		give_up("reading the last byte");
	truth_number(scene->truth, "rounds", scene->rounds);
	truth_thread(scene->truth, "ping", born_ns);
}

int main(int argc, char **argv)
{
	uint64_t born_ns = now_ns();

	if (argc != 4)
		usage("TRUTH ROUNDS threads|processes");
	struct scene scene = {truth_open(argv[1]), number_argument(argv[2], "ROUNDS"), {0}, {0}};

	pin_to_cpu(0);
	if (pipe(scene.there) || pipe(scene.back))
		give_up("making pipes");
	if (strcmp(argv[3], "threads") == 0) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, pong, &scene))
			give_up("starting a thread");
		ping(&scene, born_ns);
		pthread_join(thread, NULL);
		return 0;
	}
	pid_t child = fork();
	if (child < 0)
		give_up("forking");
	if (child == 0) {
		pong(&scene);
		return 0;
	}
	ping(&scene, born_ns);
	waitpid(child, NULL, 0);
	return 0;
}
