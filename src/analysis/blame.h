/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blame: from the time of a thread to who caused it, across threads and processes.
 *
 * A wait for a lock leads to who held it; any other wait that a thread ended leads to that thread:
 * what did it do since the wait began? That thread ran (a leaf: the function), stood in a run queue
 * (leaves: who ran instead), or waited itself (go on). So one wait ends in several leaves, whose
 * times sum to its own.
 *
 * Leaves that are the same to a reader are one cause: by the category of the target's own time, by
 * what the culprit did, and by the culprit's name without its number (worker-3, worker-7).
 */
#ifndef DASHCAM_ANALYSIS_BLAME_H
#define DASHCAM_ANALYSIS_BLAME_H

#include "analysis/account.h"
#include "analysis/ending.h"
#include "analysis/hotspot.h"

#define BLAME_HOPS_MAX 16

/* How one hop leads to the next. */
enum blame_link {
	LINK_NONE,    /* the last hop: it ends here */
	LINK_HELD_BY, /* the next held what this one waited for */
	LINK_WOKE,    /* the next ended this one's wait */
	LINK_RAN,     /* the next ran on the CPU this one wanted */
};

/* One station on the way from the target to a leaf: what THREAD did from FROM_NS to TO_NS. */
struct blame_hop {
	const struct thread *thread; /* NULL: nobody (the network, a disk) */
	enum category category;
	enum blame_link link;
	uint64_t from_ns;
	uint64_t to_ns;
	const struct turn *turn; /* in which it waited; NULL: it ran */
	const struct wait *wait; /* its wait, or the one that brought what it waited for; NULL: too
				    short to be kept */
	enum ending_way way;     /* how that ended */
};

/* Why a leaf could not be followed further. */
enum blame_end {
	BLAME_LEAF,        /* it is the cause */
	BLAME_CYCLE,       /* it waits for one that is on the way already */
	BLAME_DEADLOCK,    /* and all of them for locks, which nobody gave back */
	BLAME_TOO_LONG,    /* BLAME_HOPS_MAX hops */
	BLAME_NOT_SEEN,    /* what the last thread did is not in the recording */
	BLAME_NO_EVIDENCE, /* its wait was not known to be for anything */
	BLAME_NO_WAKER,    /* another thread must end such a wait; which one was not seen */
};

struct blame_cause {
	enum category category; /* of the target's own time */
	enum category leaf;     /* what the culprit did meanwhile */
	enum blame_end end;
	const struct thread *culprit; /* the one with most of it; NULL: nobody */
	unsigned int
		culprit_count; /* threads of that name with time worth counting (32: or more) */
	char object[256];      /* of the longest instance: lock, file, socket, cgroup; "" */
	uint64_t ns;
	uint64_t waits; /* instances */
	uint64_t longest_ns;
	uint64_t longest_from_ns; /* when that one was */
	bool is_at_rest;          /* the target waited as servers do for their next request */
	uint64_t asked_least_ns;  /* of sleeps: the shortest and the longest that were asked for; 0:
				     not known */
	uint64_t asked_most_ns;
	uint64_t overslept_ns; /* sleep beyond what was asked for, where it was at least twice that
				*/
	struct hotspot hotspot;
	struct hotspot_result where; /* the functions, after blame_finish */
	struct blame_hop *hops;      /* of the longest instance */
	size_t hop_count;
	uint32_t culprits_seen[32];
	uint64_t culprits_ns[32];
};

struct blame;

/*
 * IDLE_COUNTS: waits for something to do (epoll) are followed like any other, as inside of a
 * request. The caller frees it. History must outlive it.
 */
struct blame *blame_new(const struct history *history, bool idle_counts);
void blame_free(struct blame *blame); /* NULL is fine */

/* Follows all that THREAD did in the interval. */
void blame_add(struct blame *blame, const struct thread *thread, uint64_t from_ns, uint64_t to_ns);

/* Sorts the causes by their time, and finds the functions to name. */
void blame_finish(struct blame *blame);
/* There was too much to follow all: the times and numbers of causes are estimates (see draw.h). */
bool blame_is_drawn(const struct blame *blame);
size_t blame_cause_count(const struct blame *blame);
const struct blame_cause *blame_cause(const struct blame *blame, size_t i);

#endif
