/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process "victim" waits for what never comes, and is killed by the process "killer". That one
 * ended the wait, but it did not cause it.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

static void *sleep_long(void *argument)
{
	pthread_mutex_lock(argument);
	sleep_ns(10 * NS_PER_S);
	return NULL;
}

static void wait_for_mutex(void)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	start_thread("holder", sleep_long, &mutex);
	sleep_ns(20 * NS_PER_MS);
	pthread_mutex_lock(&mutex);
}

static void wait_for_thread(void)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	join_thread(start_thread("sleeper", sleep_long, &mutex));
}

static void wait_for_pipe(void)
{
	int ends[2];
	char byte;

	if (pipe(ends))
		give_up("making a pipe");
	if (read(ends[0], &byte, 1) == 1)
		give_up("reading what nobody wrote");
}

static void be_victim(void *argument)
{
	const char *what = argument;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!strcmp(what, "mutex"))
		wait_for_mutex();
	else if (!strcmp(what, "join"))
		wait_for_thread();
	else
		wait_for_pipe();
}

struct killing {
	int truth;
	pid_t victim;
	bool is_inside; /* it is a thread of the victim's process */
};

static void be_killer(void *argument)
{
	struct killing *killing = argument;

	sleep_ns(200 * NS_PER_MS);
	truth_number(killing->truth, "victim.from_ns", (int64_t)now_ns());
	compute_here(500 * NS_PER_MS);
	sleep_ns(100 * NS_PER_MS);
	truth_number(killing->truth, "victim.to_ns", (int64_t)now_ns());
	truth_number(killing->truth, "victim.tid", killing->victim);
	if (killing->is_inside)
		_exit(0);
	kill(killing->victim, SIGKILL);
}

static void *be_killer_inside(void *argument)
{
	be_killer(argument);
	return NULL;
}

static void be_victim_of_thread(void *argument)
{
	struct killing *killing = argument;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	killing->victim = getpid();
	start_thread("killer", be_killer_inside, killing);
	wait_for_pipe();
}

int main(int argc, char **argv)
{
	struct killing killing = {.truth = -1};
	pid_t killer;

	if (argc != 3)
		usage("TRUTH mutex|join|pipe|exit");
	killing.truth = truth_open(argv[1]);
	killing.is_inside = !strcmp(argv[2], "exit");
	killing.victim = killing.is_inside ? process_start("victim", be_victim_of_thread, &killing)
					   : process_start("victim", be_victim, argv[2]);
	if (!killing.is_inside) {
		killer = process_start("killer", be_killer, &killing);
		waitpid(killer, NULL, 0);
	}
	waitpid(killing.victim, NULL, 0);
	return 0;
}
