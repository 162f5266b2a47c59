/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two coroutines that hand each other numbers (ucontext), and a third stack that is left in the middle.
 * contexts COUNT: prints what came of it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#include "workload.h"

#define STACK_BYTES 65536

static ucontext_t main_context, contexts[2];
static uint64_t handed;

static NAMED_FUNCTION void hand_over(int from, int to)
{
	handed = handed * 3 + (uint64_t)from;
	swapcontext(&contexts[from], &contexts[to]);
	KEEP_FRAME();
}

static NAMED_FUNCTION void work(int self, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		hand_over(self, !self);
	KEEP_FRAME();
}

static void begin(int self, int count)
{
	work(self, (uint64_t)count);
	swapcontext(&contexts[self], &main_context);
}

static NAMED_FUNCTION uint64_t run_coroutines(uint64_t count)
{
	for (int i = 0; i < 2; i++) {
		getcontext(&contexts[i]);
		contexts[i].uc_stack.ss_sp = malloc(STACK_BYTES);
		contexts[i].uc_stack.ss_size = STACK_BYTES;
		contexts[i].uc_link = &main_context;
		makecontext(&contexts[i], (void (*)(void))begin, 2, i, (int)count);
	}
	swapcontext(&main_context, &contexts[0]);
	KEEP_FRAME();
	return handed;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		usage("COUNT");
	printf("handed %" PRIu64 "\n", run_coroutines(number_argument(argv[1], "COUNT")));
	return 4;
}
