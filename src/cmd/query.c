/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dashcam query: SQL over a recording.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cmd/command.h"
#include "cmd/input.h"

struct query_values {
	struct filter_values filter;
	bool json;
	bool csv;
	bool human;
};

static const struct option_row rows[] = {
	OPTION("json", 'j', OPTION_FLAG, struct query_values, json, NULL, "one JSON object a line"),
	OPTION("csv", 0, OPTION_FLAG, struct query_values, csv, NULL, "CSV with a line of names"),
	OPTION("human", 'H', OPTION_FLAG, struct query_values, human, NULL,
	       "show numbers with units, as their columns' names tell: 1.23 ms, 12,345"),
	FILTER_OPTIONS(struct query_values, filter),
	CALL_FILTER_OPTIONS(struct query_values, filter),
	OPTIONS_END,
};

static enum table_format format_of(const struct query_values *values)
{
	return values->json ? TABLE_JSON : values->csv ? TABLE_CSV : TABLE_TEXT;
}

/* ---- without SQL: the tables ---- */

static void print_table_rows(const struct query *query, size_t table, struct table *out)
{
	struct query_table_info info = query_table(query, table);

	for (unsigned int i = 0; i < info.column_count; i++) {
		const char *name, *help;
		bool is_hidden;

		query_table_column(query, table, i, &name, &help, &is_hidden);
		table_add_text(out, info.name);
		table_add_text(out, name);
		table_add_text(out, help);
	}
}

static void print_tables_as_rows(const struct query *query, enum table_format format)
{
	static const struct table_column columns[] = {
		{"table", COLUMN_TEXT}, {"column", COLUMN_TEXT}, {"help", COLUMN_TEXT}};
	struct table *out = table_new(stdout, format, columns, ARRAY_SIZE(columns));

	for (size_t i = 0; i < query_table_count(query); i++)
		print_table_rows(query, i, out);
	table_finish(out);
}

static void print_tables(const struct query *query)
{
	bool colour = terminal_has_colour();

	for (size_t i = 0; i < query_table_count(query); i++) {
		struct query_table_info info = query_table(query, i);

		printf("%s%s%s: %s\n", colour ? "\033[1m" : "", info.name, colour ? "\033[0m" : "",
		       info.says);
		for (unsigned int j = 0; j < info.column_count; j++) {
			const char *name, *help;
			bool is_hidden;

			query_table_column(query, i, j, &name, &help, &is_hidden);
			printf("    %-20s %s\n", name, help);
		}
	}
	printf("\nFunctions: stack(id) and stack(kernel, user): folded text, outermost first; duration(ns); "
	       "bytes(n);\naddress(n); state(n); syscall(n); exit_text(status). Times are ns on the "
	       "recording's clock.\n");
}

/* ---- with SQL ---- */

static int run_sql(struct query *query, const char *sql, const struct query_values *values)
{
	struct query_print print = {
		.out = stdout,
		.format = format_of(values),
		.plain = !values->human,
		.colour = terminal_has_colour(),
	};
	sqlite3_stmt *statement;
	const char *rest;
	int err = query_prepare(query, sql, &statement, &rest);

	if (err)
		return err;
	if (!statement)
		return fail(-EINVAL, "there is no SQL in '%s'", sql);
	if (rest[strspn(rest, " \t\r\n;")])
		err = fail(-EINVAL, "one statement at a time: what is '%s'?", rest);
	if (!err)
		err = query_print(query, statement, &print, NULL);
	sqlite3_finalize(statement);
	return err;
}

static int run(void *context, int operand_count, char **operands)
{
	struct query_values *values = context;
	struct input input;
	int err;

	if (values->json && values->csv)
		return fail(-EINVAL, "--json and --csv exclude each other");
	err = input_open(&input, operands[0], &values->filter);
	if (!err && operand_count > 1)
		err = run_sql(input.query, operands[1], values);
	else if (!err && format_of(values) != TABLE_TEXT)
		print_tables_as_rows(input.query, format_of(values));
	else if (!err)
		print_tables(input.query);
	input_close(&input);
	filter_values_release(&values->filter);
	return err;
}

const struct command command_query = {
	.name = "query",
	.summary = "ask a recording anything, in SQL",
	.operands = "FILE [SQL]",
	.description =
		"Runs one SELECT of SQLite over the recording and prints its rows. Without SQL it lists the\n"
		"tables and their columns. The filters limit what the tables show.\n"
		"Ctrl-C stops a query that takes too long.\n",
	.examples =
		"  dashcam query slow.dcam\n"
		"  dashcam query slow.dcam 'SELECT comm, sum(blocked_ns) FROM wait GROUP BY comm'\n"
		"  dashcam query -H slow.dcam \"SELECT * FROM thread WHERE comm LIKE 'redis%'\"\n"
		"  dashcam query slow.dcam 'SELECT stack(kernel_stack, user_stack), count(*) FROM sample\n"
		"                           GROUP BY 1 ORDER BY 2 DESC LIMIT 10'\n",
	.options = rows,
	.values_size = sizeof(struct query_values),
	.min_operands = 1,
	.max_operands = 2,
	.run = run,
};
