/* SPDX-License-Identifier: BSD-2-Clause */
/* After every REQUESTS requests the victim writes KILOBYTES of its log and makes them durable. */
#include <stdlib.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

struct log {
	int fd;
	uint64_t every; /* requests */
	char *lines;    /* that are not written yet */
	size_t size_bytes;
};

static NAMED_FUNCTION void serve_request(void)
{
	compute_here(50 * NS_PER_US);
	KEEP_FRAME();
}

static NAMED_FUNCTION void flush_log(const struct log *log)
{
	if (write(log->fd, log->lines, log->size_bytes) != (ssize_t)log->size_bytes)
		give_up("writing the log");
	if (fdatasync(log->fd))
		give_up("fdatasync");
	KEEP_FRAME();
}

static void request(struct requests *requests, void *context)
{
	const struct log *log = context;

	serve_request();
	if (requests->victim.requests % log->every)
		return;
	wait_begin(requests);
	flush_log(log);
	wait_end(requests);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH REQUESTS KILOBYTES");
	run_in_real_time(1);
	int truth = truth_open(argv[1]);
	struct log log = {.fd = scratch_file(1 << 20, 0),
			  .every = number_argument(argv[2], "REQUESTS"),
			  .size_bytes = number_argument(argv[3], "KILOBYTES") << 10};
	struct requests requests = {
		.truth = truth, .request = request, .context = &log, .blocked_key = "ns.io"};

	log.lines = calloc(1, log.size_bytes);
	if (!log.lines)
		give_up("memory");
	pin_to_cpu(disk_cpu(log.fd));
	lseek(log.fd, 0, SEEK_END);
	run_requests(&requests);
	return 0;
}
