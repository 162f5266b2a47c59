/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process sets up its tap device from memory that is a mapped file with a slow user-space server:
 * the kernel holds rtnl while it waits MILLISECONDS for the page. The victim sets the MTU of
 * another device, which takes rtnl too. Both are in a network namespace of their own; rtnl is
 * everybody's.
 */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"
#include "slow_file.h"

struct tap {
	int fd;
	int file_fd;
	int *buffer_bytes; /* in the slow file */
};

static NAMED_FUNCTION void set_up_device(const struct tap *tap)
{
	if (ioctl(tap->fd, TUNSETSNDBUF, tap->buffer_bytes))
		give_up("TUNSETSNDBUF");
	KEEP_FRAME();
}

static void set_up_again_and_again(void *argument)
{
	const struct tap *tap = argument;

	for (;;) {
		madvise(tap->buffer_bytes, PAGE_BYTES, MADV_DONTNEED);
		posix_fadvise(tap->file_fd, 0, 0, POSIX_FADV_DONTNEED);
		set_up_device(tap);
	}
}

static void open_tap(struct tap *tap, const struct slow_file *file)
{
	struct ifreq request = {.ifr_name = "case", .ifr_flags = IFF_TAP | IFF_NO_PI};
	int buffer_bytes = 1 << 20;

	tap->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (tap->fd < 0 || ioctl(tap->fd, TUNSETIFF, &request))
		give_up("/dev/net/tun");
	tap->file_fd = open(file->path, O_RDWR | O_CLOEXEC);
	if (tap->file_fd < 0 || pwrite(tap->file_fd, &buffer_bytes, sizeof(buffer_bytes), 0) < 0)
		give_up(file->path);
	tap->buffer_bytes = mmap(NULL, PAGE_BYTES, PROT_READ, MAP_SHARED, tap->file_fd, 0);
	if (tap->buffer_bytes == MAP_FAILED)
		give_up("mapping the slow file");
}

static NAMED_FUNCTION void set_mtu(int socket_fd, int mtu)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_mtu = mtu};

	if (ioctl(socket_fd, SIOCSIFMTU, &request))
		give_up("SIOCSIFMTU");
}

static void request(struct requests *requests, void *socket_fd)
{
	spin_ns(NS_PER_MS);
	wait_begin(requests);
	set_mtu(*(int *)socket_fd, 60000 + requests->victim.requests % 2);
	wait_end(requests);
}

int main(int argc, char **argv)
{
	struct slow_file file;
	struct tap tap;

	if (argc != 4)
		usage("TRUTH busy|asleep MILLISECONDS");
	int truth = truth_open(argv[1]);
	uint64_t delay_ns = number_argument(argv[3], "MILLISECONDS") * NS_PER_MS;
	come_first();
	namespaces_begin(CLONE_NEWNS | CLONE_NEWNET);
	slow_file_begin(&file, "slow-server", PAGE_BYTES);
	open_tap(&tap, &file);
	int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (socket_fd < 0)
		give_up("a socket");
	struct requests requests = {.truth = truth,
				    .request = request,
				    .context = &socket_fd,
				    .blocked_key = "ns.lock.kernel"};

	slow_file_delay(&file, delay_ns, !strcmp(argv[2], "busy"));
	pid_t owner = process_start("tap-owner", set_up_again_and_again, &tap);
	run_requests(&requests);
	process_end(owner);
	munmap(tap.buffer_bytes, PAGE_BYTES);
	close(tap.file_fd);
	slow_file_end(&file);
	return 0;
}
