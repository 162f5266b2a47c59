/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes a byte to its standard output COUNT times, each after a sleep of MILLISECONDS and as much
 * work: whoever reads them waits for it. Known: how often it slept. */
#include <unistd.h>

#include "workload.h"

static NAMED_FUNCTION void dawdle(uint64_t duration_ns)
{
	sleep_ns(duration_ns);
	KEEP_FRAME();
}

static NAMED_FUNCTION void grind(uint64_t duration_ns)
{
	spin_ns(duration_ns);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	uint64_t born_ns = now_ns();

	if (argc != 4)
		usage("TRUTH COUNT MILLISECONDS");
	int truth = truth_open(argv[1]);
	uint64_t count = number_argument(argv[2], "COUNT");
	uint64_t duration_ns = number_argument(argv[3], "MILLISECONDS") * NS_PER_MS;

	for (uint64_t i = 0; i < count; i++) {
		dawdle(duration_ns);
		grind(duration_ns);
		if (write(STDOUT_FILENO, "x", 1) != 1)
			give_up("writing");
	}
	truth_number(truth, "sleeps", count);
	truth_thread(truth, "feeder", born_ns);
	return 0;
}
