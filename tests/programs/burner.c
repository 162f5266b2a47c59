/* SPDX-License-Identifier: BSD-2-Clause */
/* Burns CPU in two functions, twice as long in one as in the other. Known: CPU time of each. */
#include <time.h>

#include "workload.h"

static uint64_t cpu_time_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static NAMED_FUNCTION uint64_t burn_two_thirds(uint64_t loops)
{
	volatile uint64_t sum = 0;

	for (uint64_t i = 0; i < loops; i++)
		sum += i;
	return sum;
}

static NAMED_FUNCTION uint64_t burn_one_third(uint64_t loops)
{
	volatile uint64_t sum = 1;

	for (uint64_t i = 0; i < loops; i++)
		sum += i;
	return sum;
}

int main(int argc, char **argv)
{
	uint64_t born_ns = now_ns(), two_thirds_ns = 0, one_third_ns = 0;
	uint32_t random_number = 1;

	if (argc != 3)
		usage("TRUTH MILLISECONDS");
	int truth = truth_open(argv[1]);
	uint64_t duration_ns = number_argument(argv[2], "MILLISECONDS") * NS_PER_MS;

	while (now_ns() - born_ns < duration_ns) {
		/* of any length, or rounds could keep step with the sampling clock */
		random_number = random_number * 1103515245 + 12345;
		uint64_t loops = 10000 * (1 + (random_number >> 16) % 32);
		uint64_t begin_ns = cpu_time_ns();
		burn_two_thirds(2 * loops);
		uint64_t middle_ns = cpu_time_ns();
		burn_one_third(loops);
		two_thirds_ns += middle_ns - begin_ns;
		one_third_ns += cpu_time_ns() - middle_ns;
	}
	truth_number(truth, "two_thirds_ns", two_thirds_ns);
	truth_number(truth, "one_third_ns", one_third_ns);
	truth_thread(truth, "burner", born_ns);
	return 0;
}
