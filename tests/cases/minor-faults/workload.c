/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For each request the victim maps KILOBYTES, writes to each page and unmaps them: new memory,
 * which the kernel fills with zeros, or a file in memory, of which it copies each page.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

struct memory {
	size_t size_bytes;
	int fd; /* -1: new memory */
	uint64_t fault_cpu_ns;
};

static NAMED_FUNCTION void touch_all(volatile char *bytes, size_t size_bytes)
{
	for (size_t at = 0; at < size_bytes; at += PAGE_BYTES)
		bytes[at] = 1;
	KEEP_FRAME();
}

static void request(struct requests *requests, void *context)
{
	struct memory *memory = context;
	int flags = MAP_PRIVATE | (memory->fd < 0 ? MAP_ANONYMOUS : 0);
	char *bytes = mmap(NULL, memory->size_bytes, PROT_READ | PROT_WRITE, flags, memory->fd, 0);

	(void)requests;
	if (bytes == MAP_FAILED || madvise(bytes, memory->size_bytes, MADV_NOHUGEPAGE))
		give_up("mapping memory");
	uint64_t before_ns = thread_cpu_ns();
	touch_all(bytes, memory->size_bytes);
	memory->fault_cpu_ns += thread_cpu_ns() - before_ns;
	munmap(bytes, memory->size_bytes);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH new|copied KILOBYTES");
	come_first();
	int truth = truth_open(argv[1]);
	struct memory memory = {.size_bytes = number_argument(argv[3], "KILOBYTES") << 10,
				.fd = -1};
	struct requests requests = {.truth = truth, .request = request, .context = &memory};

	if (!strcmp(argv[2], "copied")) {
		memory.fd = memfd_create("original", MFD_CLOEXEC);
		if (memory.fd < 0 || ftruncate(memory.fd, memory.size_bytes))
			give_up("a file in memory");
	}
	run_requests(&requests);
	truth_number(truth, "about.mem.fault", memory.fault_cpu_ns);
	return 0;
}
