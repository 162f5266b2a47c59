/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of queries and views: a recording written as text, its model and a query on it.
 */
#ifndef DASHCAM_TESTS_FIXTURE_H
#define DASHCAM_TESTS_FIXTURE_H

#include "query/query.h"
#include "query/views.h"
#include "support/synth.h"
#include "view/report.h"

/* Times of the text in microseconds since its beginning, in SQL. */
#define US(column) "(" column " - 1000000000) / 1000"

struct fixture {
	struct recording *recording;
	struct model *model;
	struct query *query;
	struct views *views;
};

/* Two threads of one process, one of which sleeps on a futex that the other holds; and a hog. */
extern const char fixture_story[];
/* The same two, and waits for a file and a socket. 17 ms. */
extern const char fixture_waits_story[];

/* Waits are kept as the text's meta min_wait_ns says. */
struct fixture fixture_open(const char *text);
struct fixture fixture_open_synth(const struct synth *synth, uint64_t min_wait_ns);
void fixture_close(struct fixture *fixture);

/* The rows of a statement as text: values with | between, - for NULL, a line each. The caller frees
 * it. */
char *fixture_rows(const struct fixture *fixture, const char *sql);
/* Fails the test if they are not WANT. */
void fixture_check(const struct fixture *fixture, const char *sql, const char *want);

/* The sum of a column over the rows of a statement. */
int64_t fixture_sum(const struct fixture *fixture, const char *sql, const char *column);

/* What a view prints; the caller frees it. OPTIONS: NULL is plain text. */
char *fixture_report(const struct fixture *fixture, const char *view,
		     const struct report_options *options);
void fixture_check_report(const struct fixture *fixture, const char *view,
			  const struct report_options *options, const char *want);

/* The next number of a small generator whose state is *SEED. */
uint64_t fixture_random(uint64_t *seed);

/* Two CPUs whose threads come and go at random, with wake-ups and samples: EVENTS switches or so.
 * Most waits are shorter than the 400 us that its meta min_wait_ns says. The caller frees it. */
struct synth *fixture_random_story(uint64_t *seed, unsigned int events);

#endif
