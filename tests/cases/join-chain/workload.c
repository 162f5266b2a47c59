/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each thread starts another one and waits for its end; the last one computes. All are called like
 * the program, and the whole process is asked about: most of its threads' time is waiting for each
 * other.
 */
#include <unistd.h>

#include "case.h"

static NAMED_FUNCTION void multiply(void)
{
	compute_here(800 * NS_PER_MS);
	KEEP_FRAME();
}

static void *stage(void *argument)
{
	unsigned int *left = argument, below = *left - 1;
	pthread_t thread;

	if (!below) {
		multiply();
		return NULL;
	}
	if (pthread_create(&thread, NULL, stage, &below))
		give_up("starting a thread");
	pthread_join(thread, NULL);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int depth;
	int truth;

	if (argc != 3)
		usage("TRUTH DEPTH");
	truth = truth_open(argv[1]);
	depth = (unsigned int)number_argument(argv[2], "DEPTH");
	truth_number(truth, "pid", getpid());
	truth_number(truth, "victim.from_ns", (int64_t)now_ns());
	stage(&depth);
	truth_number(truth, "victim.to_ns", (int64_t)now_ns());
	return 0;
}
