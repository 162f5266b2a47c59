/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/returns_write.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <time.h>

#include "base/memory.h"

#define LONG_BITS (8 * sizeof(unsigned long))

#define STOP_TRIES    500
#define STOP_PAUSE_NS 1000000

/* ---- memory ---- */

int returns_check(struct replaced_returns *returns)
{
	int count = 0;

	for (uint32_t i = 0; i < returns->count && i < RETURNS_MAX; i++) {
		struct return_place *place = &returns->places[i];
		uint64_t word = 0;
		const struct iovec here = {.iov_base = &word, .iov_len = sizeof(word)};
		const struct iovec there = {.iov_base = (void *)(uintptr_t)place->at,
					    .iov_len = sizeof(word)};
		ssize_t n = place->at
				    ? process_vm_readv((pid_t)returns->tid, &here, 1, &there, 1, 0)
				    : 0;

		if (n < 0 && errno == ESRCH)
			return -ESRCH;
		if (n == sizeof(word) && word == returns->trampoline)
			count++;
		else
			place->at = 0;
	}
	return count;
}

int returns_write(const struct replaced_returns *returns)
{
	struct iovec here[RETURNS_MAX], there[RETURNS_MAX];
	unsigned long count = 0;
	ssize_t n;

	for (uint32_t i = 0; i < returns->count && i < RETURNS_MAX; i++) {
		const struct return_place *place = &returns->places[i];

		if (!place->at)
			continue;
		here[count] = (struct iovec){.iov_base = (void *)&place->address,
					     .iov_len = sizeof(place->address)};
		there[count++] = (struct iovec){.iov_base = (void *)(uintptr_t)place->at,
						.iov_len = sizeof(place->address)};
	}
	n = count ? process_vm_writev((pid_t)returns->tid, here, count, there, count, 0) : 0;
	if (n < 0)
		return -errno;
	return (size_t)n == count * sizeof(returns->places[0].address) ? 0 : -EFAULT;
}

/* ---- by priority ---- */

bool returns_take_priority(void)
{
	const struct sched_param highest = {.sched_priority = sched_get_priority_max(SCHED_FIFO)};

	if (!sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &highest))
		return true;
	setpriority(PRIO_PROCESS, 0, -20);
	return false;
}

static int set_cpus(pid_t tid, const unsigned long *cpus, size_t size)
{
	return sched_setaffinity(tid, size, (const cpu_set_t *)cpus) ? -errno : 0;
}

static int get_cpus(pid_t tid, unsigned long *cpus, size_t size)
{
	memset(cpus, 0, size);
	return sched_getaffinity(tid, size, (cpu_set_t *)cpus) ? -errno : 0;
}

/* One CPU of those in FROM that we may run on as well: takes it for ourselves and says which. */
static int share_cpu(const unsigned long *from, unsigned long *ret_one, size_t size)
{
	int err = -EINVAL;

	for (size_t cpu = 0; cpu < size * 8 && err == -EINVAL; cpu++) {
		if (!(from[cpu / LONG_BITS] >> cpu % LONG_BITS & 1))
			continue;
		memset(ret_one, 0, size);
		ret_one[cpu / LONG_BITS] = 1ul << cpu % LONG_BITS;
		err = set_cpus(0, ret_one, size);
	}
	return err;
}

static int freeze_by_priority(struct returns_frozen *frozen)
{
	unsigned long one[ARRAY_SIZE(frozen->cpus)];
	int err = get_cpus(frozen->tid, frozen->cpus, sizeof(frozen->cpus));

	if (!err)
		err = share_cpu(frozen->cpus, one, sizeof(one));
	/* once this returns it does not run, unless here: and here we do */
	return err ? err : set_cpus(frozen->tid, one, sizeof(one));
}

/* All CPUs first: if that gives what it had, nobody had chosen, and nobody will seem to have. */
static void thaw_by_priority(const struct returns_frozen *frozen)
{
	unsigned long all[ARRAY_SIZE(frozen->cpus)], now[ARRAY_SIZE(frozen->cpus)];

	memset(all, 0xff, sizeof(all));
	if (set_cpus(frozen->tid, all, sizeof(all)) || get_cpus(frozen->tid, now, sizeof(now)) ||
	    memcmp(now, frozen->cpus, sizeof(now)))
		set_cpus(frozen->tid, frozen->cpus, sizeof(frozen->cpus));
	set_cpus(0, all, sizeof(all));
}

/* ---- by SIGSTOP ---- */

/* The letter of a thread's state; 0 if it is gone. */
static char state_of(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[256], *end = NULL;

	if (!file)
		return 0;
	if (fgets(line, sizeof(line), file))
		end = strrchr(line, ')');
	fclose(file);
	return end && end[1] ? end[2] : 0;
}

static bool all_are_stopped(pid_t pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/task", (int)pid);
	DIR *directory = opendir(path);
	struct dirent *entry;
	bool are_all = true;

	if (!directory)
		return true;
	while ((entry = readdir(directory))) {
		_cleanup_free_ char *stat = xasprintf("%s/%s/stat", path, entry->d_name);
		char state = entry->d_name[0] == '.' ? 0 : state_of(stat);

		are_all &= !state || strchr("TtZX", state);
	}
	closedir(directory);
	return are_all;
}

static int freeze_by_signal(struct returns_frozen *frozen)
{
	const struct timespec pause = {.tv_nsec = STOP_PAUSE_NS};

	if (all_are_stopped(frozen->pid)) {
		frozen->is_stopped_by_other = true;
		return 0;
	}
	if (kill(frozen->pid, SIGSTOP))
		return -errno;
	frozen->is_stopped = true;
	for (int i = 0; i < STOP_TRIES; i++) {
		if (all_are_stopped(frozen->pid))
			return 0;
		nanosleep(&pause, NULL);
	}
	kill(frozen->pid, SIGCONT);
	return -ETIMEDOUT;
}

int returns_freeze(struct returns_frozen *frozen, pid_t pid, pid_t tid, bool has_priority)
{
	*frozen = (struct returns_frozen){.pid = pid, .tid = tid};
	if (has_priority) {
		if (!freeze_by_priority(frozen))
			return 0;
		thaw_by_priority(frozen); /* as far as it came */
	}
	return freeze_by_signal(frozen);
}

void returns_thaw(const struct returns_frozen *frozen)
{
	if (frozen->is_stopped)
		kill(frozen->pid, SIGCONT);
	else if (!frozen->is_stopped_by_other)
		thaw_by_priority(frozen);
}
