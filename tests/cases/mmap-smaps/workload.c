/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A monitor reads /proc/PID/FILE of the victim's process again and again. Each read walks MEGABYTES
 * of small pages with mmap_lock held for reading; the victim, which changes the protection of a
 * page, needs it for writing.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

static NAMED_FUNCTION void read_memory_use(const char *path)
{
	static char text[1 << 16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (read(fd, text, sizeof(text)) > 0)
		;
	close(fd);
}

static void watch_memory_use(void *path)
{
	for (;;) {
		read_memory_use(path);
		sleep_ns(200 * NS_PER_US);
	}
}

static NAMED_FUNCTION void protect_a_page(char *page)
{
	if (mprotect(page, PAGE_BYTES, PROT_READ))
		give_up("mprotect");
	if (mprotect(page, PAGE_BYTES, PROT_READ | PROT_WRITE))
		give_up("mprotect");
}

static void request(struct requests *requests, void *page)
{
	spin_ns(100 * NS_PER_US);
	wait_begin(requests);
	protect_a_page(page);
	wait_end(requests);
}

int main(int argc, char **argv)
{
	char path[64];

	if (argc != 4)
		usage("TRUTH FILE MEGABYTES");
	come_first();
	struct requests requests = {.truth = truth_open(argv[1]),
				    .request = request,
				    .context = small_pages(PAGE_BYTES),
				    .blocked_key = "ns.lock.kernel"};
	snprintf(path, sizeof(path), "/proc/%d/%s", getpid(), argv[2]);
	small_pages(number_argument(argv[3], "MEGABYTES") << 20);
	pid_t monitor = process_start("monitor", watch_memory_use, path);

	run_requests(&requests);
	process_end(monitor);
	return 0;
}
