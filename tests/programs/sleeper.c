/* SPDX-License-Identifier: BSD-2-Clause */
/* Sleeps COUNT times for MILLISECONDS: the simplest wait there is. Known: how many, how long
 * together. */
#include <stdlib.h>

#include "workload.h"

static NAMED_FUNCTION uint64_t take_a_nap(uint64_t duration_ns)
{
	uint64_t begin_ns = now_ns();

	sleep_ns(duration_ns);
	return now_ns() - begin_ns;
}

int main(int argc, char **argv)
{
	uint64_t born_ns = now_ns();

	if (argc < 4)
		usage("TRUTH COUNT MILLISECONDS [EXIT-STATUS]");
	int truth = truth_open(argv[1]);
	uint64_t count = number_argument(argv[2], "COUNT");
	uint64_t duration_ns = number_argument(argv[3], "MILLISECONDS") * NS_PER_MS;
	uint64_t slept_ns = 0, longest_ns = 0;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t one_ns = take_a_nap(duration_ns);

		slept_ns += one_ns;
		if (one_ns > longest_ns)
			longest_ns = one_ns;
	}
	truth_number(truth, "sleeps", count);
	truth_number(truth, "slept_ns", slept_ns);
	truth_number(truth, "longest_ns", longest_ns);
	truth_thread(truth, "sleeper", born_ns);
	return argc > 4 ? atoi(argv[4]) : 0;
}
