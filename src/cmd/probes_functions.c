/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/probes_functions.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/table.h"
#include "capture/function_pattern.h"
#include "symbol/resolver.h"

static bool matches(const struct resolver_listed *function, const struct function_pattern *pattern)
{
	if (function_pattern_matches(pattern, function->name) ||
	    function_pattern_matches(pattern, function->symbol))
		return true;
	for (const char *alias = function->aliases; *alias; alias += strlen(alias) + 1) {
		if (function_pattern_matches(pattern, alias))
			return true;
	}
	return false;
}

/* Keeps what matches. */
static void select_functions(struct resolver_listing *listing,
			     const struct function_pattern *pattern)
{
	size_t kept = 0;

	for (size_t i = 0; i < listing->count; i++) {
		if (matches(&listing->items[i], pattern))
			listing->items[kept++] = listing->items[i];
	}
	listing->count = kept;
}

static const char *place_text(const struct resolver_listed *function)
{
	static const char *const texts[] = {
		[RESOLVER_PLACE_NONE] = "none",
		[RESOLVER_PLACE_CHEAP] = "cheap",
		[RESOLVER_PLACE_COSTLY] = "costly",
	};

	return texts[function->place];
}

static void add_source(struct table *table, const struct resolver_listed *function)
{
	_cleanup_free_ char *text = NULL;

	if (!function->file[0]) {
		table_add_empty(table);
		return;
	}
	text = xasprintf("%s:%u", function->file, function->line);
	table_add_text(table, text);
}

static void print_rows(const struct resolver_listing *listing, bool json)
{
	static const struct table_column columns[] = {
		{"address", COLUMN_HEX},  {"size_bytes", COLUMN_COUNT}, {"probe", COLUMN_TEXT},
		{"behind", COLUMN_COUNT}, {"why", COLUMN_TEXT},         {"source", COLUMN_TEXT},
		{"name", COLUMN_TEXT},    {"symbol", COLUMN_TEXT},
	};
	/* As text without the symbol: it says less than the name. */
	struct table *table = table_new(stdout, json ? TABLE_JSON : TABLE_TEXT, columns,
					ARRAY_SIZE(columns) - !json);

	for (size_t i = 0; i < listing->count; i++) {
		const struct resolver_listed *function = &listing->items[i];

		table_add_number(table, (int64_t)function->address);
		table_add_number(table, (int64_t)function->size_bytes);
		table_add_text(table, place_text(function));
		if (function->place == RESOLVER_PLACE_NONE)
			table_add_empty(table);
		else
			table_add_number(
				table, (int64_t)(function->probe_offset - function->entry_offset));
		table_add_text(table, resolver_why_text(function->why));
		add_source(table, function);
		table_add_text(table, function->name);
		if (json)
			table_add_text(table, function->symbol);
	}
	table_finish(table);
}

static double percent(size_t count, size_t of)
{
	return of > 0 ? 100.0 * (double)count / (double)of : 0.0;
}

static void print_summary(const struct resolver_listing *listing)
{
	size_t counts[RESOLVER_PLACE_COSTLY + 1] = {0};
	size_t probed;

	for (size_t i = 0; i < listing->count; i++)
		counts[listing->items[i].place]++;
	probed = counts[RESOLVER_PLACE_CHEAP] + counts[RESOLVER_PLACE_COSTLY];
	printf("\n%zu functions can be probed: %zu cheap (%.1f %%), %zu costly (%.1f %%); "
	       "%zu cannot\n",
	       probed, counts[RESOLVER_PLACE_CHEAP], percent(counts[RESOLVER_PLACE_CHEAP], probed),
	       counts[RESOLVER_PLACE_COSTLY], percent(counts[RESOLVER_PLACE_COSTLY], probed),
	       counts[RESOLVER_PLACE_NONE]);
}

static int parse(const char *glob, struct function_pattern *ret)
{
	int err = function_pattern_parse(glob, false, ret);

	if (err)
		return fail(err, "'%s'", glob);
	if (!ret->place && ret->values.count == 0 && !ret->values.from_debug_information)
		return 0;
	function_pattern_release(ret);
	return fail(-EINVAL, "'%s': only the names of functions are chosen here", glob);
}

static int print(struct resolver *resolver, const char *binary,
		 const struct function_pattern *pattern, bool json)
{
	const struct resolver_query query = {.binary = binary};
	struct resolver_listing listing;
	int err = resolver_list_functions(resolver, &query, &listing);

	if (err)
		return err;
	select_functions(&listing, pattern);
	if (listing.count > 0) {
		resolver_add_source_lines(resolver, &listing, 0, listing.count);
		print_rows(&listing, json);
		if (!json)
			print_summary(&listing);
	} else {
		err = fail(-ENOENT, "%s has no function '%s'", binary, pattern->name);
	}
	resolver_listing_release(&listing);
	return err;
}

int probes_print_functions(const char *binary, const char *glob, bool json)
{
	const struct resolver_options options = {.source_lines = true};
	struct function_pattern pattern;
	struct resolver *resolver;
	int err = parse(glob ? glob : "*", &pattern);

	if (err)
		return err;
	err = resolver_new(&resolver, &options);
	if (!err) {
		err = print(resolver, binary, &pattern, json);
		resolver_free(resolver);
	}
	function_pattern_release(&pattern);
	return err;
}
