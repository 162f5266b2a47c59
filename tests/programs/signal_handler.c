/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work that is interrupted by a signal whose handler sleeps, COUNT times for MILLISECONDS. Known:
 * the chain main > interrupted_work > (signal) > sleep_in_handler, and how long the handler slept.
 */
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/time.h>

#include "workload.h"

/* A signal handler can only reach what has static storage. */
static uint64_t handler_sleep_ns;
static atomic_ullong handler_slept_ns;
static atomic_uint signals;

static NAMED_FUNCTION void sleep_in_handler(int signal)
{
	(void)signal;
	uint64_t begin_ns = now_ns();

	sleep_ns(handler_sleep_ns);
	handler_slept_ns += now_ns() - begin_ns;
	signals++;
}

static NAMED_FUNCTION void interrupted_work(unsigned int count)
{
	while (signals < count)
		;
}

int main(int argc, char **argv)
{
	uint64_t born_ns = now_ns();
	struct itimerval every_5_ms = {{0, 5000},
				       {0, 5000}}; /* of CPU time, so it counts work only */
	struct sigaction action;

	if (argc != 4)
		usage("TRUTH COUNT MILLISECONDS");
	int truth = truth_open(argv[1]);
	unsigned int count = number_argument(argv[2], "COUNT");

	handler_sleep_ns = number_argument(argv[3], "MILLISECONDS") * NS_PER_MS;
	memset(&action, 0, sizeof(action));
	action.sa_handler = sleep_in_handler;
	action.sa_flags = SA_RESTART;
	sigaction(SIGPROF, &action, NULL);
	setitimer(ITIMER_PROF, &every_5_ms, NULL);
	interrupted_work(count);
	setitimer(ITIMER_PROF, &(struct itimerval){0}, NULL);
	truth_number(truth, "signals", count);
	truth_number(truth, "slept_ns", handler_slept_ns);
	truth_thread(truth, "worker", born_ns);
	return 0;
}
