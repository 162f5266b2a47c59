/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sender's data is not read: the reader computes or sleeps between its reads, its receive buffer
 * and the sender's send buffer are full, and the sender waits in send. Over TCP the window closes.
 */
#include <string.h>
#include <unistd.h>

#include "talk.h"

#define BATCH_BYTES (1 << 20)

struct reader {
	int listener;
	uint64_t work_ns;
	bool computes;
};

static NAMED_FUNCTION void render_batch(uint64_t work_ns)
{
	compute_here(work_ns);
	KEEP_FRAME();
}

static NAMED_FUNCTION void doze(uint64_t work_ns)
{
	sleep_ns(work_ns);
	KEEP_FRAME();
}

static void read_slowly(void *context)
{
	static char batch[BATCH_BYTES];
	struct reader *reader = context;
	int peer = accept(reader->listener, NULL, NULL);

	if (peer < 0)
		give_up("accepting");
	while (receive_bytes(peer, batch, sizeof(batch)))
		if (reader->computes)
			render_batch(reader->work_ns);
		else
			doze(reader->work_ns);
}

static NAMED_FUNCTION void send_batch(struct requests *requests, void *context)
{
	static char batch[BATCH_BYTES];

	wait_begin(requests);
	send_bytes(*(int *)context, batch, sizeof(batch));
	wait_end(requests);
}

int main(int argc, char **argv)
{
	int buffer_bytes = 32768;
	struct endpoint endpoint;

	if (argc != 5)
		usage("TRUTH tcp|unix computes|sleeps WORK-MS");
	struct reader reader = {listen_on(argv[2], "127.0.0.1", 1, &endpoint),
				number_argument(argv[4], "WORK-MS") * NS_PER_MS,
				strcmp(argv[3], "computes") == 0};
	if (setsockopt(reader.listener, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes)))
		give_up("making the receive buffer small");
	start_child("reader", read_slowly, &reader);
	close(reader.listener);

	int peer = connect_to(&endpoint);
	if (setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof(buffer_bytes)))
		give_up("making the send buffer small");
	bool is_unix = strcmp(argv[2], "unix") == 0;
	struct requests requests = {truth_open(argv[1]), send_batch, &peer,
				    is_unix ? "ns.wait.ipc" : "ns.net.send"};
	run_requests(&requests);
	return 0;
}
