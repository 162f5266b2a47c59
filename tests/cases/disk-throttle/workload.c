/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The victim's cgroup may write KILOBYTES-PER-SECOND to a disk (blkio.throttle); the victim writes
 * KILOBYTES at once, past the page cache. The disk is a loop device, so that any machine has it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

#define DISK_BYTES (16UL << 20)

struct disk {
	int fd;
	char *bytes;
	size_t size_bytes;
	uint64_t random;
};

static NAMED_FUNCTION void write_past_the_cache(struct disk *disk, uint64_t offset)
{
	if (pwrite(disk->fd, disk->bytes, disk->size_bytes, offset) < 0)
		give_up("writing to the device");
	KEEP_FRAME();
}

static void request(struct requests *requests, void *context)
{
	struct disk *disk = context;
	uint64_t piece = random_next(&disk->random) % (DISK_BYTES / disk->size_bytes);

	spin_ns(NS_PER_MS);
	wait_begin(requests);
	write_past_the_cache(disk, piece * disk->size_bytes);
	wait_end(requests);
}

static void limit_writes(const struct cgroup *group, int device_fd, uint64_t bytes_per_second)
{
	struct stat status;
	char limit[64];

	if (fstat(device_fd, &status))
		give_up("the device");
	snprintf(limit, sizeof(limit), "%u:%u %llu", major(status.st_rdev), minor(status.st_rdev),
		 (unsigned long long)bytes_per_second);
	cgroup_set(group, "blkio.throttle.write_bps_device", limit);
	cgroup_set(group, "cgroup.procs", "0");
}

int main(int argc, char **argv)
{
	struct cgroup group;
	char device[32], backing[64];

	if (argc != 4)
		usage("TRUTH KILOBYTES-PER-SECOND KILOBYTES");
	come_first();
	int truth = truth_open(argv[1]);
	cgroup_begin(&group, "blkio");
	snprintf(backing, sizeof(backing), "/proc/self/fd/%d", scratch_file(DISK_BYTES, 0));
	int device_fd = loop_begin(backing, device);
	struct disk disk = {.fd = open(device, O_RDWR | O_DIRECT | O_CLOEXEC),
			    .size_bytes = number_argument(argv[3], "KILOBYTES") << 10,
			    .random = 1};
	disk.bytes = aligned_alloc(PAGE_BYTES, disk.size_bytes);
	if (disk.fd < 0 || !disk.bytes)
		give_up(device);
	limit_writes(&group, device_fd, number_argument(argv[2], "KILOBYTES-PER-SECOND") << 10);
	struct requests requests = {
		.truth = truth, .request = request, .context = &disk, .blocked_key = "ns.io.disk"};

	run_requests(&requests);
	truth_text(truth, "cgroup", group.path);
	file_set("/sys/fs/cgroup/blkio/cgroup.procs", "0");
	cgroup_end(&group);
	return 0;
}
