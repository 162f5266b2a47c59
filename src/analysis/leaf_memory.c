/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "analysis/leaf.h"
#include "base/units.h"

/* What is known of the cgroup of THREAD's process: the last that was said up to TIME_NS with a
 * limit, else any with one, else the last: programs are often put into their cgroup after they were
 * first looked at. */
static const struct event_cgroup *cgroup_of(const struct history *history,
					    const struct thread *thread, uint64_t time_ns)
{
	const struct event_cgroup *found = NULL, *event;
	struct history_over over;

	history_over_begin(&over, history, EVENT_CGROUP, thread->process->pid, 0, UINT64_MAX);
	while ((event = (const void *)history_over_next(&over))) {
		bool has_limit = event->quota_us || event->memory_limit_bytes;

		if (found && (found->quota_us || found->memory_limit_bytes) &&
		    (!has_limit || event->header.time_ns > time_ns))
			continue;
		found = event;
	}
	return found;
}

/* The second of the event's two texts. */
static const char *memory_path(const struct event_cgroup *cgroup)
{
	size_t size = cgroup->header.size - sizeof(*cgroup);
	size_t first = strnlen(cgroup->text, size);

	if (first + 1 >= size ||
	    strnlen(cgroup->text + first + 1, size - first - 1) == size - first - 1)
		return cgroup->text;
	return cgroup->text + first + 1;
}

void leaf_cpu_quota(struct leaf *leaf, const struct history *history, const struct thread *thread,
		    uint64_t time_ns)
{
	const struct event_cgroup *cgroup = cgroup_of(history, thread, time_ns);
	char quota[UNITS_TEXT_SIZE], period[UNITS_TEXT_SIZE];

	if (!cgroup)
		return;
	if (!cgroup->quota_us) {
		snprintf(leaf->object, sizeof(leaf->object), "cgroup %.200s", cgroup->text);
		return;
	}
	snprintf(leaf->object, sizeof(leaf->object), "cgroup %.180s, quota %s of CPU in each %s",
		 cgroup->text, format_ns(quota, cgroup->quota_us * NS_PER_US),
		 format_ns(period, cgroup->period_us * NS_PER_US));
}

void leaf_memory_limit(struct leaf *leaf, const struct history *history,
		       const struct thread *thread, uint64_t time_ns)
{
	const struct event_cgroup *cgroup = cgroup_of(history, thread, time_ns);
	char limit[UNITS_TEXT_SIZE];

	if (!cgroup || !cgroup->memory_limit_bytes)
		return;
	snprintf(leaf->object, sizeof(leaf->object), "cgroup %.180s, memory limit %s",
		 memory_path(cgroup), format_bytes(limit, cgroup->memory_limit_bytes));
}

void leaf_cgroup(char *text, size_t size, const struct history *history,
		 const struct thread *thread)
{
	const struct event_cgroup *cgroup = cgroup_of(history, thread, UINT64_MAX);

	snprintf(text, size, "%s", cgroup ? cgroup->text : "");
}
