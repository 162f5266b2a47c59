/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the model: its parts and who fills them.
 *
 *	tables.c    reads what has no time of its own (names, rows of threads, files) and all losses
 *	stacks.c    stacks and the places of their frames
 *	roster.c    processes and threads: births, deaths, names
 *	call_name.c what calls and spans are called
 *	call_reader.c, call_order.c	calls and spans, by their ends and by their starts
 *	span.c      the same as an array, made when it is asked for
 *	targets.c   which threads the recording was made for
 *	timeline.c  the state machine: events in the order of time to runs and waits (see
 *timeline.h) collect.c   listens to the first pass: totals, kept waits, samples replay.c    runs
 *the state machine again for a caller's listener model.c     puts them together; what the others
 *ask
 */
#ifndef DASHCAM_MODEL_INTERNAL_H
#define DASHCAM_MODEL_INTERNAL_H

#include "base/hash.h"
#include "base/memory.h"
#include "model/call.h"
#include "model/model.h"

struct meta {
	const char *name;
	const char *value;
};

struct span_of_time {
	uint64_t from_ns;
	uint64_t to_ns;
	uint16_t cpu;
};

/* A thread event, for threads that were there before their birth could be recorded. */
struct thread_row {
	const struct event_thread *event;
	uint32_t older; /* the row before it of the same tid; MODEL_NONE */
};

/* The kernel gives births to 10 ms only. */
#define THREAD_START_GRAIN_NS UINT64_C(10000000)

struct tables {
	struct meta *metas;
	size_t meta_count, meta_capacity;
	struct event_loss *losses;
	size_t loss_count, loss_capacity;
	const struct event_hook **hooks;
	size_t hook_count, hook_capacity;
	struct event_clock *clocks;
	size_t clock_count, clock_capacity;
	const struct event_cgroup **cgroups; /* as they were told */
	size_t cgroup_count, cgroup_capacity;
	struct map64 files;   /* id: const struct event_file * */
	struct map64 sockets; /* id: const struct event_socket * */
	struct map64 span_names; /* id: const struct event_span_name * */
	struct map64 call_counts; /* id of a span_name: the newest struct event_call_count * */
	struct thread_row *rows;
	size_t row_count, row_capacity;
	struct map64 row_of_tid; /* the newest row */
	/* What was overwritten of the switch log, in order; and the same over all CPUs, merged:
	 * there a wake-up or switch of any thread may be missing. */
	struct span_of_time *gaps;
	size_t gap_count;
	struct span_of_time *doubts;
	size_t doubt_count;
};

/* A thread had a tid for some time: exec can change it. */
struct tenure {
	uint32_t tid;
	struct thread *thread;
	uint64_t from_ns;
	uint64_t to_ns;
};

struct roster {
	struct process **processes;
	size_t process_count, process_capacity;
	struct thread **threads;
	size_t thread_count, thread_capacity;
	struct tenure *tenures; /* sorted by tid and time when the first pass is over */
	size_t tenure_count, tenure_capacity;
	struct map64 process_of_pid; /* the newest */
};

/* Definitions of names, by index; and the index of each id. */
struct call_names {
	struct call_name *items;
	size_t count, capacity;
	uint32_t *dense; /* by id, below dense_count */
	size_t dense_count;
	struct map64 others; /* id: index */
};

/* A span as model_span tells it, in half the room. */
struct packed_span {
	uint64_t start_ns;
	uint64_t end_ns;
	uint32_t thread; /* index; MODEL_NONE: not known */
	uint32_t parent; /* id; MODEL_NONE */
	uint32_t name;   /* index of a call_name */
	uint16_t depth;
	uint16_t flags;
};

struct stack_table;

struct model {
	struct recording *recording;
	struct arena arena;
	struct map64 texts; /* hash: const char *, each text once */
	struct tables tables;
	struct roster roster;
	struct stack_table *stacks;
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t keep_ns; /* shortest wait that is kept */
	uint64_t min_wait_ns;
	uint64_t sample_period_ns;
	unsigned int cpu_count;
	struct wait *waits;
	size_t wait_count, wait_capacity;
	struct sample *samples;
	size_t sample_count, sample_capacity;
	struct call_names names;
	struct event_span *span_events; /* as the first pass met them: by their ends */
	size_t span_event_count, span_event_capacity;
	struct packed_span *spans; /* by id; see model_read_spans */
	size_t span_count, span_capacity;
	bool has_spans;
};

/* One copy of TEXT that lives as long as the model. */
const char *model_text(struct model *model, const char *text);

/* ---- tables.c ---- */

/* Reads STREAM_TABLE, and losses and clocks out of STREAM_EVIDENCE. */
int tables_read(struct model *model);
void tables_release(struct tables *tables);
/* The first moment at or after TIME_NS at which an event may have been missed; UINT64_MAX if none.
 */
uint64_t tables_doubt_from(const struct tables *tables, uint64_t time_ns);

/* ---- stacks.c ---- */

struct stack_table *stack_table_new(struct model *model);
void stack_table_free(struct stack_table *table);
void stack_table_add_stack(struct stack_table *table, const struct event_stack *event);
void stack_table_add_module(struct stack_table *table, const struct event_module *event);
void stack_table_add_frame(struct stack_table *table, const struct event_frame *event);
/* All is read: sorts the places. */
void stack_table_seal(struct stack_table *table);

/* ---- stack_words.c: kernel functions that have a meaning here ---- */

bool function_is_interrupt(const char *function); /* entry or exit of an interrupt */
bool function_is_soft_interrupt(const char *function);
bool function_lets_soft_interrupts_in(const char *function); /* where a thread runs pending ones */
bool function_is_scheduler(const char *function);            /* gives the CPU away */
bool function_is_recorder(const char *function);             /* the recorder's own hook */
bool function_is_waking(const char *function);               /* begins a wake-up */

/* ---- roster.c: used by the first pass only ---- */

void roster_init(struct model *model); /* makes the idle task */
void roster_release(struct roster *roster);
/* A new thread, of no known process yet. */
struct thread *roster_add_thread(struct model *model, uint32_t tid, uint64_t start_ns,
				 bool was_born_here);
void roster_end_thread(struct model *model, struct thread *thread, uint64_t time_ns);
/* From now on THREAD has the tid TID. */
void roster_change_tid(struct model *model, struct thread *thread, uint32_t tid, uint64_t time_ns);
void roster_learn_pid(struct model *model, struct thread *thread, uint32_t pid);
void roster_row(struct model *model, struct thread *thread, const struct event_thread *row);
void roster_fork(struct model *model, struct thread *thread, const struct thread *parent,
		 const struct event_fork *event);
void roster_exec(struct model *model, struct thread *thread, const struct event_exec *event);
void roster_exit(struct thread *thread, const struct event_exit *event);
void roster_rename(struct model *model, struct thread *thread, const struct event_rename *event);
/* The first pass is over: tenures can be looked up. */
void roster_seal(struct model *model);

/* ---- targets.c ---- */

/* Threads and processes are complete: says of each whether the recording was made for it. */
void targets_mark(struct model *model);

/* The thread that had TID at TIME_NS, or the nearest time to it; NULL if none ever had. The answer is
 * good for the times from *RET_FROM_NS to *RET_TO_NS. When the first pass is over. */
struct thread *roster_thread_near(const struct model *model, uint32_t tid, uint64_t time_ns,
				  uint64_t *ret_from_ns, uint64_t *ret_to_ns);

/* ---- call_name.c ---- */

/* The tables are read: makes the names of their definitions. */
void call_names_seal(struct model *model);
void call_names_release(struct call_names *names);
/* The index of the name that events call ID. */
uint32_t call_name_of_id(const struct model *model, uint32_t id);

/* ---- span.c ---- */

/* In the first pass: one more. */
void spans_add(struct model *model, const struct event_span *event);

/* ---- collect.c ---- */

int collect(struct model *model, const struct model_options *options);
/* The kept wait that is this one; NULL if there is none. */
const struct wait *collect_find_wait(const struct model *model, const struct wait *wait);

#endif
