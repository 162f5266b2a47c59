/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Workloads: small programs that do one thing a known number of times and write down the truth
 * about it, so that a test can compare what a recording says with what really happened.
 *
 * The truth is a file of KEY=VALUE lines. Each line is written with one write() to a file opened
 * for appending, so threads and child processes may share it. Times are in ns of CLOCK_MONOTONIC.
 */
#ifndef DASHCAM_TESTS_WORKLOAD_H
#define DASHCAM_TESTS_WORKLOAD_H

#include <stdint.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

/* A function that must keep its name and its frame: recordings are searched for it. */
#ifdef __clang__
#define NAMED_FUNCTION __attribute__((noinline))
#else
#define NAMED_FUNCTION __attribute__((noinline, noclone))
#endif

/* Keeps a call from becoming a jump, so that the caller stays on the stack. */
#define KEEP_FRAME() __asm__ volatile("" ::: "memory")

/* Opens PATH for appending and returns its descriptor; ends the program with a sentence if it
 * cannot. */
int truth_open(const char *path);
void truth_number(int truth, const char *key, int64_t value);
void truth_text(int truth, const char *key, const char *value);

/*
 * Writes what the kernel knows of the calling thread until now, with ROLE in front of each key:
 * tid, lived_ns (since BORN_NS), on_cpu_ns and runnable_ns (/proc/thread-self/schedstat), user_ns
 * and system_ns (getrusage), switches. Call it as the last thing a thread does.
 */
void truth_thread(int truth, const char *role, uint64_t born_ns);

uint64_t now_ns(void);
int thread_id(void);
void sleep_ns(uint64_t duration_ns); /* goes on after signals until the time is over */
void sleep_until_ns(uint64_t moment_ns);
void spin_ns(uint64_t duration_ns); /* burns CPU until DURATION_NS of wall time have passed */
void pin_to_cpu(int cpu);           /* the calling thread; ends the program if that fails */

/* A positive decimal number; ends the program with a sentence that names WHAT otherwise. */
uint64_t number_argument(const char *text, const char *what);

/* Ends the program with status 1 and "PROGRAM: WHAT: errno's text". */
__attribute__((noreturn)) void give_up(const char *what);
__attribute__((noreturn)) void usage(const char *arguments); /* status 2 */

#endif
