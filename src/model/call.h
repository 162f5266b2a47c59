/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of functions, and spans: what was inside what, and for how long.
 *
 * There may be very many, so they are read when somebody asks, in one pass or two, and memory does
 * not grow with their number. A call is written when it ends: whoever reads them in that order
 * (call_reader) meets what is inside a call before the call itself. call_order gives them in the
 * order of their starts, with all that is known of their ends.
 *
 * Which is inside which is told by depth and times. Where events were lost, what was inside a lost
 * call is inside the next one around it that is known.
 */
#ifndef DASHCAM_MODEL_CALL_H
#define DASHCAM_MODEL_CALL_H

#include "model/filter.h"
#include "model/model.h"

/* Calls that the kernel side only counted, summed over all threads and the whole time. */
struct call_counted {
	uint64_t calls; /* 0: none */
	uint64_t total_ns;
	uint64_t self_ns;
	uint64_t max_ns;
	uint64_t hidden_ns; /* of the time of written calls: spent in counted ones */
	uint64_t since_ns;  /* from here on they were no longer written; 0: see EVENT_CALL_COUNT */
};

/* A function, or what a user named. Definitions with the same texts are one. */
struct call_name {
	uint32_t index;
	const char *name;  /* "?" if the definition was lost */
	const char *where; /* BINARY:FUNCTION; "" likewise */
	uint32_t flags;    /* enum event_span_name_flag */
	struct call_counted counted;
};

/* Borrowed, by index; the first stands for all that are not defined. */
size_t call_name_count(const struct model *model);
const struct call_name *call_name_at(const struct model *model, size_t i);
/* True if PATTERN, a shell glob or /a regular expression/, matches NAME, with or without the
 * "@SONAME" at its end; a pattern with an @ matches the whole only. */
bool call_name_matches(const char *name, const char *pattern);
/* False for /what is not a regular expression/. */
bool call_pattern_is_sound(const char *pattern);
/* Does the filter let calls of that name through? */
bool call_name_is_taken(const struct filter *filter, const struct call_name *name);

struct call {
	uint64_t start_ns;
	uint64_t end_ns;
	struct thread *thread; /* NULL: not known */
	uint32_t tid;
	uint32_t name;  /* index of a call_name */
	uint32_t lane;  /* a number for its thread: 0, 1, .. in the order they are met */
	uint32_t level; /* call_order: how many calls that are shown are around it */
	uint16_t depth; /* how many were around it, shown or not */
	uint16_t flags; /* enum event_span_flag */
	bool is_shown;  /* the filter's names and depth let it through */
	bool has_inner; /* one that is shown lies inside */
};

/* Its time, or the part of it that lies in the filter's. */
uint64_t call_inside_ns(const struct call *call, const struct filter *filter);

/* "" for a call that returned, else a word for why its end is not its return. Static text. */
const char *call_end_word(const struct call *call);

/* ---- by their ends ---- */

struct call_reader;

/*
 * Reads the calls that the filter lets through: those that touch its time, of its threads, names
 * and depth. WITH_HIDDEN: names and depth are only told by is_shown. FILTER is borrowed. Several
 * readers may be open.
 */
int call_reader_new(struct call_reader **ret, struct model *model, const struct filter *filter,
		    bool with_hidden);
/* The next by end; of equal ends the inner one. *ret is good until the next call: 1, 0 at the end,
 * or a negative errno with a sentence. */
int call_reader_next(struct call_reader *reader, const struct call **ret);
void call_reader_free(struct call_reader *reader); /* NULL is fine */

/* ---- by their starts ---- */

struct call_order;

/* The same by start; of equal starts the outer one. The first pass is made here: it remembers the
 * long calls. The second puts the short ones between them. */
int call_order_new(struct call_order **ret, struct model *model, const struct filter *filter);
/* The same with room for LONG_CALLS_MAX long calls. Call_order_new has room for a million. */
int call_order_new_in(struct call_order **ret, struct model *model, const struct filter *filter,
		      size_t long_calls_max);
int call_order_next(struct call_order *order, const struct call **ret);
void call_order_free(struct call_order *order); /* NULL is fine */

#endif
