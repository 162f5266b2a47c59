/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "workload.h"

void give_up(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

void usage(const char *arguments)
{
	fprintf(stderr, "usage: %s %s\n", program_invocation_short_name, arguments);
	exit(2);
}

uint64_t number_argument(const char *text, const char *what)
{
	char *end;

	errno = 0;
	uint64_t value = strtoull(text, &end, 10);
	if (errno || end == text || *end || value == 0) {
		fprintf(stderr, "%s: %s must be a positive number, not '%s'\n",
			program_invocation_short_name, what, text);
		exit(2);
	}
	return value;
}

int truth_open(const char *path)
{
	int truth = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (truth < 0)
		give_up(path);
	return truth;
}

void truth_text(int truth, const char *key, const char *value)
{
	char line[512];
	int size = snprintf(line, sizeof(line), "%s=%s\n", key, value);

	if (size >= (int)sizeof(line) || write(truth, line, size) != size)
		give_up("writing the truth");
}

void truth_number(int truth, const char *key, int64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, value);
	truth_text(truth, key, text);
}

static void role_number(int truth, const char *role, const char *key, int64_t value)
{
	char whole_key[128];

	snprintf(whole_key, sizeof(whole_key), "%s.%s", role, key);
	truth_number(truth, whole_key, value);
}

static uint64_t timeval_ns(struct timeval time)
{
	return time.tv_sec * NS_PER_S + time.tv_usec * NS_PER_US;
}

/* On-CPU and run-queue time of the calling thread so far; false if the kernel does not count them. */
static bool read_schedstat(uint64_t *ret_on_cpu_ns, uint64_t *ret_runnable_ns)
{
	FILE *schedstat = fopen("/proc/thread-self/schedstat", "re");

	if (!schedstat)
		return false;
	bool is_read = fscanf(schedstat, "%" SCNu64 " %" SCNu64, ret_on_cpu_ns, ret_runnable_ns) == 2;
	fclose(schedstat);
	return is_read;
}

void truth_thread(int truth, const char *role, uint64_t born_ns)
{
	uint64_t on_cpu_ns, runnable_ns;
	struct rusage usage = {0};

	/* All numbers are of one moment, as nearly as that can be had; writing them comes after. */
	bool has_schedstat = read_schedstat(&on_cpu_ns, &runnable_ns);
	getrusage(RUSAGE_THREAD, &usage);
	uint64_t lived_ns = now_ns() - born_ns;

	role_number(truth, role, "tid", thread_id());
	role_number(truth, role, "lived_ns", lived_ns);
	role_number(truth, role, "user_ns", timeval_ns(usage.ru_utime));
	role_number(truth, role, "system_ns", timeval_ns(usage.ru_stime));
	role_number(truth, role, "switches", usage.ru_nvcsw + usage.ru_nivcsw);
	if (has_schedstat) {
		role_number(truth, role, "on_cpu_ns", on_cpu_ns);
		role_number(truth, role, "runnable_ns", runnable_ns);
	}
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

int thread_id(void)
{
	return syscall(SYS_gettid);
}

void sleep_until_ns(uint64_t moment_ns)
{
	struct timespec moment = {moment_ns / NS_PER_S, moment_ns % NS_PER_S};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, NULL) == EINTR)
		;
}

void sleep_ns(uint64_t duration_ns)
{
	sleep_until_ns(now_ns() + duration_ns);
	KEEP_FRAME();
}

void spin_ns(uint64_t duration_ns)
{
	uint64_t end_ns = now_ns() + duration_ns;

	while (now_ns() < end_ns)
		;
}

void pin_to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		give_up("pinning to a CPU");
}
