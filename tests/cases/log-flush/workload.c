/* SPDX-License-Identifier: BSD-2-Clause */
/* After every REQUESTS requests the victim writes LINES lines to its log and makes them durable. */
#include <string.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

#define LINE_BYTES 128

struct log {
	int fd;
	uint64_t every;
	uint64_t lines;
};

static NAMED_FUNCTION void serve_request(void)
{
	compute_here(50 * NS_PER_US);
	KEEP_FRAME();
}

static NAMED_FUNCTION void flush_log(const struct log *log)
{
	char line[LINE_BYTES];

	memset(line, 'x', sizeof(line));
	for (uint64_t i = 0; i < log->lines; i++)
		if (write(log->fd, line, sizeof(line)) != sizeof(line))
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
		usage("TRUTH REQUESTS LINES");
	come_first();
	int truth = truth_open(argv[1]);
	struct log log = {.fd = scratch_file(1 << 20, 0),
			  .every = number_argument(argv[2], "REQUESTS"),
			  .lines = number_argument(argv[3], "LINES")};
	struct requests requests = {
		.truth = truth, .request = request, .context = &log, .blocked_key = "ns.io"};

	lseek(log.fd, 0, SEEK_END);
	run_requests(&requests);
	return 0;
}
