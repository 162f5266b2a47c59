/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A very small just-in-time compiler: it makes a loop of machine code and names it in
 * /tmp/perf-PID.map, as JIT runtimes do. Known: the name jit_made_loop and the CPU time spent in
 * it.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "workload.h"

#if defined(__x86_64__)
/* mov rax, rdi; loop: dec rax; jnz loop; ret */
static const unsigned char machine_code[] = {0x48, 0x89, 0xf8, 0x48, 0xff, 0xc8, 0x75, 0xfb, 0xc3};
#elif defined(__aarch64__)
/* loop: subs x0, x0, 1; b.ne loop; ret */
static const unsigned char machine_code[] = {0x00, 0x04, 0x00, 0xf1, 0xe1, 0xff,
					     0xff, 0x54, 0xc0, 0x03, 0x5f, 0xd6};
#else
#error "no machine code for this architecture"
#endif

int main(int argc, char **argv)
{
	uint64_t born_ns = now_ns();
	char map_path[64];

	if (argc != 3)
		usage("TRUTH MILLISECONDS");
	int truth = truth_open(argv[1]);
	uint64_t duration_ns = number_argument(argv[2], "MILLISECONDS") * NS_PER_MS;
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		give_up("mmap");
	memcpy(page, machine_code, sizeof(machine_code));
	if (mprotect(page, 4096, PROT_READ | PROT_EXEC))
		give_up("mprotect");
	__builtin___clear_cache(page, (char *)page + sizeof(machine_code));

	snprintf(map_path, sizeof(map_path), "/tmp/perf-%d.map", getpid());
	FILE *map = fopen(map_path, "we");
	if (!map)
		give_up(map_path);
	fprintf(map, "%lx %zx jit_made_loop\n", (unsigned long)page, sizeof(machine_code));
	fclose(map);

	void (*function)(uint64_t) = (void (*)(uint64_t))page;
	while (now_ns() - born_ns < duration_ns)
		function(1000000);
	truth_text(truth, "map", map_path);
	truth_thread(truth, "jit", born_ns);
	return 0;
}
