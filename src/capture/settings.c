/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/settings.h"

#include <asm/unistd.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "capture/hooks.h"

/* All CPUs together, if not said otherwise; but at least and at most so much for each. Measured: a
 * CPU that does nothing but switch writes 25 MB/s, and the recorder may be kept off its CPU for 200
 * ms. */
#define SWITCH_BUDGET_BYTES   (128ull << 20)
#define SWITCH_MIN_BYTES      (2ull << 20)
#define SWITCH_MAX_BYTES      (32ull << 20)
#define EVIDENCE_BUDGET_BYTES (64ull << 20)
#define EVIDENCE_MIN_BYTES    (1ull << 20)
#define EVIDENCE_MAX_BYTES    (16ull << 20)
/* A program that does nothing but call functions writes 32 MB/s on a CPU. */
#define CALL_BUDGET_BYTES     (256ull << 20)
#define CALL_MIN_BYTES        (2ull << 20)
#define CALL_MAX_BYTES        (16ull << 20)
#define LOG_BYTES_LIMIT       (512ull << 20) /* of one log */

#define SLOTS_MAX 131072u

/* System calls whose first argument is a descriptor they may wait for. */
static const short descriptor_syscalls[] = {
	__NR_read,        __NR_write,        __NR_pread64,         __NR_pwrite64,
	__NR_readv,       __NR_writev,       __NR_preadv,          __NR_pwritev,
	__NR_preadv2,     __NR_pwritev2,     __NR_recvfrom,        __NR_sendto,
	__NR_recvmsg,     __NR_sendmsg,      __NR_recvmmsg,        __NR_sendmmsg,
	__NR_connect,     __NR_accept,       __NR_accept4,         __NR_shutdown,
	__NR_fsync,       __NR_fdatasync,    __NR_sync_file_range, __NR_fallocate,
	__NR_ftruncate,   __NR_flock,        __NR_fcntl,           __NR_ioctl,
	__NR_epoll_pwait, __NR_epoll_pwait2, __NR_sendfile,        __NR_splice,
	__NR_tee,         __NR_vmsplice,     __NR_lseek,           __NR_getdents64,
	__NR_fchmod,      __NR_fchown,       __NR_close,           __NR_fstat,
	__NR_syncfs,      __NR_fadvise64,    __NR_readahead,       __NR_io_uring_enter,
#ifdef __NR_epoll_wait
	__NR_epoll_wait,
#endif
};

/* Those of them that send. */
static const short send_syscalls[] = {
	__NR_write, __NR_writev, __NR_sendto, __NR_sendmsg, __NR_sendmmsg, __NR_sendfile,
};

/* A coarse clock goes on at each tick of the kernel. */
static uint32_t tick_ns(void)
{
	struct timespec tick;

	return clock_getres(CLOCK_MONOTONIC_COARSE, &tick) ? 0 : (uint32_t)tick.tv_nsec;
}

/* System calls that say how long they wait at most, and how. */
static const struct {
	short number;
	struct timeout_call call;
} timeout_calls[] = {
	{__NR_nanosleep, {TIMEOUT_TIMESPEC, 0}},
	{__NR_clock_nanosleep, {TIMEOUT_CLOCK_NANOSLEEP, 2}},
	{__NR_ppoll, {TIMEOUT_TIMESPEC, 2}},
	{__NR_pselect6, {TIMEOUT_TIMESPEC, 4}},
	{__NR_epoll_pwait, {TIMEOUT_MS, 3}},
	{__NR_epoll_pwait2, {TIMEOUT_TIMESPEC, 3}},
	{__NR_rt_sigtimedwait, {TIMEOUT_TIMESPEC, 2}},
	{__NR_semtimedop, {TIMEOUT_TIMESPEC, 3}},
	{__NR_io_getevents, {TIMEOUT_TIMESPEC, 4}},
	{__NR_futex, {TIMEOUT_FUTEX, 3}},
#ifdef __NR_poll
	{__NR_poll, {TIMEOUT_MS, 2}},
#endif
#ifdef __NR_select
	{__NR_select, {TIMEOUT_TIMEVAL, 4}},
#endif
#ifdef __NR_epoll_wait
	{__NR_epoll_wait, {TIMEOUT_MS, 3}},
#endif
};

static uint64_t log_bytes(uint64_t asked, uint64_t budget, uint64_t min, uint64_t max,
			  unsigned int cpus)
{
	uint64_t wanted = asked, size = 65536;

	if (!asked) {
		wanted = budget / cpus;
		wanted = wanted < min ? min : wanted > max ? max : wanted;
	}
	while (size < wanted && size < LOG_BYTES_LIMIT)
		size *= 2;
	/* a default is rounded down, a wish up */
	return !asked && size > wanted ? size / 2 : size;
}

static uint32_t slot_count(void)
{
	FILE *file = fopen("/proc/sys/kernel/pid_max", "re");
	unsigned int pid_max = SLOTS_MAX, slots = 1024;

	if (file) {
		if (fscanf(file, "%u", &pid_max) != 1)
			pid_max = SLOTS_MAX;
		fclose(file);
	}
	while (slots < pid_max && slots < SLOTS_MAX)
		slots *= 2;
	return slots;
}

int pattern_compile(struct filter_pattern *ret, const char *glob)
{
	uint32_t at = 0;

	*ret = (struct filter_pattern){0};
	for (; *glob; glob++) {
		if (*glob == '*' && at > 0 && ret->text[at - 1] == '*')
			continue; /* two stars are one: the match follows one star at a time */
		if (at >= FILTER_PATTERN_SIZE - 1)
			return fail(-EINVAL,
				    "a pattern for a thread's name has at most %d characters",
				    FILTER_PATTERN_SIZE - 1);
		if (*glob == '*')
			ret->star |= 1u << at;
		else if (*glob == '?')
			ret->any |= 1u << at;
		ret->text[at++] = *glob;
	}
	ret->length = at;
	return 0;
}

static int set_filter(struct capture_settings *settings, const struct capture_options *options)
{
	if (options->pid_count > 0)
		settings->filter |= FILTER_PIDS;
	if (options->follow_children)
		settings->filter |= FILTER_FOLLOW;
	if (options->comm_count == 0)
		return 0;
	if (options->comm_count > FILTER_PATTERNS_MAX)
		return fail(-EINVAL, "at most %d patterns with --comm", FILTER_PATTERNS_MAX);
	settings->filter |= FILTER_COMMS;
	settings->pattern_count = (uint32_t)options->comm_count;
	for (size_t i = 0; i < options->comm_count; i++) {
		int err = pattern_compile(&settings->patterns[i], options->comms[i]);

		if (err)
			return fail(err, "--comm '%s'", options->comms[i]);
	}
	return 0;
}

static void mark_syscalls(uint8_t *set, const short *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		set[numbers[i] / 8] |= (uint8_t)(1u << (numbers[i] % 8));
}

static void set_syscalls(struct capture_settings *settings)
{
	settings->futex_syscall = __NR_futex;
	settings->yield_syscall = __NR_sched_yield;
	mark_syscalls(settings->descriptor_syscalls, descriptor_syscalls,
		      ARRAY_SIZE(descriptor_syscalls));
	mark_syscalls(settings->send_syscalls, send_syscalls, ARRAY_SIZE(send_syscalls));
	for (size_t i = 0; i < ARRAY_SIZE(timeout_calls); i++)
		settings->timeouts[timeout_calls[i].number] = timeout_calls[i].call;
}

static uint64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

int settings_make(struct capture_settings *settings, const struct capture_options *options,
		  unsigned int cpus)
{
	memset(settings, 0, sizeof(*settings));
	settings->start_ns = capture_monotonic_ns();
	settings->realtime_offset_ns = realtime_ns() - settings->start_ns;
	settings->min_wait_ns = options->min_wait_ns;
	settings->waker_stack_ns = options->waker_stack_ns;
	if (options->sample_rate_hz)
		settings->sample_period_ns = NS_PER_S / options->sample_rate_hz;
	settings->switch_mask = log_bytes(options->switch_log_bytes, SWITCH_BUDGET_BYTES,
					  SWITCH_MIN_BYTES, SWITCH_MAX_BYTES, cpus) -
				1;
	settings->evidence_mask = log_bytes(options->evidence_log_bytes, EVIDENCE_BUDGET_BYTES,
					    EVIDENCE_MIN_BYTES, EVIDENCE_MAX_BYTES, cpus) -
				  1;
	if (getrandom(&settings->key, sizeof(settings->key), 0) != sizeof(settings->key))
		return fail_errno(-errno, "asking the kernel for a random number");
	settings->slot_mask = slot_count() - 1;
	settings->user_stack = options->user_stack;
	settings->self_pid = (uint32_t)getpid();
	settings->call_mask = log_bytes(options->call_log_bytes, CALL_BUDGET_BYTES, CALL_MIN_BYTES,
					CALL_MAX_BYTES, cpus) -
			      1;
	settings->min_call_ns = options->min_call_ns;
	settings->max_call_rate = options->max_call_rate;
	settings->max_call_depth = (uint32_t)options->max_call_depth;
	settings->hides_calls = options->min_call_ns || options->max_call_rate;
	settings->tick_ns = tick_ns();
	set_syscalls(settings);
	return set_filter(settings, options);
}
