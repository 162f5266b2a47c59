/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Following the blame: where a filter says whose waits are wanted, those who made them wait are
 * followed, so that their own waits get evidence too, and so on.
 */
#ifndef DASHCAM_BPF_FOLLOW_BPF_H
#define DASHCAM_BPF_FOLLOW_BPF_H

#include "bpf/slot.bpf.h"

/*
 * From now on evidence is taken of thread TID, also of the wait it is in: the owner of what a
 * wanted thread waits for, or its waker. Who holds a futex is as the program wrote it: from inside
 * another pid namespace the number is of another thread, which does no harm.
 */
static __always_inline void follow(__u32 tid)
{
	struct capture_counters *counter;
	struct thread_slot *slot;

	if (!settings.filter || !tid)
		return;
	slot = slot_of(tid);
	if (!slot || slot->is_wanted || slot->is_recorder || (slot->tid && slot->tid != tid))
		return;
	/* of the wait under way nothing was noted so far */
	slot->waker_tid = slot->waker_pid = 0;
	slot->waker_kernel_stack = slot->waker_user_stack = slot->waker_socket = 0;
	slot->lock_address = 0;
	slot->futex_owner_tid = slot->lock_owner_tid = 0;
	slot->wait_flags = 0;
	slot->is_wanted = WANTED_FOLLOWED;
	counter = counters_here();
	if (counter)
		counter->followed_threads++;
}

#endif
