/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why something was slow: the time of a target split into categories, and findings, each with who
 * is to blame for it.
 */
#ifndef DASHCAM_ANALYSIS_EXPLAIN_H
#define DASHCAM_ANALYSIS_EXPLAIN_H

#include "analysis/blame.h"
#include "model/filter.h"

/* An interval of a thread. */
struct slice {
	struct thread *thread;
	uint64_t from_ns;
	uint64_t to_ns;
};

/* What is to be explained. */
struct explain_query {
	const struct filter *filter; /* threads and time */
	const char *span;            /* its spans instead; NULL: none */
	bool has_range; /* the filter's time was chosen: waiting there counts, even if idle */
};

/* A cause among others of a finding. */
struct finding_part {
	const struct blame_cause *cause;
	double share; /* of the finding */
};

#define FINDING_PARTS_MAX 5

struct finding {
	unsigned int rank; /* from 1 */
	enum category category;
	uint64_t ns;
	double share;           /* of the target's time */
	uint64_t spun_ns;       /* of a kernel lock: what it cost on the CPU besides (spinning) */
	bool is_of_several;     /* the target has several threads */
	bool is_told_elsewhere; /* that CPU time, in the finding of the lock */
	double confidence;
	const struct blame_cause *cause; /* the main one; NULL: not known */
	const struct thread *culprit;    /* NULL: nobody, or not known */
	const char *function;            /* NULL: not known */
	char object[256];
	char *sentence;
	char *advice;
	struct finding_part parts[FINDING_PARTS_MAX]; /* the main one first */
	size_t part_count;
};

/* Percentiles of spans. */
struct explain_spans {
	size_t count;
	uint64_t median_ns, p90_ns, p99_ns, max_ns;
	uint64_t slow_from_ns; /* spans from this length on are explained */
	size_t slow_count;
	size_t normal_count;   /* of the others that were looked at: not all, if there are very many */
	struct account normal; /* where their time went */
	uint64_t normal_ns;
};

struct explanation {
	struct model *model;
	const struct thread *thread;   /* of the target; NULL: several */
	const struct process *process; /* NULL: several */
	char target[128];              /* in words: "thread victim (1234)" */
	uint64_t from_ns;
	uint64_t to_ns;
	uint64_t total_ns; /* all threads of the target together */
	size_t thread_count;
	struct account account;
	struct finding *findings; /* by rank */
	size_t finding_count;
	bool is_healthy; /* no findings, and not much of the time is unknown */
	char *verdict;
	char **notes; /* what could not be seen, and what it would take */
	size_t note_count;
	size_t note_capacity;
	uint64_t loss; /* events lost in the whole recording */
	bool has_spans;
	struct explain_spans spans;
	struct blame *blame; /* what findings point to */
	size_t looked_at; /* where no target was named: threads of which this is the one to tell */
	struct explanation *others; /* other threads with problems, where no target was named */
	size_t other_count;
};

/*
 * Explains what QUERY chooses; where it chooses nothing, the thread with the biggest problem.
 * Returns 0, or a negative errno with a sentence (no such thread, no such span). The caller
 * releases it; HISTORY must outlive it.
 */
int explain(struct explanation *ret, const struct history *history,
	    const struct explain_query *query);
void explanation_release(struct explanation *explanation);

/* ---- the parts of it ---- */

/* findings.c: what stands out in the account, by rank. */
void findings_make(struct explanation *explanation, bool idle_counts);
/* sentence.c: finding->sentence and advice, the verdict. */
void sentences_make(struct explanation *explanation);
/* notes.c: what could not be seen. */
void notes_make(struct explanation *explanation);

#endif
