/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The naming thread when it lags behind: what waits for it stays within limits.
 */
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "capture/naming.h"
#include "event/schema.h"

#define COPY_BYTES 16384
#define MB         (1u << 20)

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static unsigned int kernel_stacks; /* that were handed on; guarded by held */

/* As slow as the test wants it. */
static void slow_sink(void *context, const struct event_header *event)
{
	(void)context;
	pthread_mutex_lock(&held);
	kernel_stacks += event->kind == EVENT_STACK &&
			 !(((const struct event_stack *)event)->flags & EVENT_STACK_USER);
	pthread_mutex_unlock(&held);
}

static void add_kernel_stack(struct naming_batch *batch, uint64_t id)
{
	uint64_t memory[(sizeof(struct event_raw_kernel_stack) + 8) / 8] = {0};
	struct event_raw_kernel_stack *event = (void *)memory;

	event->header = (struct event_header){
		.kind = EVENT_RAW_KERNEL_STACK, .size = sizeof(memory), .time_ns = id};
	event->id = id;
	event->frame_count = 1;
	event->addresses[0] = 0xffffffff81000000 + id;
	naming_add_event(batch, &event->header);
}

static void add_user_copy(struct naming_batch *batch, uint64_t id)
{
	static uint64_t memory[(sizeof(struct event_raw_user_stack) + COPY_BYTES) / 8];
	struct event_raw_user_stack *event = (void *)memory;

	event->header = (struct event_header){
		.kind = EVENT_RAW_USER_STACK, .size = sizeof(memory), .time_ns = id};
	event->id = id;
	event->pid = event->tid = 0x7fffffff; /* nobody */
	event->copy_bytes = COPY_BYTES;
	naming_add_event(batch, &event->header);
}

static void what_is_dropped_takes_no_memory(void **state)
{
	const struct resolver_options options = {.no_sandbox = true, .sink = slow_sink};
	struct resolver *resolver;
	struct naming_batch batch = {0};
	struct naming_status status;
	struct naming *naming;
	struct mallinfo2 before, after;

	(void)state;
	assert_int_equal(resolver_new(&resolver, &options), 0);
	pthread_mutex_lock(&held);
	assert_int_equal(naming_start(&naming, resolver, NULL, NULL), 0);
	before = mallinfo2();
	for (uint64_t round = 0, id = 1; round < 100; round++) {
		add_kernel_stack(&batch, id++);
		for (unsigned int i = 0; i < 4 * MB / COPY_BYTES; i++)
			add_user_copy(&batch, id++);
		naming_submit(naming, &batch);
	}
	after = mallinfo2();
	naming_status(naming, &status);
	/* of 400 MB about 64 may wait */
	assert_in_range(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd, 0,
			130 * MB);
	assert_in_range(status.dropped_stacks, 80 * 4 * MB / COPY_BYTES, 90 * 4 * MB / COPY_BYTES);
	pthread_mutex_unlock(&held);
	naming_finish(naming, NULL, NULL, NULL);
	/* what is not a stack copy is never dropped */
	assert_int_equal(kernel_stacks, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_dropped_takes_no_memory)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
