/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks its own stack in every way there is, through functions that are traced, and prints what comes
 * of it: the same, whether it is traced or not.
 *
 * unwinds COUNT              all ways, the cheap ones COUNT times
 * unwinds uncaught           throws what nobody catches: ends by abort()
 * unwinds later              reads a line from standard input inside of traced calls, then throws
 *                            through them and takes a backtrace; until the end of the input
 */
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <execinfo.h>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#define TRACED extern "C" __attribute__((noinline))
/* Keeps a call from becoming a jump, and from being left out. */
#define KEEP_FRAME() asm volatile("" ::: "memory")

struct counted {
	long *count;
	~counted() { ++*count; }
};

/* ---- exceptions ---- */

TRACED long traced_leaf(long i)
{
	if (i % 2 == 0)
		throw std::runtime_error("leaf " + std::to_string(i));
	KEEP_FRAME();
	return i;
}

TRACED long traced_cleanup(long i, long *cleaned)
{
	counted clean{cleaned};
	long got = traced_leaf(i);

	KEEP_FRAME();
	return got;
}

TRACED long traced_rethrow(long i, long *cleaned)
{
	try {
		return traced_cleanup(i, cleaned);
	} catch (const std::exception &) {
		*cleaned += 100;
		throw;
	}
}

TRACED long traced_catch(long i, long *cleaned)
{
	try {
		return traced_rethrow(i, cleaned);
	} catch (const std::runtime_error &error) {
		try {
			throw std::string(error.what()) + "!";
		} catch (const std::string &text) {
			return (long)text.size();
		}
	}
}

TRACED int traced_compare(const void *one, const void *other)
{
	if (*(const int *)one == 3)
		throw 3;
	return *(const int *)one - *(const int *)other;
}

TRACED int traced_sort()
{
	int numbers[] = {5, 4, 3, 2, 1};

	try {
		qsort(numbers, 5, sizeof(numbers[0]), traced_compare);
	} catch (int what) {
		return what;
	}
	return 0;
}

static void throw_many(const char *who, long count)
{
	long sum = 0, cleaned = 0;

	for (long i = 0; i < count; i++)
		sum += traced_catch(i, &cleaned);
	printf("%s: sum %ld, cleaned %ld\n", who, sum, cleaned);
}

static void throw_in_threads(long count)
{
	std::vector<std::thread> threads;
	long sums[4] = {}, cleaned[4] = {};

	for (int t = 0; t < 4; t++)
		threads.emplace_back([&, t] {
			for (long i = 0; i < count; i++)
				sums[t] += traced_catch(i + t, &cleaned[t]);
		});
	for (auto &thread : threads)
		thread.join();
	for (int t = 0; t < 4; t++)
		printf("thread %d: sum %ld, cleaned %ld\n", t, sums[t], cleaned[t]);
}

/* ---- the end of a thread ---- */

TRACED void *traced_exit(void *cleaned)
{
	counted clean{(long *)cleaned};

	pthread_exit((void *)5L);
}

TRACED void *traced_sleep(void *cleaned)
{
	counted clean{(long *)cleaned};

	for (;;)
		pause();
	return nullptr;
}

static void end_threads()
{
	long cleaned = 0;
	pthread_t thread;
	void *result;

	pthread_create(&thread, nullptr, traced_exit, &cleaned);
	pthread_join(thread, &result);
	printf("pthread_exit: %ld, cleaned %ld\n", (long)result, cleaned);
	pthread_create(&thread, nullptr, traced_sleep, &cleaned);
	usleep(20000);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	printf("pthread_cancel: %d, cleaned %ld\n", result == PTHREAD_CANCELED, cleaned);
}

/* ---- walks, jumps, other stacks ---- */

TRACED int traced_walk(int depth)
{
	void *frames[64];
	char **names;
	int count = 0;

	if (depth > 0) {
		count = traced_walk(depth - 1);
		KEEP_FRAME();
		return count;
	}
	count = backtrace(frames, 64);
	names = backtrace_symbols(frames, count);
	for (int i = 0; i < count; i++) {
		char *name = strchr(names[i], '('), *end = name ? strchr(name, '+') : nullptr;

		if (name && end)
			printf("  %.*s\n", (int)(end - name - 1), name + 1);
		else
			printf("  no name\n");
	}
	free(names);
	return count;
}

static jmp_buf jump;

TRACED int traced_jump(int depth)
{
	if (depth < 0)
		return 0;
	if (depth == 0)
		longjmp(jump, 1);
	depth = traced_jump(depth - 1);
	KEEP_FRAME();
	return depth;
}

static long jump_many(long count)
{
	volatile long jumps = 0;

	for (volatile long i = 0; i < count; i = i + 1) {
		if (setjmp(jump) == 0)
			traced_jump(3);
		else
			jumps = jumps + 1;
	}
	return jumps;
}

static volatile long handled;

TRACED void traced_handler(int)
{
	long cleaned = 0;

	handled = handled + traced_catch(2, &cleaned);
}

TRACED long traced_raise(long count)
{
	for (long i = 0; i < count; i++)
		raise(SIGUSR1);
	KEEP_FRAME();
	return count;
}

static void handle_signals(long count)
{
	struct sigaction action = {};
	stack_t stack = {};

	stack.ss_size = 1 << 16;
	stack.ss_sp = malloc(stack.ss_size);
	sigaltstack(&stack, nullptr);
	action.sa_handler = traced_handler;
	action.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR1, &action, nullptr);
	printf("signals: %ld", traced_raise(count));
	printf(", handled %ld\n", handled);
}

/* ---- when the recording is over ---- */

TRACED long traced_wait(std::string &line)
{
	int c;

	line.clear();
	while ((c = getchar()) != EOF && c != '\n')
		line.push_back((char)c);
	if (c == EOF)
		return -1;
	throw std::runtime_error(line);
}

TRACED long traced_inner(std::string &line)
{
	long got = traced_wait(line);

	KEEP_FRAME();
	return got;
}

TRACED int traced_later()
{
	std::string line;

	for (;;) {
		try {
			if (traced_inner(line) < 0)
				return 9;
		} catch (const std::exception &error) {
			long cleaned = 0, sum = 0;

			for (int i = 0; i < 20; i++)
				sum += traced_catch(i, &cleaned);
			printf("caught %s, sum %ld\n", error.what(), sum);
			printf("frames %d\n", traced_walk(2));
			fflush(stdout);
		}
	}
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 0;

	if (argc > 1 && !strcmp(argv[1], "uncaught"))
		return (int)traced_leaf(0);
	if (argc > 1 && !strcmp(argv[1], "later"))
		return traced_later();
	throw_many("main", count);
	throw_in_threads(count);
	printf("sort: %d\n", traced_sort());
	end_threads();
	printf("frames %d\n", traced_walk(3));
	printf("jumps %ld\n", jump_many(count));
	handle_signals(count / 10);
	return 6;
}
