/* SPDX-License-Identifier: BSD-2-Clause */
#include "query/vtab.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/model.h"

/* The SQLite object of a table, and what its module needs to make one. */
struct vtab_object {
	sqlite3_vtab base;
	struct query *query;
	const struct vtab *table;
};

struct vtab_binding {
	struct query *query;
	const struct vtab *table;
};

/* ---- results ---- */

void vtab_result_time(sqlite3_context *out, uint64_t time_ns)
{
	if (time_ns == MODEL_TIME_UNKNOWN)
		sqlite3_result_null(out);
	else
		sqlite3_result_int64(out, (int64_t)time_ns);
}

void vtab_result_id(sqlite3_context *out, uint64_t id)
{
	if (!id)
		sqlite3_result_null(out);
	else
		sqlite3_result_int64(out, (int64_t)id);
}

void vtab_result_text(sqlite3_context *out, const char *text)
{
	sqlite3_result_text(out, text, -1, SQLITE_STATIC);
}

void vtab_result_copy(sqlite3_context *out, const char *text)
{
	sqlite3_result_text(out, text, -1, SQLITE_TRANSIENT);
}

void vtab_result_bool(sqlite3_context *out, bool value)
{
	sqlite3_result_int(out, value);
}

static uint64_t member_number(const void *row, const struct vtab_column *column)
{
	const char *at = (const char *)row + column->offset;

	switch (column->size) {
	case 1:
		return *(const uint8_t *)at;
	case 2:
		return *(const uint16_t *)at;
	case 4:
		return *(const uint32_t *)at;
	default:
		return *(const uint64_t *)at;
	}
}

/* Follows the column's pointers from the row; NULL if one is. */
static const void *follow(const void *row, const struct vtab_column *column)
{
	for (size_t i = 0; row && i < ARRAY_SIZE(column->hops) && column->hops[i]; i++)
		memcpy(&row, (const char *)row + column->hops[i] - 1, sizeof(row));
	return row;
}

static void result_member(sqlite3_context *out, const void *row, const struct vtab_column *column)
{
	row = follow(row, column);
	if (!row)
		return;
	switch (column->type) {
	case VTAB_TIME:
		vtab_result_time(out, member_number(row, column));
		break;
	case VTAB_ID:
		vtab_result_id(out, member_number(row, column));
		break;
	case VTAB_KNOWN:
		if (member_number(row, column) != UINT32_MAX)
			sqlite3_result_int64(out, (int64_t)member_number(row, column));
		break;
	case VTAB_TEXT:
		vtab_result_text(out, *(const char *const *)((const char *)row + column->offset));
		break;
	default:
		sqlite3_result_int64(out, (int64_t)member_number(row, column));
		break;
	}
}

/* ---- terms ---- */

bool vtab_scan_equal(const struct vtab_scan *scan, unsigned int column, int64_t *ret_value)
{
	for (unsigned int i = 0; i < scan->term_count; i++) {
		if (scan->terms[i].column == column && scan->terms[i].use == VTAB_EQUAL) {
			*ret_value = scan->terms[i].value;
			return true;
		}
	}
	return false;
}

void vtab_scan_range(const struct vtab_scan *scan, unsigned int column, uint64_t *from,
		     uint64_t *to)
{
	for (unsigned int i = 0; i < scan->term_count; i++) {
		const struct vtab_term *term = &scan->terms[i];
		uint64_t value = term->value < 0 ? 0 : (uint64_t)term->value;

		if (term->column != column)
			continue;
		if (term->use != VTAB_TO && value > *from)
			*from = value;
		if (term->use != VTAB_FROM && value < *to)
			*to = value;
	}
}

/* What SQLite's operator asks for; 0 if it is none that tables use. */
static unsigned int use_of_operator(unsigned int op)
{
	switch (op) {
	case SQLITE_INDEX_CONSTRAINT_EQ: /* not IS, which NULL may satisfy */
		return VTAB_EQUAL;
	case SQLITE_INDEX_CONSTRAINT_GT:
	case SQLITE_INDEX_CONSTRAINT_GE:
		return VTAB_FROM;
	case SQLITE_INDEX_CONSTRAINT_LT:
	case SQLITE_INDEX_CONSTRAINT_LE:
		return VTAB_TO;
	default:
		return 0;
	}
}

static unsigned int uses_of_column(const struct vtab_column *column)
{
	if (column->type == VTAB_PARAMETER)
		return VTAB_EQUAL;
	/* An equality is a range of one value. */
	return column->uses == VTAB_RANGE ? column->uses | VTAB_EQUAL : column->uses;
}

/* Makes a term of an argument. False: its value is of no use, SQLite's own check has to do. */
static bool term_value(sqlite3_value *argument, enum vtab_use use, int64_t *ret)
{
	double real;

	switch (sqlite3_value_numeric_type(argument)) {
	case SQLITE_INTEGER:
		*ret = sqlite3_value_int64(argument);
		return true;
	case SQLITE_FLOAT:
		real = sqlite3_value_double(argument);
		if (!(fabs(real) < 9e18) || (use == VTAB_EQUAL && real != floor(real)))
			return false;
		*ret = (int64_t)(use == VTAB_FROM ? floor(real) : ceil(real));
		return true;
	default:
		return false;
	}
}

/* ---- the module ---- */

static char *table_declaration(const struct vtab *table)
{
	struct buffer text = {0};

	buffer_printf(&text, "CREATE TABLE x(");
	for (unsigned int i = 0; i < table->column_count; i++) {
		bool is_hidden = table->columns[i].type == VTAB_PARAMETER;

		buffer_printf(&text, "%s\"%s\"%s", i ? ", " : "", table->columns[i].name,
			      is_hidden ? " HIDDEN" : "");
	}
	buffer_printf(&text, ")");
	return text.data;
}

static int vtab_connect(sqlite3 *db, void *client, int argc, const char *const *argv,
			sqlite3_vtab **ret, char **ret_error)
{
	const struct vtab_binding *binding = client;
	_cleanup_free_ char *declaration = table_declaration(binding->table);
	struct vtab_object *object;
	int err = sqlite3_declare_vtab(db, declaration);

	(void)argc;
	(void)argv;
	if (err) {
		*ret_error = sqlite3_mprintf("%s", sqlite3_errmsg(db));
		return err;
	}
	sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
	object = xcalloc(1, sizeof(*object));
	object->query = binding->query;
	object->table = binding->table;
	*ret = &object->base;
	return SQLITE_OK;
}

static int vtab_disconnect(sqlite3_vtab *vtab)
{
	free(vtab);
	return SQLITE_OK;
}

static double table_rows(const struct vtab_object *object)
{
	const struct vtab *table = object->table;

	return (double)(table->count ? table->count(object->query)
				     : table->estimate(object->query, table));
}

/* How far a use narrows the rows: only the planner's order of joins depends on it. */
static double narrowed(double rows, const struct vtab_column *column, unsigned int use)
{
	if (use == VTAB_EQUAL && (column->uses & VTAB_UNIQUE))
		return 1;
	if (use == VTAB_EQUAL)
		return rows < 200 ? 1 : rows / 200;
	return rows / 4 + 1;
}

/*
 * Chooses the terms to hand down. The plan is a text with two numbers per term, "use column ", in
 * the order of xFilter's arguments, and a flag in idxNum: whether any column is looked at.
 */
static int vtab_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
	struct vtab_object *object = (struct vtab_object *)vtab;
	struct buffer plan = {0};
	double rows = table_rows(object);
	int terms = 0;

	for (int i = 0; i < info->nConstraint; i++) {
		unsigned int use = use_of_operator(info->aConstraint[i].op);
		const struct vtab_column *column;

		if (info->aConstraint[i].iColumn < 0)
			continue;
		column = &object->table->columns[info->aConstraint[i].iColumn];
		if (!(use & uses_of_column(column)))
			continue;
		if (!info->aConstraint[i].usable && column->type == VTAB_PARAMETER) {
			buffer_release(&plan);
			return SQLITE_CONSTRAINT;
		}
		if (!info->aConstraint[i].usable || terms == VTAB_TERMS_MAX)
			continue;
		info->aConstraintUsage[i].argvIndex = ++terms;
		info->aConstraintUsage[i].omit = column->type == VTAB_PARAMETER;
		buffer_printf(&plan, "%u %d ", use, info->aConstraint[i].iColumn);
		rows = narrowed(rows, column, use);
	}
	info->idxNum = info->colUsed == 0 && info->nConstraint == 0;
	info->idxStr = sqlite3_mprintf("%s", plan.data ? plan.data : "");
	info->needToFreeIdxStr = 1;
	info->estimatedRows = (sqlite3_int64)rows;
	info->estimatedCost = rows + 10;
	buffer_release(&plan);
	return SQLITE_OK;
}

static int vtab_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **ret)
{
	struct vtab_object *object = (struct vtab_object *)vtab;
	size_t bytes = object->table->cursor_bytes;
	struct vtab_cursor *cursor;

	cursor = xcalloc(1, bytes ? bytes : sizeof(*cursor));
	cursor->query = object->query;
	cursor->table = object->table;
	*ret = &cursor->base;
	return SQLITE_OK;
}

static int vtab_close(sqlite3_vtab_cursor *base)
{
	struct vtab_cursor *cursor = (struct vtab_cursor *)base;

	if (cursor->table->stop)
		cursor->table->stop(cursor);
	free(cursor);
	return SQLITE_OK;
}

/* Hands the pending sentence to SQLite; query_step takes it from there. */
static int report_error(sqlite3_vtab *vtab, int err)
{
	if (err == -ECANCELED)
		return SQLITE_INTERRUPT;
	sqlite3_free(vtab->zErrMsg);
	vtab->zErrMsg = sqlite3_mprintf("%s", fail_text());
	fail_clear();
	return SQLITE_ERROR;
}

/* The next row of an array that the filter lets through. */
static int array_next(struct vtab_cursor *cursor)
{
	while (cursor->position < cursor->end) {
		cursor->row = cursor->table->at(cursor, cursor->position++);
		if (cursor->row)
			return 1;
	}
	return 0;
}

static int vtab_next(sqlite3_vtab_cursor *base)
{
	struct vtab_cursor *cursor = (struct vtab_cursor *)base;
	int err = cursor->table->next ? cursor->table->next(cursor) : array_next(cursor);

	if (err < 0)
		return report_error(base->pVtab, err);
	cursor->is_at_end = err == 0;
	cursor->row_number++;
	return SQLITE_OK;
}

static int start_array(struct vtab_cursor *cursor)
{
	const struct vtab *table = cursor->table;

	cursor->position = 0;
	cursor->end = table->count(cursor->query);
	return table->range ? table->range(cursor) : 0;
}

static int vtab_filter(sqlite3_vtab_cursor *base, int plan_number, const char *plan, int argc,
		       sqlite3_value **argv)
{
	struct vtab_cursor *cursor = (struct vtab_cursor *)base;
	struct vtab_scan *scan = &cursor->scan;
	char *at = (char *)plan;
	int err;

	scan->term_count = 0;
	scan->counts_only = plan_number == 1;
	for (int i = 0; i < argc; i++) {
		struct vtab_term term = {.use = (enum vtab_use)strtoul(at, &at, 10)};

		term.column = (unsigned int)strtoul(at, &at, 10);
		if (sqlite3_value_type(argv[i]) == SQLITE_NULL &&
		    cursor->table->columns[term.column].type != VTAB_PARAMETER) {
			/* nothing equals NULL, or is more or less */
			cursor->is_at_end = true;
			return SQLITE_OK;
		}
		if (term_value(argv[i], term.use, &term.value))
			scan->terms[scan->term_count++] = term;
		else if (cursor->table->columns[term.column].type == VTAB_PARAMETER)
			return report_error(base->pVtab,
					    fail(-EINVAL, "%s wants a whole number",
						 cursor->table->columns[term.column].name));
	}
	cursor->row_number = 0;
	cursor->row = NULL;
	err = cursor->table->start ? cursor->table->start(cursor, scan) : start_array(cursor);
	return err < 0 ? report_error(base->pVtab, err) : vtab_next(base);
}

static int vtab_eof(sqlite3_vtab_cursor *base)
{
	return ((struct vtab_cursor *)base)->is_at_end;
}

static int vtab_column_value(sqlite3_vtab_cursor *base, sqlite3_context *out, int i)
{
	struct vtab_cursor *cursor = (struct vtab_cursor *)base;
	const struct vtab_column *column = &cursor->table->columns[i];
	int64_t value;

	if (column->type == VTAB_PARAMETER) {
		if (vtab_scan_equal(&cursor->scan, (unsigned int)i, &value))
			sqlite3_result_int64(out, value);
	} else if (column->type == VTAB_FIELD) {
		vtab_result_field(out, cursor->row, column->field, column->index);
	} else if (column->type == VTAB_GET) {
		cursor->column = column;
		column->get(cursor, out);
	} else {
		result_member(out, cursor->row, column);
	}
	return SQLITE_OK;
}

static int vtab_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = ((struct vtab_cursor *)base)->row_number;
	return SQLITE_OK;
}

/* No xCreate: the tables exist by themselves and cannot be made again. */
static const sqlite3_module vtab_module = {
	.xConnect = vtab_connect,
	.xBestIndex = vtab_best_index,
	.xDisconnect = vtab_disconnect,
	.xOpen = vtab_open,
	.xClose = vtab_close,
	.xFilter = vtab_filter,
	.xNext = vtab_next,
	.xEof = vtab_eof,
	.xColumn = vtab_column_value,
	.xRowid = vtab_rowid,
};

int vtab_register(sqlite3 *db, struct query *query, const struct vtab *table)
{
	struct vtab_binding *binding = xmalloc(sizeof(*binding));

	*binding = (struct vtab_binding){.query = query, .table = table};
	if (sqlite3_create_module_v2(db, table->name, &vtab_module, binding, free))
		return fail(-ENOMEM, "making the table %s: %s", table->name, sqlite3_errmsg(db));
	return 0;
}
