/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A consumer reads from a pipe; what it reads comes late, because the process at the other end
 * computes each item, or is itself a filter that waits for the one that computes.
 */
#include <string.h>
#include <unistd.h>

#include "talk.h"

#define ITEM_BYTES 64

struct stage {
	int input; /* -1: it makes its items */
	int output;
	uint64_t work_ns;
};

static NAMED_FUNCTION void compose_item(uint64_t work_ns)
{
	compute_here(work_ns);
	KEEP_FRAME();
}

static void produce(void *context)
{
	struct stage *stage = context;
	char item[ITEM_BYTES] = {0};

	for (;;) {
		if (stage->input < 0)
			compose_item(stage->work_ns);
		else if (read(stage->input, item, sizeof(item)) != sizeof(item))
			return;
		if (write(stage->output, item, sizeof(item)) != sizeof(item))
			return;
	}
}

/* Starts a process that makes items, or passes them on; returns where they can be read. */
static int start_stage(const char *name, int input, uint64_t work_ns)
{
	int ends[2];

	if (pipe(ends))
		give_up("making a pipe");
	struct stage stage = {input, ends[1], work_ns};
	start_child(name, produce, &stage);
	close(ends[1]);
	if (input >= 0)
		close(input);
	return ends[0];
}

static NAMED_FUNCTION void consume(struct requests *requests, void *context)
{
	char item[ITEM_BYTES];

	wait_begin(requests);
	if (read(*(int *)context, item, sizeof(item)) != sizeof(item))
		give_up("reading an item");
	wait_end(requests);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH FILTERS WORK-MS");
	uint64_t filters = strcmp(argv[2], "0") == 0 ? 0 : number_argument(argv[2], "FILTERS");
	int input = start_stage("producer", -1, number_argument(argv[3], "WORK-MS") * NS_PER_MS);
	for (uint64_t i = 0; i < filters; i++)
		input = start_stage("filter", input, 0);

	struct requests requests = {truth_open(argv[1]), consume, &input, "ns.wait.ipc"};
	run_requests(&requests);
	return 0;
}
