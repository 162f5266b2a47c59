/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "view/histogram.h"
#include "view/limits.h"
#include "view/list.h"
#include "view/listing.h"
#include "view/tree.h"
#include "view/words.h"
#include "view/wrap.h"

/* Branches of a tree below this share of the whole are told in one line. */
#define TREE_MIN_SHARE 0.005

#define DESCRIBE_WIDTH 80

/* What printing one part of a view needs. */
struct part {
	struct query *query;
	const struct view_section *section;
	const struct report_options *options;
	FILE *out;
	uint64_t limit;
	int64_t *totals; /* by column */
};

static bool is_text(const struct part *part)
{
	return part->options->format == TABLE_TEXT;
}

static int column_find(sqlite3_stmt *statement, const char *name)
{
	for (int i = 0; i < sqlite3_column_count(statement); i++) {
		if (!strcmp(sqlite3_column_name(statement, i), name))
			return i;
	}
	return -1;
}

static int no_such_column(sqlite3_stmt *statement, const char *name)
{
	struct buffer names = {0};
	int err;

	for (int i = 0; i < sqlite3_column_count(statement); i++)
		buffer_printf(&names, "%s%s", i ? ", " : "", sqlite3_column_name(statement, i));
	err = fail(-EINVAL, "there is no column '%s' to sort by: there are %s", name,
		   names.data ? names.data : "none");
	buffer_release(&names);
	return err;
}

/* ---- SQL ---- */

/* True if the column holds text in its first row, or if there is no row. */
static int column_is_text(struct query *query, sqlite3_stmt *statement, int column, bool *ret)
{
	int more = query_step(query, statement);

	if (more < 0)
		return more;
	*ret = more == 0 || sqlite3_column_type(statement, column) == SQLITE_TEXT;
	sqlite3_reset(statement);
	return 0;
}

/* The part's statement with another order around it. */
static int sort_statement(struct part *part, sqlite3_stmt **statement, uint64_t min_ns)
{
	const char *sort = part->options->sort;
	int column = column_find(*statement, sort);
	_cleanup_free_ char *sql = NULL;
	bool is_words;
	int err;

	if (column < 0)
		return no_such_column(*statement, sort);
	err = column_is_text(part->query, *statement, column, &is_words);
	if (err)
		return err;
	sql = xasprintf("SELECT * FROM (%s) ORDER BY %d %s", part->section->sql, column + 1,
			is_words ? "ASC" : "DESC");
	sqlite3_finalize(*statement);
	*statement = NULL;
	err = query_prepare(part->query, sql, statement, NULL);
	if (!err)
		sqlite3_bind_int64(*statement, sqlite3_bind_parameter_index(*statement, ":min"),
				   (int64_t)min_ns);
	return err;
}

static int prepare(struct part *part, const struct view *view, sqlite3_stmt **ret)
{
	uint64_t min_ns = part->options->has_min ? part->options->min_ns : view->min_ns;
	bool can_sort = part->section->shape == VIEW_TABLE || part->section->shape == VIEW_LIST;
	sqlite3_stmt *statement;
	int err = query_prepare(part->query, part->section->sql, &statement, NULL);

	if (err)
		return err;
	if (!statement)
		return fail(-EINVAL, "it has no SQL");
	if (min_ns > INT64_MAX)
		min_ns = INT64_MAX;
	sqlite3_bind_int64(statement, sqlite3_bind_parameter_index(statement, ":min"),
			   (int64_t)min_ns);
	if (part->options->sort && can_sort)
		err = sort_statement(part, &statement, min_ns);
	if (err)
		sqlite3_finalize(statement);
	else
		*ret = statement;
	return err;
}

/* ---- shapes ---- */

static void add_to_totals(void *context, sqlite3_stmt *statement)
{
	struct part *part = context;

	for (int i = 0; i < sqlite3_column_count(statement); i++)
		part->totals[i] += sqlite3_column_int64(statement, i);
}

static void print_totals(const struct part *part, sqlite3_stmt *statement, uint64_t rows)
{
	char text[UNITS_TEXT_SIZE];
	bool is_first = true;

	for (int i = 0; i < sqlite3_column_count(statement); i++) {
		const char *name = sqlite3_column_name(statement, i);
		size_t length = strlen(name);

		if (!words_have(part->section->total, name))
			continue;
		if (is_first)
			fprintf(part->out, "sum over %s row%s: ", format_count(text, rows),
				rows == 1 ? "" : "s");
		if (length > 3 && !strcmp(name + length - 3, "_ns"))
			length -= 3;
		format_ns(text, part->totals[i] < 0 ? 0 : (uint64_t)part->totals[i]);
		fprintf(part->out, "%s", is_first ? "" : ", ");
		for (size_t j = 0; j < length; j++)
			fputc(name[j] == '_' ? ' ' : name[j], part->out);
		fprintf(part->out, " %s", text);
		is_first = false;
	}
	if (!is_first)
		fputc('\n', part->out);
}

static void print_rest(const struct part *part, uint64_t rows)
{
	char shown[UNITS_TEXT_SIZE], all[UNITS_TEXT_SIZE];

	if (part->limit && rows > part->limit)
		fprintf(part->out, "%s of %s rows are shown (--limit)\n",
			format_count(shown, part->limit), format_count(all, rows));
	else if (!rows)
		fprintf(part->out, "none\n");
}

static int print_table(struct part *part, sqlite3_stmt *statement)
{
	struct query_print print = {
		.out = part->out,
		.format = part->options->format,
		.colour = part->options->colour,
		.width = part->options->width,
		.limit = part->limit,
		.on_row = add_to_totals,
		.context = part,
	};
	uint64_t rows = 0;
	int err;

	part->totals = xcalloc((size_t)sqlite3_column_count(statement) + 1, sizeof(*part->totals));
	err = query_print(part->query, statement, &print, &rows);
	if (!err && is_text(part)) {
		print_rest(part, rows);
		if (rows && part->section->total)
			print_totals(part, statement, rows);
	}
	free(part->totals);
	return err;
}

static int print_tree(struct part *part, sqlite3_stmt *statement)
{
	int stack = column_find(statement, "stack");
	int total = column_find(statement, "total_ns");
	struct tree_options tree_options = {
		.min_share = TREE_MIN_SHARE,
		.line_limit = part->limit,
		.width = part->options->width,
		.colour = part->options->colour,
	};
	struct tree *tree;
	int more;

	if (stack < 0 || total < 0)
		return fail(-EINVAL, "a tree needs the columns stack and total_ns");
	if (sqlite3_column_count(statement) > 2)
		tree_options.count_name = sqlite3_column_name(statement, 2);
	tree = tree_new();
	while ((more = query_step(part->query, statement)) > 0) {
		const char *text = (const char *)sqlite3_column_text(statement, stack);
		int64_t total_ns = sqlite3_column_int64(statement, total);

		if (text && total_ns > 0)
			tree_add(tree, text, (uint64_t)total_ns,
				 (uint64_t)sqlite3_column_int64(statement, 2));
	}
	if (!more)
		tree_print(tree, &tree_options, part->out);
	tree_free(tree);
	return more;
}

static int print_histogram(struct part *part, sqlite3_stmt *statement)
{
	struct histogram_bucket *buckets = NULL;
	size_t count = 0, capacity = 0;
	int more;

	if (sqlite3_column_count(statement) != 3)
		return fail(-EINVAL, "a histogram needs three columns");
	while ((more = query_step(part->query, statement)) > 0) {
		array_reserve((void **)&buckets, &capacity, count + 1, sizeof(*buckets));
		buckets[count++] = (struct histogram_bucket){
			.from_ns = (uint64_t)sqlite3_column_int64(statement, 0),
			.to_ns = (uint64_t)sqlite3_column_int64(statement, 1),
			.count = (uint64_t)sqlite3_column_int64(statement, 2),
		};
	}
	if (!more && !count)
		fprintf(part->out, "none\n");
	else if (!more)
		histogram_print(buckets, count, part->options->width, part->out);
	free(buckets);
	return more;
}

static int print_list(struct part *part, sqlite3_stmt *statement)
{
	struct list_options list = {
		.width = part->options->width,
		.limit = part->limit,
		.hide = part->section->hide,
		.time_origin_ns = model_start_ns(query_model(part->query)),
		.colour = part->options->colour,
	};
	uint64_t rows;
	int err = list_print(part->query, statement, &list, part->out, &rows);

	if (!err)
		print_rest(part, rows);
	return err;
}

static int print_listing(struct part *part, sqlite3_stmt *statement)
{
	const struct listing_options listing = {
		.width = part->options->width,
		.limit = part->limit,
		.colour = part->options->colour,
	};
	char shown[UNITS_TEXT_SIZE];
	uint64_t rows;
	int err = listing_print(part->query, statement, &listing, part->out, &rows);

	if (!err && part->limit && rows > part->limit)
		fprintf(part->out, "the first %s lines are shown (--limit)\n",
			format_count(shown, part->limit));
	else if (!err && !rows && part->limit)
		fprintf(part->out, "none\n");
	return err;
}

/* JSON and CSV are rows, whatever the shape. */
static int print_part(struct part *part, const struct view *view)
{
	sqlite3_stmt *statement = NULL;
	int err = prepare(part, view, &statement);

	if (err)
		return err;
	if (!is_text(part) || part->section->shape == VIEW_TABLE)
		err = print_table(part, statement);
	else if (part->section->shape == VIEW_TREE)
		err = print_tree(part, statement);
	else if (part->section->shape == VIEW_HISTOGRAM)
		err = print_histogram(part, statement);
	else if (part->section->shape == VIEW_LISTING)
		err = print_listing(part, statement);
	else
		err = print_list(part, statement);
	sqlite3_finalize(statement);
	return err;
}

static int run_part(struct query *query, const struct view *view, size_t i,
		    const struct report_options *options, FILE *out)
{
	const struct view_section *section = &view->sections[i];
	struct part part = {.query = query, .section = section, .options = options, .out = out};

	/* Machines want all rows unless told otherwise. */
	part.limit = options->has_limit              ? options->limit
		     : options->format == TABLE_TEXT ? section->limit
						     : 0;
	if (i > 0 && options->format != TABLE_JSON)
		fputc('\n', out);
	if (section->caption && is_text(&part))
		fprintf(out, "%s%s%s\n", options->colour ? "\033[1m" : "", section->caption,
			options->colour ? "\033[0m" : "");
	return print_part(&part, view);
}

int report_run(struct query *query, const struct view *view, const struct report_options *options,
	       FILE *out)
{
	if (options->has_min && !view->takes_min)
		return fail(-EINVAL, "the view %s has no use for --min", view->name);
	for (size_t i = 0; i < view->section_count; i++) {
		int err = run_part(query, view, i, options, out);

		if (err)
			return fail(err, "view %s", view->name);
	}
	if (options->format == TABLE_TEXT)
		limits_print(query, view, out);
	return 0;
}

void report_describe(const struct view *view, FILE *out)
{
	char min[UNITS_TEXT_SIZE];

	fprintf(out, "%s\n\n", view->title);
	wrap_print(view->help, 0, DESCRIBE_WIDTH, out);
	if (view->takes_min)
		fprintf(out, "\n--min is %s if it is not given.\n",
			query_duration_text(min, view->min_ns));
	for (size_t i = 0; i < view->section_count; i++)
		fprintf(out, "\n%s", view->sections[i].sql);
}
