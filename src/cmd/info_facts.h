/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a recording says of itself: facts, hooks, clocks and losses, read from its events.
 */
#ifndef DASHCAM_CMD_INFO_FACTS_H
#define DASHCAM_CMD_INFO_FACTS_H

#include "base/hash.h"
#include "base/memory.h"
#include "recording/recording.h"

struct info_fact {
	const char *name; /* of a meta event */
	const char *value;
};

struct info_hook {
	uint32_t status; /* enum event_hook_status */
	int32_t error;   /* errno, 0 if none */
	const char *name;
	const char *text; /* what it gives, or what is missing without it */
};

/* Events lost on one CPU, of one log, for one reason. */
struct info_loss {
	uint16_t cpu;    /* EVENT_ANY_CPU: not of one CPU */
	uint16_t log;    /* enum event_log */
	uint32_t reason; /* enum event_loss_reason */
	uint64_t events;
	uint64_t from_ns;
	uint64_t to_ns;
};

/* A function of which calls were counted, not written one by one. */
struct info_counted {
	const char *name; /* "?" if its definition was lost */
	uint64_t calls;
	uint64_t since_ns; /* it was called too often: from here on; 0: see event_call_count */
};

struct info_facts {
	struct arena texts;
	struct info_fact *facts; /* of one name, the latest */
	size_t fact_count;
	size_t fact_capacity;
	struct info_hook *hooks; /* of one name, the latest */
	size_t hook_count;
	size_t hook_capacity;
	struct info_loss *losses; /* by CPU, log and reason */
	size_t loss_count;
	size_t loss_capacity;
	struct info_counted *counted; /* the most calls first */
	size_t counted_count;
	size_t counted_capacity;
	uint64_t lost_events;
	bool has_clock;
	uint64_t clock_ns;    /* the first moment for which the time of day is known, */
	uint64_t realtime_ns; /* and that time */
	uint64_t damaged;     /* what a cursor could not read */
};

/* Reads STREAMS of RECORDING. The texts are copies. The caller releases RET also when it fails. */
int info_facts_read(struct info_facts *ret, struct recording *recording, unsigned int streams);
void info_facts_release(struct info_facts *facts);

/* The value of a fact, or NULL. */
const char *info_fact(const struct info_facts *facts, const char *name);

#endif
