/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables for SQLite, each described by one struct: its columns, and where its rows come from.
 *
 * A row is a pointer to some struct; a column says where in the struct its value lies, or has a
 * function that makes it. Rows come from an array (count and at) or from a stream (start, next,
 * stop).
 *
 * What a statement asks of a column (a time range, one id) is handed down as terms. They are hints:
 * SQLite checks each row again, so a table may give more rows than asked for, never fewer. Only
 * parameters (hidden columns) must be honoured.
 */
#ifndef DASHCAM_QUERY_VTAB_H
#define DASHCAM_QUERY_VTAB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/schema.h"

struct query;
struct vtab_cursor;

enum vtab_type {
	VTAB_NUMBER,    /* an unsigned member of size bytes */
	VTAB_TIME,      /* the same; MODEL_TIME_UNKNOWN is NULL */
	VTAB_ID,        /* the same; 0 is NULL */
	VTAB_KNOWN,     /* the same; UINT32_MAX is NULL */
	VTAB_TEXT,      /* a const char * member; NULL is NULL */
	VTAB_GET,       /* what the get function gives for cursor->row */
	VTAB_FIELD,     /* a field of an event; the row is its header */
	VTAB_PARAMETER, /* hidden: WHERE name = value, or table(value) */
};

/* What the table can do with a term on a column. */
enum vtab_use {
	VTAB_EQUAL = 1,  /* finds rows with one value fast */
	VTAB_UNIQUE = 2, /* and there is at most one */
	VTAB_FROM = 4,   /* skips rows below a value */
	VTAB_TO = 8,     /* ends behind a value */
	VTAB_RANGE = VTAB_FROM | VTAB_TO,
};

struct vtab_column {
	const char *name;
	const char *help;
	enum vtab_type type;
	unsigned int uses; /* enum vtab_use */
	uint16_t offset;
	uint16_t size;
	uint16_t hops[2]; /* pointers to follow first: their offset + 1; a NULL on the way gives
			     NULL */
	void (*get)(const struct vtab_cursor *cursor, sqlite3_context *out);
	const struct event_field *field; /* VTAB_FIELD */
	unsigned int index;              /* of the field's elements, or of a tail's texts */
};

#define VTAB_MEMBER(type_, name_, struct_, member_, uses_, help_)                                  \
	{                                                                                          \
		.name = name_, .help = help_, .type = type_, .uses = uses_,                        \
		.offset = offsetof(struct_, member_), .size = sizeof(((struct_ *)0)->member_)      \
	}
/* A member of the struct that a pointer in the row leads to. */
#define VTAB_BEHIND(type_, name_, struct_, pointer_, target_, member_, help_)                      \
	{                                                                                          \
		.name = name_, .help = help_, .type = type_,                                       \
		.hops = {offsetof(struct_, pointer_) + 1}, .offset = offsetof(target_, member_),   \
		.size = sizeof(((target_ *)0)->member_)                                            \
	}
/* A member of a thread's process. */
#define VTAB_PROCESS(type_, name_, struct_, thread_, member_, help_)                               \
	{                                                                                          \
		.name = name_, .help = help_, .type = type_,                                       \
		.hops = {offsetof(struct_, thread_) + 1, offsetof(struct thread, process) + 1},    \
		.offset = offsetof(struct process, member_),                                       \
		.size = sizeof(((struct process *)0)->member_)                                     \
	}
#define VTAB_COMPUTED(name_, get_, uses_, help_)                                                   \
	{                                                                                          \
		.name = name_, .help = help_, .type = VTAB_GET, .uses = uses_, .get = get_         \
	}

/* WHERE column = value, >= or > (FROM), <= or < (TO); the ends count as inside. */
struct vtab_term {
	unsigned int column;
	enum vtab_use use; /* VTAB_EQUAL, VTAB_FROM or VTAB_TO */
	int64_t value;
};

#define VTAB_TERMS_MAX 12

struct vtab_scan {
	struct vtab_term terms[VTAB_TERMS_MAX];
	unsigned int term_count;
	bool counts_only; /* no column is looked at: only the number of rows matters */
};

struct vtab {
	const char *name;
	const char *says; /* one sentence */
	const struct vtab_column *columns;
	unsigned int column_count;
	unsigned int kind;   /* of event tables */
	size_t cursor_bytes; /* a struct beginning with a vtab_cursor; 0: just that */

	/* Rows of an array. COUNT may be an estimate if RANGE corrects it. RANGE (may be NULL) gets
	 * ready and narrows cursor->position and cursor->end by the terms: 0 or -errno. AT gives a
	 * row, NULL if the filter does not let it through. */
	size_t (*count)(struct query *query);
	int (*range)(struct vtab_cursor *cursor);
	const void *(*at)(const struct vtab_cursor *cursor, size_t i);

	/* Rows of a stream. NEXT sets cursor->row: 1, 0 at the end, -errno. STOP must bear a cursor
	 * that was never started; START one that was. */
	uint64_t (*estimate)(struct query *query, const struct vtab *table);
	int (*start)(struct vtab_cursor *cursor, const struct vtab_scan *scan);
	int (*next)(struct vtab_cursor *cursor);
	void (*stop)(struct vtab_cursor *cursor);
};

struct vtab_cursor {
	sqlite3_vtab_cursor base;
	struct query *query;
	const struct vtab *table;
	struct vtab_scan scan;
	const void *row;
	const struct vtab_column *column; /* the one whose get function is called */
	int64_t row_number;
	bool is_at_end;
	size_t position; /* arrays: of the next row */
	size_t end;
	const void *source; /* for range to leave something to at */
};

/* Makes TABLE known to DB under its name. Both must outlive the database. */
int vtab_register(sqlite3 *db, struct query *query, const struct vtab *table);

/* The value of an equality term on COLUMN: true if there is one. */
bool vtab_scan_equal(const struct vtab_scan *scan, unsigned int column, int64_t *ret_value);
/* Narrows [*from, *to] by the terms on COLUMN. */
void vtab_scan_range(const struct vtab_scan *scan, unsigned int column, uint64_t *from,
		     uint64_t *to);

/* Results with NULL for what is not known. */
void vtab_result_time(sqlite3_context *out, uint64_t time_ns); /* MODEL_TIME_UNKNOWN is NULL */
void vtab_result_id(sqlite3_context *out, uint64_t id);        /* 0 is NULL */
void vtab_result_text(sqlite3_context *out, const char *text); /* outlives the statement, or NULL */
void vtab_result_copy(sqlite3_context *out, const char *text); /* copied */
void vtab_result_bool(sqlite3_context *out, bool value);
void vtab_result_field(sqlite3_context *out, const struct event_header *event,
		       const struct event_field *field, unsigned int index);

#endif
