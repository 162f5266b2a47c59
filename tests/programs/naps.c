/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * naps TRUTH COUNT MS: sleeps COUNT times, inside of calls that a stack should name.
 */
#include "workload.h"

static NAMED_FUNCTION void nap(uint64_t duration_ns)
{
	sleep_ns(duration_ns);
	KEEP_FRAME();
}

static NAMED_FUNCTION void inner(uint64_t duration_ns)
{
	nap(duration_ns);
	KEEP_FRAME();
}

static NAMED_FUNCTION void outer(uint64_t duration_ns)
{
	inner(duration_ns);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	uint64_t count, duration_ns;
	int truth;

	if (argc != 4)
		usage("TRUTH COUNT MS");
	truth = truth_open(argv[1]);
	count = number_argument(argv[2], "COUNT");
	duration_ns = number_argument(argv[3], "MS") * NS_PER_MS;
	truth_number(truth, "tid", thread_id());
	for (uint64_t i = 0; i < count; i++)
		outer(duration_ns);
	return 0;
}
