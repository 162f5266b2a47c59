/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A timer ticks; at each tick a producer writes an item to a pipe whose consumer is fast. The pipe
 * is never full; nobody waits for anything but the next tick.
 */
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "talk.h"

#define ITEM_BYTES_MAX 32768

struct consumer {
	int input;
	size_t item_bytes;
};

static void consume(void *context)
{
	struct consumer *consumer = context;
	static char item[ITEM_BYTES_MAX];

	while (read(consumer->input, item, consumer->item_bytes) > 0)
		;
}

struct producer {
	int timer;
	int output;
	size_t item_bytes;
};

static NAMED_FUNCTION void produce(struct requests *requests, void *context)
{
	const struct producer *producer = context;
	static const char item[ITEM_BYTES_MAX];
	uint64_t ticks;

	(void)requests;
	if (read(producer->timer, &ticks, sizeof(ticks)) != sizeof(ticks))
		give_up("waiting for a tick");
	if (write(producer->output, item, producer->item_bytes) != (ssize_t)producer->item_bytes)
		give_up("writing an item");
}

static int start_timer(uint64_t period_ns)
{
	struct timespec period = {period_ns / NS_PER_S, period_ns % NS_PER_S};
	struct itimerspec ticking = {period, period};
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (timer < 0 || timerfd_settime(timer, 0, &ticking, NULL))
		give_up("making a timer");
	return timer;
}

int main(int argc, char **argv)
{
	int ends[2];

	if (argc != 4)
		usage("TRUTH PERIOD-MS ITEM-BYTES");
	size_t item_bytes = number_argument(argv[3], "ITEM-BYTES");
	if (item_bytes > ITEM_BYTES_MAX)
		usage("TRUTH PERIOD-MS ITEM-BYTES (at most 32768)");
	if (pipe(ends))
		give_up("making a pipe");
	struct consumer consumer = {ends[0], item_bytes};
	start_child("consumer", consume, &consumer);
	struct producer producer = {start_timer(number_argument(argv[2], "PERIOD-MS") * NS_PER_MS),
				    ends[1], item_bytes};
	struct requests requests = {truth_open(argv[1]), produce, &producer};
	run_requests(&requests);
	return 0;
}
