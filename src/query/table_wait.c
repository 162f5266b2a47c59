/* SPDX-License-Identifier: BSD-2-Clause */
/* wait, sample: evidence of why threads were off their CPU, and of what they did on it. */
#include <string.h>

#include "analysis/category.h"
#include "query/internal.h"

/* ---- wait ---- */

enum {
	WAIT_ID,
	WAIT_START,
	WAIT_WAKE,
	WAIT_END
}; /* columns that narrow a scan */

static size_t wait_count(struct query *query)
{
	return model_wait_count(query->model);
}

static const void *wait_at(const struct vtab_cursor *cursor, size_t i)
{
	const struct query *query = cursor->query;
	const struct wait *wait = model_wait(query->model, i);

	return query_takes_thread(query, wait->thread) &&
			       query_takes_time(query, wait->start_ns, wait->end_ns)
		       ? wait
		       : NULL;
}

/* The first wait that ends at TIME_NS or later. */
static size_t first_ending_at(struct query *query, uint64_t time_ns)
{
	size_t low = 0, high = model_wait_count(query->model);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (model_wait(query->model, middle)->end_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Waits are ordered by their end; what starts or wakes late ends late too. */
static int wait_range(struct vtab_cursor *cursor)
{
	struct query *query = cursor->query;
	const struct vtab_scan *scan = &cursor->scan;
	uint64_t from_ns = query->filter.from_ns, to_ns = UINT64_MAX, ignored = UINT64_MAX;
	int64_t id;

	if (vtab_scan_equal(scan, WAIT_ID, &id)) {
		bool is_there = id >= 0 && (uint64_t)id < cursor->end;

		cursor->position = is_there ? (size_t)id : 0;
		cursor->end = is_there ? cursor->position + 1 : 0;
		return 0;
	}
	vtab_scan_range(scan, WAIT_START, &from_ns, &ignored);
	vtab_scan_range(scan, WAIT_WAKE, &from_ns, &ignored);
	vtab_scan_range(scan, WAIT_END, &from_ns, &to_ns);
	cursor->position = first_ending_at(query, from_ns);
	if (to_ns != UINT64_MAX)
		cursor->end = first_ending_at(query, to_ns + 1);
	return 0;
}

static const struct wait *wait_of(const struct vtab_cursor *cursor)
{
	return cursor->row;
}

static void get_waited(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct wait *wait = wait_of(cursor);

	sqlite3_result_int64(out, (int64_t)(wait->end_ns - wait->start_ns));
}

static void get_blocked(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	sqlite3_result_int64(out, (int64_t)wait_blocked_ns(wait_of(cursor)));
}

static void get_runnable(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	sqlite3_result_int64(out, (int64_t)wait_runnable_ns(wait_of(cursor)));
}

static void get_inside(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct wait *wait = wait_of(cursor);

	sqlite3_result_int64(out,
			     (int64_t)query_inside_ns(cursor->query, wait->start_ns, wait->end_ns));
}

static void get_blocked_inside(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct wait *wait = wait_of(cursor);

	sqlite3_result_int64(
		out, (int64_t)query_inside_ns(cursor->query, wait->start_ns, wait->wake_ns));
}

static void get_state(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_text(out, state_word(wait_of(cursor)->prev_state));
}

static void get_has_evidence(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_bool(out, wait_of(cursor)->evidence);
}

static void get_syscall(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct wait *wait = wait_of(cursor);
	int syscall = wait->evidence ? wait->evidence->syscall : wait->syscall;
	const char *name;
	char number[24];

	if (syscall < 0)
		return;
	name = model_syscall_name(syscall);
	if (name) {
		vtab_result_text(out, name);
	} else {
		snprintf(number, sizeof(number), "syscall %d", syscall);
		vtab_result_copy(out, number);
	}
}

static void get_object(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct event_wait *evidence = wait_of(cursor)->evidence;
	char text[512];

	if (!evidence)
		return;
	model_object_text(cursor->query->model, evidence, text, sizeof(text));
	if (text[0])
		vtab_result_copy(out, text);
}

static void get_descriptor(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct event_wait *evidence = wait_of(cursor)->evidence;

	if (evidence && evidence->descriptor >= 0)
		sqlite3_result_int64(out, evidence->descriptor);
}

static void get_owner(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct thread *owner = model_wait_owner(cursor->query->model, wait_of(cursor));

	vtab_result_id(out, owner ? owner->tid : 0);
}

static void get_owner_comm(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct thread *owner = model_wait_owner(cursor->query->model, wait_of(cursor));

	vtab_result_text(out, owner ? owner->comm : NULL);
}

/* What a thread did in user code when an interrupt came has nothing to do with whom that woke. */
static void get_waker_user_stack(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct wait *wait = wait_of(cursor);

	if (wait->evidence && !wait->waker_is_irq)
		vtab_result_id(out, wait->evidence->waker_user_stack);
}

static void get_category(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_text(out,
			 category_name(category_of_wait(cursor->query->model, wait_of(cursor))));
}

static void get_blocked_category(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct wait *wait = wait_of(cursor);

	if (wait_blocked_ns(wait) > 0)
		vtab_result_text(out, category_name(category_of_block(cursor->query->model, wait)));
}

static void get_runnable_category(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct wait *wait = wait_of(cursor);

	if (wait_runnable_ns(wait) > 0)
		vtab_result_text(out, category_name(category_of_runnable(wait)));
}

static void get_lock(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_text(out, category_lock_name(cursor->query->model, wait_of(cursor)));
}

/* It had nothing to do, or asked for sleep. A sleep of which nothing else is known counts as rest:
 * what hurts has evidence. */
static void get_is_idle(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct wait *wait = wait_of(cursor);
	enum category category = category_of_wait(cursor->query->model, wait);
	bool is_unknown = category == CATEGORY_UNKNOWN && !wait->evidence &&
			  !strcmp(state_word(wait->prev_state), "sleeping");

	vtab_result_bool(out, category == CATEGORY_WAIT_IDLE || category == CATEGORY_WAIT_SLEEP ||
				      is_unknown);
}

#define WAIT(type, name, member, uses, help)                                                       \
	VTAB_MEMBER(type, name, struct wait, member, uses, help)
#define OF_THREAD(type, name, pointer, member, help)                                               \
	VTAB_BEHIND(type, name, struct wait, pointer, struct thread, member, help)
#define EVIDENCE(name, member, help)                                                               \
	VTAB_BEHIND(VTAB_ID, name, struct wait, evidence, struct event_wait, member, help)

static const struct vtab_column wait_columns[] = {
	[WAIT_ID] = WAIT(VTAB_NUMBER, "id", id, VTAB_EQUAL | VTAB_UNIQUE,
			 "number of the wait, in the order of their ends"),
	[WAIT_START] = WAIT(VTAB_NUMBER, "start_ns", start_ns, VTAB_FROM, "when it left its CPU"),
	[WAIT_WAKE] = WAIT(VTAB_NUMBER, "wake_ns", wake_ns, VTAB_FROM, "when it became runnable"),
	[WAIT_END] = WAIT(VTAB_NUMBER, "end_ns", end_ns, VTAB_RANGE, "when it was on a CPU again"),
	OF_THREAD(VTAB_NUMBER, "tid", thread, tid, "thread that waited"),
	VTAB_PROCESS(VTAB_KNOWN, "pid", struct wait, thread, pid, "its process"),
	OF_THREAD(VTAB_TEXT, "comm", thread, comm, "its name"),
	VTAB_COMPUTED("waited_ns", get_waited, 0, "blocked and runnable together"),
	VTAB_COMPUTED("blocked_ns", get_blocked, 0, "from start to wake-up"),
	VTAB_COMPUTED("runnable_ns", get_runnable, 0, "from wake-up to end: run-queue delay"),
	VTAB_COMPUTED("inside_ns", get_inside, 0, "how much of it lies inside --from and --to"),
	VTAB_COMPUTED("blocked_inside_ns", get_blocked_inside, 0,
		      "how much of blocked_ns does; the rest of inside_ns was runnable"),
	VTAB_COMPUTED("category", get_category, 0,
		      "why, in one word: of its longer part, blocked or runnable"),
	VTAB_COMPUTED("blocked_category", get_blocked_category, 0, "why it was blocked"),
	VTAB_COMPUTED("runnable_category", get_runnable_category, 0,
		      "runq.preempted, runq.woken or runq.throttled"),
	VTAB_COMPUTED("lock", get_lock, 0,
		      "what a lock in the kernel is called; NULL: no such lock, or no name for it"),
	VTAB_COMPUTED("state", get_state, 0,
		      "runnable (preempted), sleeping, uninterruptible, killable, stopped, ..."),
	VTAB_COMPUTED("syscall", get_syscall, 0, "system call it was in"),
	EVIDENCE("timeout_ns", timeout_ns,
		 "how long it asked to wait at most; NULL: no limit, or not known"),
	VTAB_COMPUTED("object", get_object, 0, "file, socket or futex it was about"),
	VTAB_COMPUTED("owner_tid", get_owner, 0,
		      "who held the kernel lock or the futex; NULL: not known"),
	VTAB_COMPUTED("owner_comm", get_owner_comm, 0, "the owner's name"),
	OF_THREAD(VTAB_NUMBER, "waker_tid", waker, tid, "who woke it; 0 is idle: an interrupt did"),
	VTAB_PROCESS(VTAB_KNOWN, "waker_pid", struct wait, waker, pid, "the waker's process"),
	OF_THREAD(VTAB_TEXT, "waker_comm", waker, comm, "the waker's name"),
	WAIT(VTAB_NUMBER, "is_irq", waker_is_irq, 0,
	     "1: an interrupt woke it, not the work of the waker"),
	WAIT(VTAB_NUMBER, "wake_seen", wake_seen, 0,
	     "0: the wake-up was not seen, all counts as blocked"),
	EVIDENCE("kernel_stack", kernel_stack, "its kernel stack"),
	EVIDENCE("user_stack", user_stack, "its user stack"),
	EVIDENCE("waker_kernel_stack", waker_kernel_stack, "the waker's kernel stack"),
	VTAB_COMPUTED("waker_user_stack", get_waker_user_stack, 0,
		      "the waker's user stack; none of an interrupt"),
	VTAB_COMPUTED("has_evidence", get_has_evidence, 0, "1: stacks and the like were taken"),
	VTAB_COMPUTED(
		"is_idle", get_is_idle, 0,
		"1: it had nothing to do or asked for sleep (wait.idle, wait.sleep), or slept without "
		"evidence"),
	WAIT(VTAB_NUMBER, "is_open", is_open, 0, "1: it had not ended at the recording's end"),
	WAIT(VTAB_NUMBER, "cpu", cpu, 0, "CPU where it resumed"),
	WAIT(VTAB_NUMBER, "waker_cpu", waker_cpu, 0, "CPU of the waker"),
	WAIT(VTAB_NUMBER, "prev_state", prev_state, 0, "the state as the kernel numbers it"),
	WAIT(VTAB_NUMBER, "switch_flags", switch_flags, 0, "1 sched_yield, 2 CPU quota spent"),
	VTAB_COMPUTED("descriptor", get_descriptor, 0, "descriptor argument of the system call"),
	EVIDENCE("object_id", object, "id in the table file or socket"),
	EVIDENCE("futex_address", futex_address, "futex waited for"),
	EVIDENCE("futex_owner_tid", futex_owner_tid, "its owner, as the program wrote it"),
	EVIDENCE("lock_address", lock_address, "kernel lock waited for"),
	EVIDENCE("lock_owner_tid", lock_owner_tid, "its owner"),
	OF_THREAD(VTAB_NUMBER, "thread_id", thread, index,
		  "number of the thread, as in the table thread"),
};

const struct vtab vtab_wait = {
	.name = "wait",
	.says = "waits that were long enough to keep, or that have evidence",
	.columns = wait_columns,
	.column_count = ARRAY_SIZE(wait_columns),
	.count = wait_count,
	.at = wait_at,
	.range = wait_range,
};

/* ---- sample ---- */

static size_t sample_count(struct query *query)
{
	return model_sample_count(query->model);
}

static const void *sample_at(const struct vtab_cursor *cursor, size_t i)
{
	const struct query *query = cursor->query;
	const struct sample *sample = model_sample(query->model, i);

	return query_takes_thread(query, sample->thread) &&
			       query_takes_time(query, sample->time_ns, sample->time_ns)
		       ? sample
		       : NULL;
}

static size_t first_sample_at(struct query *query, uint64_t time_ns)
{
	size_t low = 0, high = model_sample_count(query->model);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (model_sample(query->model, middle)->time_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int sample_range(struct vtab_cursor *cursor)
{
	struct query *query = cursor->query;
	uint64_t from_ns = query->filter.from_ns, to_ns = query->filter.to_ns;

	vtab_scan_range(&cursor->scan, 0, &from_ns, &to_ns);
	cursor->position = first_sample_at(query, from_ns);
	if (to_ns != UINT64_MAX)
		cursor->end = first_sample_at(query, to_ns + 1);
	return 0;
}

static const struct sample *sample_of(const struct vtab_cursor *cursor)
{
	return cursor->row;
}

static void get_sample_in_kernel(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_bool(out, sample_of(cursor)->event->flags & EVENT_SAMPLE_KERNEL);
}

static void get_sample_syscall(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	int number = sample_of(cursor)->event->syscall;

	if (number >= 0)
		vtab_result_text(out, model_syscall_name(number));
}

static void get_sample_category(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_text(
		out, category_name(category_of_sample(cursor->query->model, sample_of(cursor))));
}

#define SAMPLE(type, member, help)                                                                 \
	VTAB_BEHIND(type, #member, struct sample, event, struct event_sample, member, help)

static const struct vtab_column sample_columns[] = {
	VTAB_MEMBER(VTAB_NUMBER, "time_ns", struct sample, time_ns, VTAB_RANGE, "when"),
	SAMPLE(VTAB_NUMBER, cpu, "the CPU"),
	SAMPLE(VTAB_NUMBER, tid, "thread on it"),
	SAMPLE(VTAB_NUMBER, pid, "its process"),
	VTAB_BEHIND(VTAB_TEXT, "comm", struct sample, thread, struct thread, comm, "its name"),
	SAMPLE(VTAB_ID, kernel_stack, "kernel stack; NULL: none"),
	SAMPLE(VTAB_ID, user_stack, "user stack; NULL: none"),
	SAMPLE(VTAB_NUMBER, period_ns, "CPU time the sample stands for"),
	VTAB_COMPUTED("category", get_sample_category, 0,
		      "what for: cpu.user, cpu.kernel, cpu.irq, mem.fault, ..."),
	VTAB_COMPUTED("in_kernel", get_sample_in_kernel, 0, "1: kernel code was running"),
	VTAB_COMPUTED("syscall", get_sample_syscall, 0, "system call the thread was in"),
	VTAB_BEHIND(VTAB_NUMBER, "thread_id", struct sample, thread, struct thread, index,
		    "number of the thread, as in the table thread"),
};

const struct vtab vtab_sample = {
	.name = "sample",
	.says = "what ran on the CPUs at each tick of the sampling clock",
	.columns = sample_columns,
	.column_count = ARRAY_SIZE(sample_columns),
	.count = sample_count,
	.at = sample_at,
	.range = sample_range,
};
