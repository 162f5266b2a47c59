/* SPDX-License-Identifier: BSD-2-Clause */
#include "query/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "query/internal.h"

/* SQLite calls the progress handler after this many of its own steps: about a millisecond. */
#define STEPS_BETWEEN_CHECKS 20000

/* Sorting spills to a temporary file beyond this. */
#define SORT_MEMORY "PRAGMA cache_size = -65536"

static const struct vtab *const fixed_tables[] = {
	&vtab_process,   &vtab_thread,         &vtab_cpu,       &vtab_switch,
	&vtab_run,       &vtab_wait,           &vtab_sample,    &vtab_span,
	&vtab_function,  &vtab_call_line,      &vtab_call_node,
	&vtab_stack,     &vtab_frame,          &vtab_counter,   &vtab_wakeup,
	&vtab_file,      &vtab_socket,         &vtab_loss,      &vtab_ran_instead,
	&vtab_run_queue, &vtab_runq_histogram, &vtab_recording, &vtab_hook,
	&vtab_meta,
};

/*
 * A statement may read tables and call functions, and nothing else. Functions that reach outside
 * the database (load_extension and the like) are not registered or switched off.
 */
static int authorize(void *context, int action, const char *first, const char *second,
		     const char *database, const char *trigger)
{
	(void)context;
	(void)second;
	(void)database;
	(void)trigger;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		return second && !sqlite3_stricmp(second, "load_extension") ? SQLITE_DENY
									    : SQLITE_OK;
	case SQLITE_PRAGMA:
		return first && !sqlite3_strnicmp(first, "table_", 6) ? SQLITE_OK : SQLITE_DENY;
	default:
		return SQLITE_DENY;
	}
}

static int on_progress(void *context)
{
	return query_wants_stop(context);
}

/* SQLite connects a table when a statement first names it, by a CREATE TABLE that the authorizer
 * would refuse: so each is named once before there is one. */
static int register_table(struct query *query, const struct vtab *table)
{
	_cleanup_free_ char *sql = xasprintf("SELECT * FROM \"%s\"", table->name);
	sqlite3_stmt *statement = NULL;
	int err = vtab_register(query->db, query, table);

	if (!err && sqlite3_prepare_v2(query->db, sql, -1, &statement, NULL))
		err = fail(-EINVAL, "the table %s: %s", table->name, sqlite3_errmsg(query->db));
	sqlite3_finalize(statement);
	return err;
}

static int register_tables(struct query *query)
{
	size_t limit = ARRAY_SIZE(fixed_tables) + EVENT_KIND_LIMIT;

	query->tables = xcalloc(limit, sizeof(*query->tables));
	for (size_t i = 0; i < ARRAY_SIZE(fixed_tables); i++)
		query->tables[query->table_count++] = fixed_tables[i];
	for (unsigned int kind = 0; kind < EVENT_KIND_LIMIT; kind++) {
		if (event_schema(kind))
			query->tables[query->table_count++] = query_event_table(query, kind);
	}
	for (size_t i = 0; i < query->table_count; i++) {
		int err = register_table(query, query->tables[i]);

		if (err)
			return err;
	}
	return 0;
}

static int open_database(struct query *query)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	int err;

	if (sqlite3_open_v2(":memory:", &query->db, flags, NULL) ||
	    sqlite3_exec(query->db, SORT_MEMORY, NULL, NULL, NULL))
		return fail(-ENOMEM, "starting SQLite: %s", sqlite3_errmsg(query->db));
	err = register_tables(query);
	if (!err)
		err = query_register_functions(query);
	if (err)
		return err;
	sqlite3_set_authorizer(query->db, authorize, NULL);
	sqlite3_progress_handler(query->db, STEPS_BETWEEN_CHECKS, on_progress, query);
	return 0;
}

int query_new(struct query **ret, struct model *model)
{
	struct query *query = xcalloc(1, sizeof(*query));
	int err;

	query->model = model;
	query->filter.to_ns = UINT64_MAX;
	err = open_database(query);
	if (err) {
		query_free(query);
		return err;
	}
	*ret = query;
	return 0;
}

void query_free(struct query *query)
{
	if (!query)
		return;
	sqlite3_close(query->db);
	query_set_filter(query, NULL);
	free(query->threads_by_tid);
	free(query->processes_by_pid);
	free(query->stack_ids.ids);
	free(query->file_ids.ids);
	free(query->socket_ids.ids);
	map64_release(&query->stack_texts);
	arena_release(&query->arena);
	free(query->tables);
	free(query);
}

struct model *query_model(const struct query *query)
{
	return query->model;
}

void query_set_interrupt(struct query *query, bool (*is_interrupted)(void *context), void *context)
{
	query->is_interrupted = is_interrupted;
	query->interrupt_context = context;
}

bool query_wants_stop(const struct query *query)
{
	return query->is_interrupted && query->is_interrupted(query->interrupt_context);
}

/* SQLite's sentences are good; a table's own come through it unchanged. */
static int sqlite_failure(const struct query *query, int code)
{
	fail_clear();
	switch (code & 0xff) {
	case SQLITE_INTERRUPT:
		return fail(-ECANCELED, "interrupted: the query was stopped before its end");
	case SQLITE_AUTH:
		return fail(-EPERM, "a recording can only be read: SELECT is the statement to use");
	case SQLITE_NOMEM:
		return fail(-ENOMEM, "the query needs more memory than there is");
	case SQLITE_FULL:
	case SQLITE_IOERR:
		return fail(-ENOSPC, "no room for the temporary file of the query (TMPDIR)");
	default:
		return fail(-EINVAL, "SQL: %s", sqlite3_errmsg(query->db));
	}
}

int query_prepare(struct query *query, const char *sql, sqlite3_stmt **ret, const char **ret_rest)
{
	sqlite3_stmt *statement;
	const char *rest;
	int code = sqlite3_prepare_v2(query->db, sql, -1, &statement, &rest);

	if (code)
		return sqlite_failure(query, code);
	*ret = statement;
	if (ret_rest)
		*ret_rest = rest;
	return 0;
}

int query_step(struct query *query, sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : sqlite_failure(query, code);
}

size_t query_table_count(const struct query *query)
{
	return query->table_count;
}

struct query_table_info query_table(const struct query *query, size_t i)
{
	const struct vtab *table = query->tables[i];

	return (struct query_table_info){table->name, table->says, table->column_count};
}

void query_table_column(const struct query *query, size_t table, unsigned int i,
			const char **ret_name, const char **ret_help, bool *ret_is_hidden)
{
	const struct vtab_column *column = &query->tables[table]->columns[i];

	*ret_name = column->name;
	*ret_help = column->help;
	*ret_is_hidden = column->type == VTAB_PARAMETER;
}
