/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleeps N times 3 ms by the 32-bit system call nanosleep, whose number (162) is that of sync in
 * 64-bit code. Status 77 where the kernel has no 32-bit calls. x86-64.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "workload.h"

#define NANOSLEEP_32 162

static long sleep_32(const uint32_t *duration)
{
	long result = NANOSLEEP_32;

#ifdef __x86_64__
	__asm__ volatile("int $0x80"
			 : "+a"(result)
			 : "b"(duration), "c"(0)
			 : "memory", "r8", "r9", "r10", "r11");
#endif
	return result;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		usage("TRUTH N");
	int truth = truth_open(argv[1]);
	uint64_t times = number_argument(argv[2], "N");
	uint32_t *duration = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (duration == MAP_FAILED)
		give_up("mmap");
	truth_number(truth, "pid", getpid());
	duration[1] = 3 * NS_PER_MS;
	while (times--) {
		if (sleep_32(duration))
			return 77;
	}
	return 0;
}
