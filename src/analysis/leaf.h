/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leaves: where following a wait ends. Each says who or what it was, doing what, where in its code.
 *
 *	leaf.c        CPU time, run queues, sleep, locks
 *	leaf_disk.c   disks: which request, and who filled the queue
 *	leaf_memory.c cgroups and their limits
 *	leaf_net.c    connections: what their state says of why nothing came
 */
#ifndef DASHCAM_ANALYSIS_LEAF_H
#define DASHCAM_ANALYSIS_LEAF_H

#include "analysis/account.h"
#include "analysis/blame.h"

struct leaf {
	enum category category; /* what the culprit did */
	enum blame_end end;
	const struct thread *culprit; /* NULL: nobody that can be named */
	char object[256];             /* what it was about, "" if nothing */
	uint64_t group; /* without a culprit: leaves with the same are one cause; 0: the object */
	uint64_t from_ns;
	uint64_t ns;
	uint64_t asked_ns;      /* of a sleep: how long the program wanted; 0: not known */
	uint64_t overslept_ns;  /* of a sleep: see struct blame_cause */
	struct hotspot hotspot; /* where in its code */
	uint32_t looks;         /* events that were looked at to find it */
};

void leaf_release(struct leaf *leaf);

/* Waits of this category end where they are, even if a thread ended them. */
bool leaf_ends_at(enum category category);

/* THREAD ran during PIECE; what it did is told by its samples during SAMPLED. HINT: a user stack of
 * it at the end, 0 for none; used where no sample says more. */
void leaf_of_run(struct leaf *leaf, const struct history *history, const struct thread *thread,
		 const struct piece *piece, const struct piece *sampled, uint64_t hint);
/* One sample of the target itself. */
void leaf_of_sample(struct leaf *leaf, const struct history *history, const struct sample *sample);
/* What interrupts took from THREAD in an interval; ns is 0 if nothing. */
void leaf_of_irqs(struct leaf *leaf, const struct history *history, const struct thread *thread,
		  uint64_t from_ns, uint64_t to_ns);
/* RUNNER had the CPU that PIECE's thread waited for. */
void leaf_of_runner(struct leaf *leaf, const struct history *history, const struct piece *piece,
		    const struct runner *runner);
/* Its CPU was idle for IDLE_NS of PIECE. */
void leaf_of_latency(struct leaf *leaf, const struct thread *thread, const struct piece *piece,
		     uint64_t idle_ns);
/* Its cgroup had no CPU quota left. */
void leaf_of_quota(struct leaf *leaf, const struct history *history, const struct thread *thread,
		   const struct piece *piece);
/* THREAD was blocked during PIECE, and nobody is to be asked further. */
void leaf_of_block(struct leaf *leaf, const struct history *history, const struct thread *thread,
		   const struct piece *piece, enum category category);

/* ---- the parts of leaf_of_block: what leaf.c has filled in is made more precise ---- */

void leaf_disk(struct leaf *leaf, const struct history *history, const struct thread *thread,
	       const struct piece *piece);
/* Who did the work of the requests that THREAD waited for during PIECE: a thread of the kernel, if
 * the disk is a file or on another machine. NULL: a device did. */
const struct thread *leaf_disk_server(const struct history *history, const struct thread *thread,
				      const struct piece *piece);
void leaf_net(struct leaf *leaf, const struct history *history, const struct thread *thread,
	      const struct piece *piece);
/* A sleep or a wait for FIRST's own data that FIRST's kernel holds back (see leaf_net.c); true if
 * it is one. */
bool leaf_net_is_held_back(struct leaf *leaf, const struct history *history,
			   const struct blame_hop *first, const struct wait *wait);
/* The cgroup of THREAD's process: "cpu quota 20 ms of 100 ms in /batch"; "" if not known. */
void leaf_cpu_quota(struct leaf *leaf, const struct history *history, const struct thread *thread,
		    uint64_t time_ns);
/* The path of the CPU cgroup of THREAD's process; "" if it is not known. */
void leaf_cgroup(char *text, size_t size, const struct history *history,
		 const struct thread *thread);
/* "memory limit 64.0 MB of /batch". */
void leaf_memory_limit(struct leaf *leaf, const struct history *history,
		       const struct thread *thread, uint64_t time_ns);

#endif
