/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ext4 with a journal, on a loop device, on a file whose user-space server takes MILLISECONDS for
 * each write, computing or asleep. The victim appends to a file and calls fsync: it waits for the
 * journal's thread, which waits for the loop device's worker, which waits for the server.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"
#include "slow_file.h"

#define DISK_BYTES (16UL << 20)

static NAMED_FUNCTION void append_and_fsync(int fd)
{
	if (write(fd, "a line of text\n", 15) != 15 || fsync(fd))
		give_up("writing the file");
	KEEP_FRAME();
}

static void request(struct requests *requests, void *fd)
{
	spin_ns(NS_PER_MS);
	wait_begin(requests);
	append_and_fsync(*(int *)fd);
	wait_end(requests);
}

/* Makes a file system with a journal and mounts it at "mnt"; gives a file of it. */
static int mount_journaled(const char *device)
{
	char *make[] = {"mkfs.ext4", "-q",     "-F", "-E",   "nodiscard,lazy_itable_init=0",
			"-J",        "size=1", "-b", "1024", (char *)device,
			NULL};

	command_run(make);
	if (mkdir("mnt", 0700) || mount(device, "mnt", "ext4", 0, NULL))
		give_up("mounting");
	return open("mnt/log", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
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
	int fd = mount_journaled(device);
	if (fd < 0)
		give_up("mnt/log");
	struct requests requests = {
		.truth = truth, .request = request, .context = &fd, .blocked_key = "ns.io"};

	slow_file_delay(&file, delay_ns, !strcmp(argv[2], "busy"));
	run_requests(&requests);
	slow_file_delay(&file, 0, false);
	close(fd);
	umount("mnt");
	rmdir("mnt");
	close(device_fd);
	slow_file_end(&file);
	return 0;
}
