/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Short lives: COUNT children (or threads) named kid-0, kid-1, ... one after another, AT-ONCE at a
 * time; each burns a moment of CPU and ends, child N with the exit status N % 100. Known: tid,
 * name, status.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

#define LIFE_NS     (200 * NS_PER_US)
#define AT_ONCE_MAX 64

struct kid {
	int truth;
	unsigned int number;
	pthread_t thread;
};

static NAMED_FUNCTION void live_shortly(void)
{
	spin_ns(LIFE_NS);
	KEEP_FRAME();
}

/* "kid.TID=NAME STATUS" */
static void be_a_kid(const struct kid *kid)
{
	char key[32], name[16], line[48];

	snprintf(name, sizeof(name), "kid-%u", kid->number);
	prctl(PR_SET_NAME, name);
	snprintf(key, sizeof(key), "kid.%d", thread_id());
	snprintf(line, sizeof(line), "%s %u", name, kid->number % 100);
	truth_text(kid->truth, key, line);
	live_shortly();
}

static void *thread_main(void *argument)
{
	be_a_kid(argument);
	return NULL;
}

static void run_threads(struct kid *kids, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (pthread_create(&kids[i].thread, NULL, thread_main, &kids[i]))
			give_up("starting a thread");
	for (unsigned int i = 0; i < count; i++)
		pthread_join(kids[i].thread, NULL);
}

static void run_processes(struct kid *kids, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		pid_t child = fork();

		if (child < 0)
			give_up("forking");
		if (child == 0) {
			be_a_kid(&kids[i]);
			_exit(kids[i].number % 100);
		}
	}
	while (wait(NULL) > 0)
		;
}

int main(int argc, char **argv)
{
	uint64_t born_ns = now_ns();
	struct kid kids[AT_ONCE_MAX];

	if (argc != 5)
		usage("TRUTH processes|threads COUNT AT-ONCE");
	int truth = truth_open(argv[1]);
	bool is_threads = strcmp(argv[2], "threads") == 0;
	unsigned int total = number_argument(argv[3], "COUNT");
	unsigned int at_once = number_argument(argv[4], "AT-ONCE");

	if (at_once > AT_ONCE_MAX)
		usage("TRUTH processes|threads COUNT AT-ONCE(1..64)");
	for (unsigned int done = 0; done < total;) {
		unsigned int count = total - done < at_once ? total - done : at_once;

		for (unsigned int i = 0; i < count; i++)
			kids[i] = (struct kid){.truth = truth, .number = done + i};
		if (is_threads)
			run_threads(kids, count);
		else
			run_processes(kids, count);
		done += count;
	}
	truth_number(truth, "kids", total);
	truth_thread(truth, "parent", born_ns);
	return 0;
}
