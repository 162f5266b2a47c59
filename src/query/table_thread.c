/* SPDX-License-Identifier: BSD-2-Clause */
/* process, thread, cpu: who there was and where their time went. */
#include <stdlib.h>
#include <string.h>

#include "query/internal.h"

/* ---- by id ---- */

/* Narrows the rows of an array sorted by an id to those with one id. */
static void equal_range(struct vtab_cursor *cursor, int64_t id,
			uint32_t (*id_at)(const struct query *query, size_t i))
{
	size_t count = cursor->end, low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((int64_t)id_at(cursor->query, middle) < id)
			low = middle + 1;
		else
			high = middle;
	}
	cursor->position = low;
	while (low < count && (int64_t)id_at(cursor->query, low) == id)
		low++;
	cursor->end = low;
}

static uint32_t tid_at(const struct query *query, size_t i)
{
	return query->threads_by_tid[i]->tid;
}

static uint32_t pid_at(const struct query *query, size_t i)
{
	return query->processes_by_pid[i]->pid;
}

static int compare_threads(const void *a, const void *b)
{
	const struct thread *x = *(struct thread *const *)a, *y = *(struct thread *const *)b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int compare_processes(const void *a, const void *b)
{
	const struct process *x = *(struct process *const *)a, *y = *(struct process *const *)b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void sort_threads(struct query *query)
{
	size_t count = model_thread_count(query->model);

	if (query->threads_by_tid)
		return;
	query->threads_by_tid = xcalloc(count + 1, sizeof(*query->threads_by_tid));
	for (size_t i = 0; i < count; i++)
		query->threads_by_tid[i] = model_thread(query->model, i);
	qsort(query->threads_by_tid, count, sizeof(*query->threads_by_tid), compare_threads);
}

static void sort_processes(struct query *query)
{
	size_t count = model_process_count(query->model);

	if (query->processes_by_pid)
		return;
	query->processes_by_pid = xcalloc(count + 1, sizeof(*query->processes_by_pid));
	for (size_t i = 0; i < count; i++)
		query->processes_by_pid[i] = model_process(query->model, i);
	qsort(query->processes_by_pid, count, sizeof(*query->processes_by_pid), compare_processes);
}

/* ---- thread ---- */

static size_t thread_count(struct query *query)
{
	return model_thread_count(query->model);
}

static const void *thread_at(const struct vtab_cursor *cursor, size_t i)
{
	const struct query *query = cursor->query;
	const struct thread *thread = query->threads_by_tid[i];

	return query_takes_thread(query, thread) &&
			       query_takes_time(query, thread->start_ns, thread->end_ns)
		       ? thread
		       : NULL;
}

/* Under a filter of time the totals have to be counted first. */
static int thread_range(struct vtab_cursor *cursor)
{
	const struct digest *digest = NULL;
	int64_t tid;
	int err = 0;

	sort_threads(cursor->query);
	if (vtab_scan_equal(&cursor->scan, 0, &tid))
		equal_range(cursor, tid, tid_at);
	if (query_limits_time(cursor->query))
		err = query_digest(cursor->query, UINT64_MAX, &digest);
	cursor->source = digest;
	return err;
}

/* A thread's totals: the model's, or those of the filter's time. */
static struct digest_thread thread_totals(const struct vtab_cursor *cursor)
{
	const struct thread *thread = cursor->row;
	const struct digest *digest = cursor->source;

	if (digest)
		return digest->threads[thread->index];
	return (struct digest_thread){
		.on_cpu_ns = thread->on_cpu_ns,
		.runnable_ns = thread->runnable_ns,
		.blocked_ns = thread->blocked_ns,
		.unknown_ns = thread->unknown_ns,
		.switches = thread->switches,
		.preemptions = thread->preemptions,
		.longest_wait_ns = thread->longest_wait_ns,
		.longest_runnable_ns = thread->longest_runnable_ns,
		.samples = thread->samples,
	};
}

static void get_total(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	struct digest_thread totals = thread_totals(cursor);
	uint64_t total;

	memcpy(&total, (const char *)&totals + cursor->column->offset, sizeof(total));
	sqlite3_result_int64(out, (int64_t)total);
}

static void get_thread_end(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct thread *thread = cursor->row;

	vtab_result_time(out, thread->has_ended ? thread->end_ns : MODEL_TIME_UNKNOWN);
}

/* Time of the thread's kept waits inside the filter's time. */
static uint64_t kept_wait_ns(struct query *query, const struct thread *thread)
{
	size_t count = model_wait_count(query->model);

	if (!query->kept_wait_ns) {
		query->kept_wait_ns =
			xcalloc(model_thread_count(query->model) + 1, sizeof(uint64_t));
		for (size_t i = 0; i < count; i++) {
			const struct wait *wait = model_wait(query->model, i);

			query->kept_wait_ns[wait->thread->index] +=
				query_inside_ns(query, wait->start_ns, wait->end_ns);
		}
	}
	return query->kept_wait_ns[thread->index];
}

static void get_short_wait(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	struct digest_thread totals = thread_totals(cursor);
	uint64_t kept_ns = kept_wait_ns(cursor->query, cursor->row);

	sqlite3_result_int64(out, (int64_t)(totals.runnable_ns + totals.blocked_ns - kept_ns));
}

#define THREAD(type, member, help) VTAB_MEMBER(type, #member, struct thread, member, 0, help)
#define TOTAL(member, text)                                                                        \
	{                                                                                          \
		.name = #member, .help = text, .type = VTAB_GET, .get = get_total,                 \
		.offset = offsetof(struct digest_thread, member)                                   \
	}

static const struct vtab_column thread_columns[] = {
	VTAB_MEMBER(VTAB_NUMBER, "tid", struct thread, tid, VTAB_EQUAL,
		    "thread; 0 is the idle task of all CPUs"),
	VTAB_BEHIND(VTAB_KNOWN, "pid", struct thread, process, struct process, pid, "its process"),
	THREAD(VTAB_TEXT, comm, "last name"),
	THREAD(VTAB_TIME, start_ns, "when it was born, or first known of"),
	VTAB_COMPUTED("end_ns", get_thread_end, 0,
		      "when it ended; NULL: it outlived the recording"),
	TOTAL(on_cpu_ns, "time on a CPU"),
	TOTAL(runnable_ns, "time it could have run but had no CPU"),
	TOTAL(blocked_ns, "time it slept for something"),
	TOTAL(unknown_ns, "time in gaps, or before it was first seen"),
	TOTAL(switches, "times it took a CPU"),
	TOTAL(preemptions, "times it left one while it could still run"),
	TOTAL(longest_wait_ns, "longest time between two runs"),
	TOTAL(longest_runnable_ns, "longest run-queue delay"),
	TOTAL(samples, "times the sampling clock found it"),
	VTAB_COMPUTED("short_wait_ns", get_short_wait, 0,
		      "runnable and blocked time in waits too short to be in the table wait"),
	THREAD(VTAB_NUMBER, is_kernel, "1: a kernel thread"),
	THREAD(VTAB_NUMBER, is_target,
	       "1: the recording was made for it; 0 for all if it was made for the machine"),
	THREAD(VTAB_NUMBER, was_born_here, "1: its birth was recorded"),
	THREAD(VTAB_NUMBER, has_ended, "1: its death was recorded"),
	VTAB_MEMBER(VTAB_NUMBER, "thread_id", struct thread, index, 0,
		    "number of the thread in this recording: a tid can be used again"),
	VTAB_BEHIND(VTAB_NUMBER, "process_id", struct thread, process, struct process, index,
		    "number of its process"),
};

const struct vtab vtab_thread = {
	.name = "thread",
	.says = "threads, with where their time went (inside --from and --to)",
	.columns = thread_columns,
	.column_count = ARRAY_SIZE(thread_columns),
	.count = thread_count,
	.at = thread_at,
	.range = thread_range,
};

/* ---- process ---- */

static size_t process_count(struct query *query)
{
	return model_process_count(query->model);
}

static const void *process_at(const struct vtab_cursor *cursor, size_t i)
{
	const struct query *query = cursor->query;
	const struct process *process = query->processes_by_pid[i];
	uint64_t from_ns = process->start_ns == MODEL_TIME_UNKNOWN ? 0 : process->start_ns;

	/* Threads of no known process are kept in one that is none. */
	return process->pid != MODEL_NONE && query_takes_process(query, process) &&
			       query_takes_time(query, from_ns, process->end_ns)
		       ? process
		       : NULL;
}

static int process_range(struct vtab_cursor *cursor)
{
	int64_t pid;

	sort_processes(cursor->query);
	if (vtab_scan_equal(&cursor->scan, 0, &pid))
		equal_range(cursor, pid, pid_at);
	return 0;
}

static bool has_exit(const struct process *process)
{
	return process->end_ns != MODEL_TIME_UNKNOWN;
}

static void get_exit_code(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct process *process = cursor->row;

	if (has_exit(process))
		sqlite3_result_int64(out, process->exit_code);
}

static void get_exit_text(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct process *process = cursor->row;
	char text[64];

	if (has_exit(process))
		vtab_result_copy(out, exit_text(process->exit_code, text, sizeof(text)));
}

#define PROCESS(type, member, help) VTAB_MEMBER(type, #member, struct process, member, 0, help)

static const struct vtab_column process_columns[] = {
	VTAB_MEMBER(VTAB_NUMBER, "pid", struct process, pid, VTAB_EQUAL, "process"),
	PROCESS(VTAB_ID, ppid, "its parent"),
	PROCESS(VTAB_TEXT, comm, "last name of its first thread"),
	PROCESS(VTAB_TEXT, cmdline, "command line"),
	PROCESS(VTAB_TIME, start_ns, "when it was born"),
	PROCESS(VTAB_TIME, end_ns, "when it ended; NULL: it outlived the recording"),
	VTAB_COMPUTED("exit_code", get_exit_code, 0, "wait(2) status word, if it ended"),
	VTAB_COMPUTED("exit", get_exit_text, 0, "the same in words: exit 0, killed by SIGKILL"),
	PROCESS(VTAB_KNOWN, uid, "user"),
	PROCESS(VTAB_NUMBER, is_kernel, "1: kernel threads"),
	PROCESS(VTAB_NUMBER, is_target,
		"1: the recording was made for it, its threads' names apart"),
	PROCESS(VTAB_NUMBER, is_recorder, "1: the recorder itself, or a helper of it"),
	PROCESS(VTAB_NUMBER, was_born_here, "1: its birth was recorded"),
	VTAB_MEMBER(VTAB_NUMBER, "process_id", struct process, index, 0,
		    "number of the process in this recording: a pid can be used again"),
};

const struct vtab vtab_process = {
	.name = "process",
	.says = "processes",
	.columns = process_columns,
	.column_count = ARRAY_SIZE(process_columns),
	.count = process_count,
	.at = process_at,
	.range = process_range,
};

/* ---- cpu ---- */

static size_t cpu_count(struct query *query)
{
	return model_cpu_count(query->model);
}

static int cpu_range(struct vtab_cursor *cursor)
{
	const struct digest *digest;
	int err = query_digest(cursor->query, UINT64_MAX, &digest);

	if (err)
		return err;
	cursor->source = digest;
	cursor->end = digest->cpu_count;
	return 0;
}

static const void *cpu_at(const struct vtab_cursor *cursor, size_t i)
{
	return &((const struct digest *)cursor->source)->cpus[i];
}

#define CPU(member, help) VTAB_MEMBER(VTAB_NUMBER, #member, struct digest_cpu, member, 0, help)

static const struct vtab_column cpu_columns[] = {
	CPU(cpu, "the CPU"),
	CPU(busy_ns, "time a thread ran (one that --pid, --tid, --comm let through)"),
	CPU(idle_ns, "time it was idle"),
	CPU(other_ns, "time threads ran that the filter leaves out"),
	CPU(unknown_ns, "time in gaps"),
	CPU(switches, "times a thread or idle took it"),
};

const struct vtab vtab_cpu = {
	.name = "cpu",
	.says = "CPUs, with where their time went (inside --from and --to)",
	.columns = cpu_columns,
	.column_count = ARRAY_SIZE(cpu_columns),
	.count = cpu_count,
	.at = cpu_at,
	.range = cpu_range,
};
