/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes a recording of many calls of traced functions, to measure how fast it is read:
 *
 *	many_calls FILE [CALLS]
 *
 * Two threads, each on its CPU, run requests: a tree of calls of 200 functions, up to 12 deep, as a
 * server's may look. 10,000,000 calls unless told otherwise.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "recording/recording.h"

#define THREADS   2
#define CPUS      2
#define FUNCTIONS 200
#define DEPTH_MAX 12
#define FIRST_TID 1000
#define START_NS  UINT64_C(1000000000)

struct maker {
	struct recording_writer *writer;
	uint64_t seed;
	uint64_t now_ns[THREADS];
	uint64_t left; /* calls to be made */
	int err;
};

static uint64_t random_below(struct maker *maker, uint64_t limit)
{
	maker->seed += UINT64_C(0x9e3779b97f4a7c15);
	return hash_mix(maker->seed) % limit;
}

static void write_name(struct maker *maker, uint32_t id)
{
	union {
		struct event_span_name event;
		char bytes[256];
	} name = {.event = {.header = {.kind = EVENT_SPAN_NAME}, .name = id}};
	int length = snprintf(name.event.text, sizeof(name.bytes) - sizeof(name.event),
			      "server::Handler::step_%u%cbin/server:_ZN6server7Handler6step_%uEv",
			      id, 0, id);

	name.event.flags = EVENT_NAME_TRACED | (id % 5 ? EVENT_NAME_CHEAP : EVENT_NAME_COSTLY);
	name.event.header.size = (uint16_t)((sizeof(name.event) + (size_t)length + 8) / 8 * 8);
	recording_write(maker->writer, STREAM_TABLE, 0, &name, name.event.header.size);
}

static void write_thread(struct maker *maker, uint32_t tid)
{
	union {
		struct event_thread event;
		char bytes[128];
	} thread = {.event = {.header = {.kind = EVENT_THREAD}, .tid = tid, .pid = FIRST_TID}};

	strcpy(thread.event.comm, "worker");
	thread.event.header.size = sizeof(thread.event) + 8;
	recording_write(maker->writer, STREAM_TABLE, 0, &thread, thread.event.header.size);
}

static void call(struct maker *maker, unsigned int thread, uint16_t depth, uint32_t function)
{
	uint64_t start_ns = maker->now_ns[thread];
	uint64_t children = depth + 1 < DEPTH_MAX ? random_below(maker, 4) : 0;
	struct event_call event = {
		.header = {.kind = EVENT_CALL, .size = sizeof(event)},
		.tid = FIRST_TID + thread,
		.name = function,
		.depth = depth,
	};

	if (!maker->left)
		return;
	maker->left--;
	maker->now_ns[thread] += 20 + random_below(maker, 300);
	for (uint64_t i = 0; i < children; i++)
		call(maker, thread, depth + 1,
		     1 + (uint32_t)((function * 7 + i) % FUNCTIONS));
	maker->now_ns[thread] += 20 + random_below(maker, 300);
	event.header.time_ns = maker->now_ns[thread];
	event.duration_ns = (uint32_t)(event.header.time_ns - start_ns);
	maker->err = recording_write(maker->writer, STREAM_CALL, (uint16_t)(thread % CPUS), &event,
				     sizeof(event));
}

/* The thread whose time is behind makes the next request, so that each CPU's events are nearly in
 * order. */
static unsigned int next_thread(const struct maker *maker)
{
	unsigned int next = 0;

	for (unsigned int i = 1; i < THREADS; i++) {
		if (maker->now_ns[i] < maker->now_ns[next])
			next = i;
	}
	return next;
}

int main(int argc, char **argv)
{
	struct maker maker = {.left = argc > 2 ? strtoull(argv[2], NULL, 0) : 10000000};
	int err = argc < 2 ? -1 : recording_create(&maker.writer, argv[1]);

	if (err) {
		fprintf(stderr, "many_calls: %s\n", argc < 2 ? "wants FILE [CALLS]" : fail_text());
		return 1;
	}
	for (uint32_t i = 1; i <= FUNCTIONS; i++)
		write_name(&maker, i);
	for (unsigned int i = 0; i < THREADS; i++) {
		write_thread(&maker, FIRST_TID + i);
		maker.now_ns[i] = START_NS;
	}
	while (maker.left && !maker.err) {
		unsigned int thread = next_thread(&maker);

		call(&maker, thread, 0, 1 + (uint32_t)random_below(&maker, 8));
		maker.now_ns[thread] += 100;
	}
	if (recording_finish(maker.writer)) {
		fprintf(stderr, "many_calls: %s\n", fail_text());
		return 1;
	}
	return 0;
}
