/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks like a fault: a monitor reads /proc/PID/maps of the victim's process without pause, while
 * the victim maps, protects and unmaps memory. But the kernel (since 6.11 or so) reads maps without
 * mmap_lock, unless it meets a change.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

static NAMED_FUNCTION void read_maps(const char *path)
{
	static char text[1 << 16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (read(fd, text, sizeof(text)) > 0)
		;
	close(fd);
}

static void read_maps_often(void *path)
{
	pin_to_cpu(1);
	run_in_real_time(1);
	for (;;) {
		read_maps(path);
		sleep_ns(50 * NS_PER_US);
	}
}

static NAMED_FUNCTION void change_mappings(size_t size_bytes)
{
	char *bytes =
		mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED || mprotect(bytes, PAGE_BYTES, PROT_READ))
		give_up("mapping memory");
	munmap(bytes, size_bytes);
}

static void request(struct requests *requests, void *size_bytes)
{
	compute_here(2 * NS_PER_MS);
	wait_begin(requests);
	change_mappings(*(size_t *)size_bytes);
	wait_end(requests);
}

int main(int argc, char **argv)
{
	char path[64];

	if (argc != 3)
		usage("TRUTH KILOBYTES");
	size_t size_bytes = number_argument(argv[2], "KILOBYTES") << 10;
	struct requests requests = {.truth = truth_open(argv[1]),
				    .request = request,
				    .context = &size_bytes,
				    .blocked_key = "ns.lock.kernel"};
	snprintf(path, sizeof(path), "/proc/%d/maps", getpid());
	come_first();
	pid_t monitor = process_start("monitor", read_maps_often, path);

	pin_to_cpu(0);
	run_requests(&requests);
	process_end(monitor);
	return 0;
}
