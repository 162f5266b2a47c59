/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The naming thread: unwinds and names stacks behind the back of the one who drains the logs, so
 * that a slow ELF file never makes a log overflow. It owns the resolver, and what else has to be
 * read about processes: the reader of their cgroups.
 *
 * Work is handed over in batches, sorted by time. When more than a limit of memory is waiting,
 * stack copies are dropped (their stacks stay unnamed and are counted); mappings and definitions
 * never are.
 */
#ifndef DASHCAM_CAPTURE_NAMING_H
#define DASHCAM_CAPTURE_NAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "capture/cgroup.h"
#include "symbol/resolver.h"

struct function_late;
struct naming;

/* Takes over RESOLVER and CGROUPS (which may be NULL: nobody asks for them), also on failure. LATE,
 * which may be NULL and is borrowed, is told of what processes map. */
int naming_start(struct naming **ret, struct resolver *resolver, struct cgroup_reader *cgroups,
		 struct function_late *late);

/* What to tell the resolver, in a batch that is being filled. */
struct naming_batch {
	struct buffer bytes; /* the items' contents */
	struct naming_item *items;
	size_t count;
	size_t capacity;
};

/* EVENT: a raw stack, fork, or exit event; copied. */
void naming_add_event(struct naming_batch *batch, const struct event_header *event);
void naming_add_mapping(struct naming_batch *batch, uint64_t time_ns,
			const struct resolver_mapping *mapping);
void naming_add_exec(struct naming_batch *batch, uint64_t time_ns, uint32_t pid);
void naming_add_cgroup(struct naming_batch *batch, uint64_t time_ns, uint32_t tid,
		       enum cgroup_wish wish);

/* Has what processes map now looked at for functions that come late. */
void naming_add_look(struct naming_batch *batch, uint64_t time_ns);

/* Hands BATCH over; it is empty afterwards. */
void naming_submit(struct naming *naming, struct naming_batch *batch);

struct naming_status {
	uint64_t waiting_items;
	uint64_t dropped_stacks; /* so far */
};
void naming_status(struct naming *naming, struct naming_status *ret);

/* Waits until all is done (calling PROGRESS, which may be NULL, about ten times a second), ends the
 * thread and frees everything, what it had taken over included. *ret_statistics may be NULL. */
void naming_finish(struct naming *naming, void (*progress)(void *context, uint64_t waiting),
		   void *context, struct resolver_statistics *ret_statistics);

#endif
