/* SPDX-License-Identifier: BSD-2-Clause */
/* runq_histogram, ran_instead, run_queue, wakeup: what a replay says about waiting for a CPU. */
#include <string.h>

#include "base/units.h"
#include "query/internal.h"

/* Columns of ran_instead and run_queue that narrow a scan. */
enum {
	DELAY_WAIT_ID,
	DELAY_MIN
};

static size_t few_rows(struct query *query)
{
	(void)query;
	return DIGEST_BUCKETS;
}

/* As many as kept waits, roughly. Only the planner wants to know before the replay. */
static size_t many_rows(struct query *query)
{
	return model_wait_count(query->model);
}

static const struct digest *digest_of(const struct vtab_cursor *cursor)
{
	return cursor->source;
}

static int use_digest(struct vtab_cursor *cursor, uint64_t min_ns)
{
	const struct digest *digest = NULL;
	int err = query_digest(cursor->query, min_ns, &digest);

	cursor->source = digest;
	return err;
}

/* The shortest delay that the statement asks for. */
static uint64_t min_ns_of(const struct vtab_cursor *cursor)
{
	int64_t min_ns;

	if (!vtab_scan_equal(&cursor->scan, DELAY_MIN, &min_ns))
		return NS_PER_MS;
	return min_ns > 0 ? (uint64_t)min_ns : 1;
}

/*
 * Rows ordered by their wait (the first member of each): those of one wait if it is asked for, else
 * all.
 */
static int delay_range(struct vtab_cursor *cursor, const void *rows, size_t count, size_t row_bytes)
{
	size_t low = 0, high = count;
	int64_t id;

	cursor->position = 0;
	cursor->end = count;
	if (!vtab_scan_equal(&cursor->scan, DELAY_WAIT_ID, &id))
		return 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((*(const struct wait *const *)((const char *)rows + middle * row_bytes))->id <
		    id)
			low = middle + 1;
		else
			high = middle;
	}
	cursor->position = low;
	while (low < count &&
	       (*(const struct wait *const *)((const char *)rows + low * row_bytes))->id == id)
		low++;
	cursor->end = low;
	return 0;
}

/* ---- ran_instead ---- */

static int culprit_range(struct vtab_cursor *cursor)
{
	int err = use_digest(cursor, min_ns_of(cursor));

	return err ? err
		   : delay_range(cursor, digest_of(cursor)->culprits,
				 digest_of(cursor)->culprit_count, sizeof(struct digest_culprit));
}

/* The digest may hold shorter delays than this statement wants. */
static const void *culprit_at(const struct vtab_cursor *cursor, size_t i)
{
	const struct digest_culprit *culprit = &digest_of(cursor)->culprits[i];

	return wait_runnable_ns(culprit->wait) >= min_ns_of(cursor) ? culprit : NULL;
}

static void get_culprit_comm(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct digest_culprit *culprit = cursor->row;

	if (!culprit->thread)
		vtab_result_text(out, "unknown");
	else if (culprit->thread->index == 0)
		vtab_result_text(out, "idle");
	else
		vtab_result_text(out, culprit->thread->comm);
}

static void get_culprit_share(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct digest_culprit *culprit = cursor->row;

	sqlite3_result_double(out,
			      (double)culprit->ran_ns / (double)wait_runnable_ns(culprit->wait));
}

static void get_culprit_prio(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct digest_culprit *culprit = cursor->row;

	if (culprit->thread && culprit->thread->index != 0)
		sqlite3_result_int64(out, culprit->prio);
}

#define CULPRIT(member, help)                                                                      \
	VTAB_MEMBER(VTAB_NUMBER, #member, struct digest_culprit, member, 0, help)
#define PARAMETER(name_, help_)                                                                    \
	{                                                                                          \
		.name = name_, .help = help_, .type = VTAB_PARAMETER                               \
	}

static const struct vtab_column culprit_columns[] = {
	[DELAY_WAIT_ID] = {.name = "wait_id",
			   .help = "the wait whose thread was delayed",
			   .type = VTAB_NUMBER,
			   .uses = VTAB_EQUAL,
			   .hops = {offsetof(struct digest_culprit, wait) + 1},
			   .offset = offsetof(struct wait, id),
			   .size = sizeof(uint32_t)},
	[DELAY_MIN] =
		PARAMETER("min_ns", "parameter: only delays from this length; 1 ms if not given"),
	VTAB_BEHIND(VTAB_NUMBER, "tid", struct digest_culprit, thread, struct thread, tid,
		    "thread that ran; 0 is idle, NULL is not known"),
	VTAB_COMPUTED("comm", get_culprit_comm, 0, "its name; idle; unknown"),
	VTAB_PROCESS(VTAB_KNOWN, "pid", struct digest_culprit, thread, pid, "its process"),
	CULPRIT(ran_ns, "how long it ran inside the delay"),
	VTAB_COMPUTED("share", get_culprit_share, 0, "part of the delay"),
	CULPRIT(runs, "how often it took the CPU"),
	VTAB_COMPUTED("prio", get_culprit_prio, 0,
		      "kernel priority: 0 to 99 real time, 100 to 139 fair (120 is nice 0)"),
};

const struct vtab vtab_ran_instead = {
	.name = "ran_instead",
	.says = "for each long run-queue delay: who ran on that CPU meanwhile",
	.columns = culprit_columns,
	.column_count = ARRAY_SIZE(culprit_columns),
	.count = many_rows,
	.range = culprit_range,
	.at = culprit_at,
};

/* ---- run_queue ---- */

static int queued_range(struct vtab_cursor *cursor)
{
	int err = use_digest(cursor, min_ns_of(cursor));

	return err ? err
		   : delay_range(cursor, digest_of(cursor)->queued, digest_of(cursor)->queued_count,
				 sizeof(struct digest_queued));
}

static const void *queued_at(const struct vtab_cursor *cursor, size_t i)
{
	const struct digest_queued *queued = &digest_of(cursor)->queued[i];

	return wait_runnable_ns(queued->wait) >= min_ns_of(cursor) ? queued : NULL;
}

static void get_queued_comm(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct digest_queued *queued = cursor->row;

	vtab_result_text(out, queued->thread->index == 0 ? "idle" : queued->thread->comm);
}

static void get_waiting(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct digest_queued *queued = cursor->row;

	if (queued->position)
		sqlite3_result_int64(out, (int64_t)(queued->wait->wake_ns - queued->since_ns));
}

static void get_running(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct digest_queued *queued = cursor->row;

	if (!queued->position)
		sqlite3_result_int64(out, (int64_t)(queued->wait->wake_ns - queued->since_ns));
}

static const struct vtab_column queued_columns[] = {
	[DELAY_WAIT_ID] = {.name = "wait_id",
			   .help = "the wait whose thread was delayed",
			   .type = VTAB_NUMBER,
			   .uses = VTAB_EQUAL,
			   .hops = {offsetof(struct digest_queued, wait) + 1},
			   .offset = offsetof(struct wait, id),
			   .size = sizeof(uint32_t)},
	[DELAY_MIN] =
		PARAMETER("min_ns", "parameter: only delays from this length; 1 ms if not given"),
	VTAB_MEMBER(VTAB_NUMBER, "position", struct digest_queued, position, 0,
		    "0 was running, 1 was first in the queue, ..."),
	VTAB_BEHIND(VTAB_NUMBER, "tid", struct digest_queued, thread, struct thread, tid,
		    "thread; 0 is idle"),
	VTAB_COMPUTED("comm", get_queued_comm, 0, "its name"),
	VTAB_PROCESS(VTAB_KNOWN, "pid", struct digest_queued, thread, pid, "its process"),
	VTAB_COMPUTED("waiting_ns", get_waiting, 0, "how long it had been queued by then"),
	VTAB_COMPUTED("running_ns", get_running, 0, "position 0: how long it had been running"),
};

const struct vtab vtab_run_queue = {
	.name = "run_queue",
	.says = "for each long run-queue delay: who ran and who was queued when it began",
	.columns = queued_columns,
	.column_count = ARRAY_SIZE(queued_columns),
	.count = many_rows,
	.range = queued_range,
	.at = queued_at,
};

/* ---- runq_histogram ---- */

/* From the first bucket to the last one that counts something. */
static int bucket_range(struct vtab_cursor *cursor)
{
	int err = use_digest(cursor, UINT64_MAX);

	if (err)
		return err;
	cursor->end = DIGEST_BUCKETS;
	while (cursor->end > 0 && !digest_of(cursor)->buckets[cursor->end - 1])
		cursor->end--;
	return 0;
}

static const void *bucket_at(const struct vtab_cursor *cursor, size_t i)
{
	return &digest_of(cursor)->buckets[i];
}

static unsigned int bucket_of(const struct vtab_cursor *cursor)
{
	return (unsigned int)((const uint64_t *)cursor->row - digest_of(cursor)->buckets);
}

static void get_bucket_from(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	sqlite3_result_int64(out, (int64_t)bucket_from_ns(bucket_of(cursor)));
}

static void get_bucket_to(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	sqlite3_result_int64(out, (int64_t)bucket_from_ns(bucket_of(cursor) + 1));
}

static void get_bucket_count(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	sqlite3_result_int64(out, (int64_t) * (const uint64_t *)cursor->row);
}

static const struct vtab_column bucket_columns[] = {
	VTAB_COMPUTED("bucket_from_ns", get_bucket_from, 0, "delays from this length"),
	VTAB_COMPUTED("bucket_to_ns", get_bucket_to, 0, "below this one"),
	VTAB_COMPUTED("count", get_bucket_count, 0, "how many"),
};

const struct vtab vtab_runq_histogram = {
	.name = "runq_histogram",
	.says = "run-queue delays of all waits, short ones too, counted by length",
	.columns = bucket_columns,
	.column_count = ARRAY_SIZE(bucket_columns),
	.count = few_rows,
	.range = bucket_range,
	.at = bucket_at,
};

/* ---- wakeup ---- */

static int wakeup_range(struct vtab_cursor *cursor)
{
	int err = use_digest(cursor, UINT64_MAX);

	if (!err)
		cursor->end = digest_of(cursor)->wakeup_count;
	return err;
}

static const void *wakeup_at(const struct vtab_cursor *cursor, size_t i)
{
	return &digest_of(cursor)->wakeups[i];
}

static void get_waker_comm(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct thread *waker = ((const struct digest_wakeup *)cursor->row)->waker;

	if (waker)
		vtab_result_text(out, waker->index == 0 ? "idle" : waker->comm);
}

static void get_interrupt_count(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct digest_wakeup *wakeup = cursor->row;

	if (wakeup->told_count)
		sqlite3_result_int64(out, (int64_t)wakeup->interrupt_count);
}

#define WAKEUP(member, help)                                                                       \
	VTAB_MEMBER(VTAB_NUMBER, #member, struct digest_wakeup, member, 0, help)
#define OF_WAKEUP(type, name, pointer, member, help)                                               \
	VTAB_BEHIND(type, name, struct digest_wakeup, pointer, struct thread, member, help)

static const struct vtab_column wakeup_columns[] = {
	OF_WAKEUP(VTAB_NUMBER, "waker_tid", waker, tid, "who woke; 0 is idle: an interrupt did"),
	VTAB_COMPUTED("waker_comm", get_waker_comm, 0, "its name"),
	VTAB_PROCESS(VTAB_KNOWN, "waker_pid", struct digest_wakeup, waker, pid, "its process"),
	OF_WAKEUP(VTAB_NUMBER, "tid", wakee, tid, "who was woken"),
	OF_WAKEUP(VTAB_TEXT, "comm", wakee, comm, "its name"),
	VTAB_PROCESS(VTAB_KNOWN, "pid", struct digest_wakeup, wakee, pid, "its process"),
	WAKEUP(count, "how often"),
	VTAB_COMPUTED(
		"interrupt_count", get_interrupt_count, 0,
		"of these, by an interrupt that stopped the waker; NULL: no waker's stack tells"),
	WAKEUP(blocked_ns, "how long it had been blocked, summed"),
	WAKEUP(longest_ns, "the longest of these"),
};

const struct vtab vtab_wakeup = {
	.name = "wakeup",
	.says = "who woke whom, how often, and how long they had been blocked",
	.columns = wakeup_columns,
	.column_count = ARRAY_SIZE(wakeup_columns),
	.count = many_rows,
	.range = wakeup_range,
	.at = wakeup_at,
};
