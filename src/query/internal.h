/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of src/query share. Not for others: they use query.h.
 */
#ifndef DASHCAM_QUERY_INTERNAL_H
#define DASHCAM_QUERY_INTERNAL_H

#include "base/hash.h"
#include "base/memory.h"
#include "model/call.h"
#include "query/digest.h"
#include "query/query.h"
#include "query/vtab.h"

/* Sorted, each once. */
struct id_list {
	uint64_t *ids;
	size_t count;
	size_t capacity;
};

struct query {
	sqlite3 *db;
	struct model *model;
	struct filter filter; /* its lists are ours */
	bool *takes_thread;   /* by thread index; NULL: the filter lets all through */
	bool *takes_process;
	bool (*is_interrupted)(void *context);
	void *interrupt_context;

	const struct vtab **tables;
	size_t table_count;
	struct arena arena; /* descriptions of the event tables, texts of stacks */

	/* Made when first asked for. */
	struct digest *digest;
	uint64_t *kept_wait_ns; /* by thread index: time inside the filter's; table_thread.c */
	struct thread **threads_by_tid;
	struct process **processes_by_pid;
	struct id_list stack_ids;
	struct id_list file_ids;
	struct id_list socket_ids;
	bool has_definitions;
	struct map64 stack_texts; /* id to a folded text in the arena */
	struct call_sums *call_sums;
	struct call_tree *call_trees[2]; /* under the filter; with all functions */
};

/* ---- the filter ---- */

bool query_takes_thread(const struct query *query, const struct thread *thread); /* NULL: unknown */
bool query_takes_process(const struct query *query, const struct process *process);
/* Does [from_ns, to_ns] touch the filter's time? */
bool query_takes_time(const struct query *query, uint64_t from_ns, uint64_t to_ns);
/* True if threads are limited, or time. */
bool query_limits_threads(const struct query *query);
bool query_limits_time(const struct query *query);
/* How much of [from_ns, to_ns] lies in the filter's time. */
uint64_t query_inside_ns(const struct query *query, uint64_t from_ns, uint64_t to_ns);
bool query_wants_stop(const struct query *query); /* see query_set_interrupt */

/* ---- made when first asked for ---- */

/* What a replay gives, with run-queue culprits of waits that were runnable for at least MIN_NS. */
int query_digest(struct query *query, uint64_t min_ns, const struct digest **ret);
/* The folded text of a stack, outermost first; NULL if it is not known. */
const char *query_stack_text(struct query *query, uint64_t id);
/* Ids of all stacks, files or sockets (by their event kind) that the recording defines. */
int query_defined(struct query *query, unsigned int kind, const struct id_list **ret);

/* ---- tables, by file ---- */

extern const struct vtab vtab_process, vtab_thread, vtab_cpu; /* table_thread.c */
extern const struct vtab vtab_wait, vtab_sample;              /* table_wait.c */
extern const struct vtab vtab_frame, vtab_stack;              /* table_stack.c */
extern const struct vtab vtab_switch;                         /* table_event.c */
extern const struct vtab vtab_run;                            /* table_run.c */
extern const struct vtab vtab_runq_histogram, vtab_ran_instead, vtab_run_queue,
	vtab_wakeup;                             /* table_runq.c */
extern const struct vtab vtab_file, vtab_socket; /* table_object.c */
extern const struct vtab vtab_span;                      /* table_span.c */
extern const struct vtab vtab_function;                  /* table_function.c */
extern const struct vtab vtab_call_line, vtab_call_node; /* table_call.c */
extern const struct vtab vtab_meta, vtab_hook, vtab_loss, vtab_counter,
	vtab_recording; /* table_facts.c */

/* Describes the event_KIND table of a kind; in the query's arena. table_event.c */
const struct vtab *query_event_table(struct query *query, unsigned int kind);

/* SQL functions: stack, duration, ... functions.c */
int query_register_functions(struct query *query);

/* Names for numbers: "sleeping", "exit 0", "TCP_ESTABLISHED". words.c */
const char *state_word(uint16_t prev_state);
char *exit_text(uint32_t status, char *text, size_t size);

#endif
