/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queries: the model and its recording as read-only SQLite tables, and the named views on them.
 *
 * query_new opens an empty database in memory and registers the tables; nothing is computed before
 * a statement asks for it. A statement cannot write, attach files or load code. Tables show what
 * the filter lets through, so that SQL needs no filter of its own.
 *
 * Times are ns on the recording's clock; NULL is what is not known. Stack, file and socket ids are
 * 64-bit hashes shown as SQLite's signed integers.
 *
 * One thread uses a query. The model must outlive it.
 */
#ifndef DASHCAM_QUERY_QUERY_H
#define DASHCAM_QUERY_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sqlite3.h>

#include "base/table.h"
#include "base/units.h"
#include "model/filter.h"
#include "model/model.h"

struct query;

int query_new(struct query **ret, struct model *model);
void query_free(struct query *query); /* NULL is fine */

struct model *query_model(const struct query *query);

/* From now on tables show only these threads and this time. The lists are copied. Not while a
 * statement is open. NULL: everything. */
void query_set_filter(struct query *query, const struct filter *filter);
const struct filter *query_filter(const struct query *query);

/* Asked every few milliseconds while a statement runs; true stops it with -ECANCELED. */
void query_set_interrupt(struct query *query, bool (*is_interrupted)(void *context), void *context);

/*
 * Compiles the first statement of SQL. *ret is NULL if there is none (blanks and comments only);
 * the caller frees it with sqlite3_finalize. *ret_rest (may be NULL) points behind it. A sentence
 * in plain words says what is wrong with the SQL (-EINVAL).
 */
int query_prepare(struct query *query, const char *sql, sqlite3_stmt **ret, const char **ret_rest);

/* The next row: 1, 0 at the end, or a negative errno with a sentence. */
int query_step(struct query *query, sqlite3_stmt *statement);

/*
 * How a result column is shown as text, told by its name:
 *	start_ns end_ns wake_ns from_ns to_ns time_ns at_ns counted_from_ns	moments, in s since the start
 *	other *_ns						durations
 *	*_bytes, share *_share, *_address			sizes, per cent, hexadecimal
 *	count *_count switches waits samples runs events ...	counts
 * else numbers, or text. PLAIN: numbers stay as they are.
 */
enum table_column_kind query_column_kind(const char *name, int sqlite_type, bool plain);

struct query_print {
	FILE *out;
	enum table_format format;
	bool plain;         /* text shows numbers as they are */
	bool colour;        /* bold headings */
	unsigned int width; /* of the terminal; 0: do not cut */
	uint64_t limit;     /* rows shown; 0: all */
	/* Called for every row, shown or not; may be NULL. */
	void (*on_row)(void *context, sqlite3_stmt *statement);
	void *context;
};

/* Prints the rows of a statement as a table; *ret_rows (may be NULL) counts all, shown or not. */
int query_print(struct query *query, sqlite3_stmt *statement, const struct query_print *options,
		uint64_t *ret_rows);

/* A duration inside a sentence: "1 ms", "1.23 ms"; as the SQL function duration. Returns TEXT. */
char *query_duration_text(char text[UNITS_TEXT_SIZE], uint64_t ns);

/* ---- the tables ---- */

struct query_table_info {
	const char *name;
	const char *says;
	unsigned int column_count;
};

size_t query_table_count(const struct query *query);
struct query_table_info query_table(const struct query *query, size_t i);
/* Column I of table TABLE; hidden ones (parameters) included. */
void query_table_column(const struct query *query, size_t table, unsigned int i,
			const char **ret_name, const char **ret_help, bool *ret_is_hidden);

#endif
