/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/cgroup_watch.h"

#include "base/memory.h"
#include "base/units.h"

#define TIDS_MAX     (1u << 22) /* the kernel's PID_MAX_LIMIT */
#define REST_MAX     4096       /* threads looked at in the end */
#define ASK_AGAIN_NS NS_PER_S
#define ASKED_MAX    4096 /* threads at a limit that are remembered */

static void note_cpu(struct cgroup_watch *watch, uint32_t tid)
{
	if (tid >= TIDS_MAX)
		return;
	if (!watch->had_cpu)
		watch->had_cpu = xcalloc(TIDS_MAX / 64, sizeof(*watch->had_cpu));
	watch->had_cpu[tid / 64] |= 1ULL << (tid % 64);
}

/* A thread that has ended is no longer there to be looked at. */
static void forget_thread(struct cgroup_watch *watch, const struct event_exit *event)
{
	if (watch->had_cpu && event->tid < TIDS_MAX)
		watch->had_cpu[event->tid / 64] &= ~(1ULL << (event->tid % 64));
	if (event->process_ended)
		map64_remove(&watch->processes, event->pid);
}

/* TID was at a limit. The reader looks at each process once a second at most; this keeps its queue
 * short. */
static void ask_again(struct cgroup_watch *watch, uint32_t tid, uint64_t time_ns,
		      struct naming_batch *batch)
{
	uint64_t *was = map64_get(&watch->asked_ns, tid);

	if (was && time_ns - *was < ASK_AGAIN_NS)
		return;
	if (watch->asked_ns.count >= ASKED_MAX)
		map64_release(&watch->asked_ns);
	map64_put(&watch->asked_ns, tid, time_ns);
	naming_add_cgroup(batch, time_ns, tid, CGROUP_AGAIN);
}

static void ask_once(struct cgroup_watch *watch, uint32_t pid, uint64_t time_ns,
		     struct naming_batch *batch)
{
	if (map64_get(&watch->processes, pid))
		return;
	map64_put(&watch->processes, pid, 1);
	naming_add_cgroup(batch, time_ns, pid, CGROUP_ONCE);
}

void cgroup_watch_switch(struct cgroup_watch *watch, const struct event_switch *event,
			 struct naming_batch *batch)
{
	if (event->header.kind != EVENT_SWITCH)
		return;
	note_cpu(watch, event->next_tid);
	if (event->flags & EVENT_SWITCH_THROTTLED)
		ask_again(watch, event->prev_tid, event->header.time_ns, batch);
}

void cgroup_watch_evidence(struct cgroup_watch *watch, const struct event_header *event,
			   struct naming_batch *batch)
{
	const struct event_wait *wait = (const void *)event;
	const struct event_sample *sample = (const void *)event;
	const struct event_reclaim *reclaim = (const void *)event;

	if (event->kind == EVENT_WAIT && !(wait->flags & EVENT_WAIT_KERNEL_THREAD))
		ask_once(watch, wait->pid, event->time_ns, batch);
	else if (event->kind == EVENT_SAMPLE && !(sample->flags & EVENT_SAMPLE_KERNEL_THREAD))
		ask_once(watch, sample->pid, event->time_ns, batch);
	else if (event->kind == EVENT_RECLAIM && reclaim->cgroup)
		ask_again(watch, reclaim->tid, event->time_ns, batch);
	else if (event->kind == EVENT_EXIT)
		forget_thread(watch, (const struct event_exit *)event);
}

void cgroup_watch_rest(struct cgroup_watch *watch, uint64_t time_ns, struct naming_batch *batch)
{
	uint32_t count = 0;

	for (uint32_t word = 0; watch->had_cpu && word < TIDS_MAX / 64; word++) {
		for (uint64_t bits = watch->had_cpu[word]; bits && count < REST_MAX;
		     bits &= bits - 1) {
			uint32_t tid = word * 64 + (uint32_t)__builtin_ctzll(bits);

			if (tid == 0)
				continue;
			naming_add_cgroup(batch, time_ns, tid, CGROUP_ONCE);
			count++;
		}
	}
}

void cgroup_watch_release(struct cgroup_watch *watch)
{
	free(watch->had_cpu);
	map64_release(&watch->processes);
	map64_release(&watch->asked_ns);
}
