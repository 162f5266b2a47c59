/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SQL functions:
 *	stack(id)             folded text, outermost first; NULL if there is no such stack
 *	stack(kernel, user)   the user stack with the kernel stack inside it; either may be NULL
 *	duration(ns)          1.23 ms, 1 ms
 *	bytes(n)              1.23 MB
 *	address(n)            0x7f12..
 *	state(n)              runnable, sleeping, ...
 *	syscall(n)            name of a system call
 *	is_chosen(name)       1 if the filter's --function and --no-function let a function through
 *	exit_text(status)     exit 0, killed by SIGKILL
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/units.h"
#include "query/internal.h"

static void stack_function(sqlite3_context *out, int argc, sqlite3_value **argv)
{
	struct query *query = sqlite3_user_data(out);
	struct buffer text = {0};

	/* Outermost first: of two, the second (user) is outside. */
	for (int i = argc - 1; i >= 0; i--) {
		const char *part = query_stack_text(query, (uint64_t)sqlite3_value_int64(argv[i]));

		if (part)
			buffer_printf(&text, "%s%s", text.size ? ";" : "", part);
	}
	if (text.data)
		vtab_result_copy(out, text.data);
	buffer_release(&text);
}

static void is_chosen_function(sqlite3_context *out, int argc, sqlite3_value **argv)
{
	const struct query *query = sqlite3_user_data(out);
	const char *text = (const char *)sqlite3_value_text(argv[0]);
	const struct call_name name = {.name = text};

	(void)argc;
	vtab_result_bool(out, text && call_name_is_taken(&query->filter, &name));
}

static bool is_number(sqlite3_value *value)
{
	int type = sqlite3_value_numeric_type(value);

	return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

static void duration_function(sqlite3_context *out, int argc, sqlite3_value **argv)
{
	char text[UNITS_TEXT_SIZE + 1] = "-";
	int64_t ns;

	(void)argc;
	if (!is_number(argv[0]))
		return;
	ns = sqlite3_value_int64(argv[0]);
	if (ns < 0)
		query_duration_text(text + 1, -(uint64_t)ns);
	else
		query_duration_text(text, (uint64_t)ns);
	vtab_result_copy(out, text);
}

static void bytes_function(sqlite3_context *out, int argc, sqlite3_value **argv)
{
	char text[UNITS_TEXT_SIZE];

	(void)argc;
	if (is_number(argv[0]) && sqlite3_value_int64(argv[0]) >= 0)
		vtab_result_copy(out, format_bytes(text, (uint64_t)sqlite3_value_int64(argv[0])));
}

static void address_function(sqlite3_context *out, int argc, sqlite3_value **argv)
{
	char text[24];

	(void)argc;
	if (!is_number(argv[0]))
		return;
	snprintf(text, sizeof(text), "0x%" PRIx64, (uint64_t)sqlite3_value_int64(argv[0]));
	vtab_result_copy(out, text);
}

static void state_function(sqlite3_context *out, int argc, sqlite3_value **argv)
{
	(void)argc;
	if (is_number(argv[0]))
		vtab_result_text(out, state_word((uint16_t)sqlite3_value_int64(argv[0])));
}

static void syscall_function(sqlite3_context *out, int argc, sqlite3_value **argv)
{
	(void)argc;
	if (is_number(argv[0]))
		vtab_result_text(out, model_syscall_name(sqlite3_value_int(argv[0])));
}

static void exit_function(sqlite3_context *out, int argc, sqlite3_value **argv)
{
	char text[64];

	(void)argc;
	if (is_number(argv[0]))
		vtab_result_copy(
			out, exit_text((uint32_t)sqlite3_value_int64(argv[0]), text, sizeof(text)));
}

static const struct {
	const char *name;
	int arguments;
	void (*run)(sqlite3_context *out, int argc, sqlite3_value **argv);
} functions[] = {
	{"stack", 1, stack_function},       {"stack", 2, stack_function},
	{"duration", 1, duration_function}, {"bytes", 1, bytes_function},
	{"address", 1, address_function},   {"state", 1, state_function},
	{"syscall", 1, syscall_function},   {"exit_text", 1, exit_function},
	{"is_chosen", 1, is_chosen_function},
};

int query_register_functions(struct query *query)
{
	const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		if (sqlite3_create_function(query->db, functions[i].name, functions[i].arguments,
					    flags, query, functions[i].run, NULL, NULL))
			return fail(-ENOMEM, "making the function %s: %s", functions[i].name,
				    sqlite3_errmsg(query->db));
	}
	return 0;
}
