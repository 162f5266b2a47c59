/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A slow disk: a loop device on a file whose user-space server takes MILLISECONDS for each write,
 * computing or asleep. The victim writes to the device, past the page cache.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"
#include "slow_file.h"

#define DISK_BYTES (4UL << 20)

static NAMED_FUNCTION void write_past_the_cache(int fd, const char *page, uint64_t offset)
{
	if (pwrite(fd, page, PAGE_BYTES, offset) != PAGE_BYTES)
		give_up("writing to the device");
	KEEP_FRAME();
}

struct disk {
	int fd;
	char *page;
	uint64_t random;
};

static void request(struct requests *requests, void *context)
{
	struct disk *disk = context;
	uint64_t piece = random_next(&disk->random) % (DISK_BYTES / PAGE_BYTES);

	spin_ns(NS_PER_MS);
	wait_begin(requests);
	write_past_the_cache(disk->fd, disk->page, piece * PAGE_BYTES);
	wait_end(requests);
}

int main(int argc, char **argv)
{
	struct slow_file file;
	char device[32];

	if (argc != 4)
		usage("TRUTH busy|asleep MILLISECONDS");
	come_first();
	int truth = truth_open(argv[1]);
	uint64_t delay_ns = number_argument(argv[3], "MILLISECONDS") * NS_PER_MS;
	namespaces_begin(CLONE_NEWNS);
	slow_file_begin(&file, "slow-server", DISK_BYTES);
	int device_fd = loop_begin(file.path, device);
	struct disk disk = {.fd = open(device, O_RDWR | O_DIRECT | O_CLOEXEC),
			    .page = aligned_alloc(PAGE_BYTES, PAGE_BYTES),
			    .random = 1};
	if (disk.fd < 0 || !disk.page)
		give_up(device);
	struct requests requests = {
		.truth = truth, .request = request, .context = &disk, .blocked_key = "ns.io.disk"};

	slow_file_delay(&file, delay_ns, !strcmp(argv[2], "busy"));
	run_requests(&requests);
	slow_file_delay(&file, 0, false);
	close(disk.fd);
	close(device_fd);
	slow_file_end(&file);
	return 0;
}
