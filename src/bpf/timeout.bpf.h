/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How long a program asked to wait, from the arguments of its system call.
 */
#ifndef DASHCAM_BPF_TIMEOUT_BPF_H
#define DASHCAM_BPF_TIMEOUT_BPF_H

#include "bpf/log.bpf.h"

#define FUTEX_COMMAND_MASK    0x7f
#define FUTEX_WAIT            0
#define FUTEX_LOCK_PI         6
#define FUTEX_WAIT_BITSET     9
#define FUTEX_WAIT_REQUEUE_PI 11
#define FUTEX_LOCK_PI2        13
#define FUTEX_CLOCK_REALTIME  256

#define CLOCK_REALTIME  0
#define CLOCK_MONOTONIC 1
#define CLOCK_BOOTTIME  7
#define TIMER_ABSTIME   1

#define NS_PER_S  1000000000ULL
#define NS_PER_US 1000ULL
#define NS_PER_MS 1000000ULL

/* A year is as good as for ever. */
#define TIMEOUT_LIMIT_S (366 * 86400)

/* A timespec (UNIT_NS 1) or timeval (1000) of the program's; 0: none, or not readable. */
static __always_inline __u64 read_time_ns(__u64 address, __u64 unit_ns)
{
	__u64 pair[2];

	if (!address || bpf_probe_read_user(pair, sizeof(pair), (void *)address) ||
	    pair[0] > TIMEOUT_LIMIT_S || pair[1] > NS_PER_S)
		return 0;
	return pair[0] * NS_PER_S + pair[1] * unit_ns;
}

/* The moment that a timespec names on CLOCK, from the beginning of the wait on. Realtime is as it
 * stood at the capture's start. */
static __always_inline __u64 read_deadline_ns(__u64 address, __u32 clock, __u64 off_ns)
{
	__u64 pair[2], deadline_ns;

	if (!address || bpf_probe_read_user(pair, sizeof(pair), (void *)address))
		return 0;
	deadline_ns = pair[0] * NS_PER_S + pair[1];
	if (clock == CLOCK_REALTIME)
		off_ns += settings.realtime_offset_ns;
	else if (clock == CLOCK_BOOTTIME)
		off_ns += bpf_ktime_get_boot_ns() - bpf_ktime_get_ns();
	else if (clock != CLOCK_MONOTONIC)
		return 0;
	if (deadline_ns <= off_ns)
		return 1; /* it was over already */
	deadline_ns -= off_ns;
	return deadline_ns / NS_PER_S > TIMEOUT_LIMIT_S ? 0 : deadline_ns;
}

static __always_inline __u64 futex_timeout_ns(const struct event_wait *wait, __u64 address,
					      __u64 off_ns)
{
	__u32 operation = (__u32)wait->args[1], command = operation & FUTEX_COMMAND_MASK;
	__u32 clock = operation & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;

	if (command == FUTEX_WAIT)
		return read_time_ns(address, 1);
	if (command == FUTEX_LOCK_PI)
		clock = CLOCK_REALTIME;
	else if (command != FUTEX_WAIT_BITSET && command != FUTEX_LOCK_PI2 &&
		 command != FUTEX_WAIT_REQUEUE_PI)
		return 0; /* there the argument is something else */
	return read_deadline_ns(address, clock, off_ns);
}

/* Of WAIT, which is filled but for this and whose thread is current; OFF_NS is when it left its
 * CPU. 0: no limit, not such a call, or not readable. */
static __always_inline __u64 timeout_of(const struct event_wait *wait, __u64 off_ns)
{
	__u32 number = wait->syscall, form, argument;
	__u64 value;

	if (number >= SYSCALL_LIMIT)
		return 0;
	form = settings.timeouts[number & (SYSCALL_LIMIT - 1)].form;
	argument = settings.timeouts[number & (SYSCALL_LIMIT - 1)].argument;
	if (form == TIMEOUT_NONE || argument >= sizeof(wait->args) / sizeof(wait->args[0]))
		return 0;
	value = wait->args[argument];
	switch (form) {
	case TIMEOUT_MS:
		return (__s32)value > 0 ? (__u32)value * NS_PER_MS : 0;
	case TIMEOUT_TIMESPEC:
		return read_time_ns(value, 1);
	case TIMEOUT_TIMEVAL:
		return read_time_ns(value, NS_PER_US);
	case TIMEOUT_CLOCK_NANOSLEEP:
		return wait->args[1] & TIMER_ABSTIME
			       ? read_deadline_ns(value, (__u32)wait->args[0], off_ns)
			       : read_time_ns(value, 1);
	case TIMEOUT_FUTEX:
		return futex_timeout_ns(wait, value, off_ns);
	default:
		return 0;
	}
}

#endif
