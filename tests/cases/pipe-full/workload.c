/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pipe whose reader is slow: it takes a page, then computes or sleeps for PAUSE-MS. The victim
 * writes to the pipe, which is full.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

struct reader {
	int fd;
	bool is_busy;
	uint64_t pause_ns;
};

static NAMED_FUNCTION void digest_slowly(uint64_t duration_ns)
{
	compute_here(duration_ns);
	KEEP_FRAME();
}

static NAMED_FUNCTION void rest_too_long(uint64_t duration_ns)
{
	sleep_ns(duration_ns);
	KEEP_FRAME();
}

static void read_slowly(void *argument)
{
	const struct reader *reader = argument;
	char page[PAGE_BYTES];

	while (read(reader->fd, page, sizeof(page)) > 0)
		if (reader->is_busy)
			digest_slowly(reader->pause_ns);
		else
			rest_too_long(reader->pause_ns);
}

static NAMED_FUNCTION void write_a_page(int fd)
{
	static const char page[PAGE_BYTES];

	if (write(fd, page, sizeof(page)) != sizeof(page))
		give_up("writing to the pipe");
	KEEP_FRAME();
}

static void request(struct requests *requests, void *fd)
{
	spin_ns(100 * NS_PER_US);
	wait_begin(requests);
	write_a_page(*(int *)fd);
	wait_end(requests);
}

int main(int argc, char **argv)
{
	int ends[2];

	if (argc != 4)
		usage("TRUTH busy|asleep PAUSE-MS");
	come_first();
	if (pipe2(ends, O_CLOEXEC) || fcntl(ends[1], F_SETPIPE_SZ, 4 * PAGE_BYTES) < 0)
		give_up("pipe");
	struct reader reader = {.fd = ends[0],
				.is_busy = !strcmp(argv[2], "busy"),
				.pause_ns = number_argument(argv[3], "PAUSE-MS") * NS_PER_MS};
	struct requests requests = {.truth = truth_open(argv[1]),
				    .request = request,
				    .context = &ends[1],
				    .blocked_key = "ns.wait.ipc"};
	pid_t process = process_start("slow-reader", read_slowly, &reader);

	run_requests(&requests);
	process_end(process);
	return 0;
}
