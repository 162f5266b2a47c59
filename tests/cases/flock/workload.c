/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process locks a file for HOLD-MS, computing or asleep, lets go for PAUSE-MS and locks it again.
 * The victim, another process, wants the lock too.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

#define LOCK_FILE "lock"

struct holder {
	bool is_busy;
	uint64_t hold_ns;
	uint64_t pause_ns;
};

static int open_lock(void)
{
	int fd = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		give_up(LOCK_FILE);
	return fd;
}

static NAMED_FUNCTION void hold_and_compute(uint64_t hold_ns)
{
	compute_here(hold_ns);
	KEEP_FRAME();
}

static NAMED_FUNCTION void hold_and_sleep(uint64_t hold_ns)
{
	sleep_ns(hold_ns);
	KEEP_FRAME();
}

static void hold_again_and_again(void *argument)
{
	const struct holder *holder = argument;
	int fd = open_lock();

	for (;;) {
		flock(fd, LOCK_EX);
		if (holder->is_busy)
			hold_and_compute(holder->hold_ns);
		else
			hold_and_sleep(holder->hold_ns);
		flock(fd, LOCK_UN);
		sleep_ns(holder->pause_ns);
	}
}

static NAMED_FUNCTION void want_the_lock(struct requests *requests, int fd)
{
	wait_begin(requests);
	if (flock(fd, LOCK_EX))
		give_up("flock");
	wait_end(requests);
	flock(fd, LOCK_UN);
}

static void request(struct requests *requests, void *fd)
{
	spin_ns(500 * NS_PER_US);
	want_the_lock(requests, *(int *)fd);
}

int main(int argc, char **argv)
{
	if (argc != 5)
		usage("TRUTH busy|asleep HOLD-MS PAUSE-MS");
	come_first();
	int truth = truth_open(argv[1]), fd = open_lock();
	struct holder holder = {.is_busy = !strcmp(argv[2], "busy"),
				.hold_ns = number_argument(argv[3], "HOLD-MS") * NS_PER_MS,
				.pause_ns = number_argument(argv[4], "PAUSE-MS") * NS_PER_MS};
	struct requests requests = {.truth = truth,
				    .request = request,
				    .context = &fd,
				    .blocked_key = "ns.lock.kernel"};
	pid_t process = process_start("holder", hold_again_and_again, &holder);

	run_requests(&requests);
	process_end(process);
	unlink(LOCK_FILE);
	return 0;
}
