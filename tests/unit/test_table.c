/* SPDX-License-Identifier: BSD-2-Clause */
/* the table printer, and the text it has to make harmless */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <jansson.h>

#include "unit/unit.h"

#include "base/memory.h"
#include "base/table.h"
#include "base/utf8.h"

static const struct table_column columns[] = {
	{"tid", COLUMN_NUMBER},
	{"comm", COLUMN_TEXT},
	{"blocked_ns", COLUMN_DURATION_NS},
	{"object", COLUMN_TEXT},
};

struct printed {
	FILE *out;
	char *text;
	size_t size;
};

static struct table *begin(struct printed *printed, enum table_format format,
			   const struct table_column *of, unsigned int count)
{
	printed->text = NULL;
	printed->out = open_memstream(&printed->text, &printed->size);
	return table_new(printed->out, format, of, count);
}

/* Finishes the table, compares what it printed and frees it. */
static void expect(struct printed *printed, struct table *table, const char *expected)
{
	table_finish(table);
	fclose(printed->out);
	assert_string_equal(printed->text, expected);
	free(printed->text);
}

static void add_row(struct table *table, int64_t tid, const char *comm, int64_t ns,
		    const char *object)
{
	table_add_number(table, tid);
	table_add_text(table, comm);
	table_add_number(table, ns);
	table_add_text(table, object);
}

static void test_text_is_aligned(void **state)
{
	struct printed printed;
	struct table *table = begin(&printed, TABLE_TEXT, columns, ARRAY_SIZE(columns));

	(void)state;
	add_row(table, 7, "redis-server", 1234567, "/data/x");
	add_row(table, 12345, "\xe7\xba\xbf\xe7\xa8\x8b", 840, NULL);
	add_row(table, 8, "", 0, "y");
	assert_int_equal(table_rows(table), 3);
	expect(&printed, table,
	       "  tid  comm          blocked  object\n"
	       "    7  redis-server  1.23 ms  /data/x\n"
	       "12345  \xe7\xba\xbf\xe7\xa8\x8b           840 ns  -\n"
	       "    8  -                0 ns  y\n");
}

static void test_a_table_without_rows_has_its_heading(void **state)
{
	struct printed printed;

	(void)state;
	expect(&printed, begin(&printed, TABLE_TEXT, columns, 2), "tid  comm\n");
	expect(&printed, begin(&printed, TABLE_CSV, columns, 2), "tid,comm\n");
	expect(&printed, begin(&printed, TABLE_JSON, columns, 2), "");
}

static void test_a_hostile_name_cannot_drive_the_terminal(void **state)
{
	struct printed printed;
	struct table *table = begin(&printed, TABLE_TEXT, columns, 2);

	(void)state;
	table_add_number(table, 1);
	table_add_text(table, "\033[2J\r\n\x7f");
	table_add_number(table, 2);
	table_add_text(table, "\xc2\x9b\x80 \xe2\x80\xae \xf0\x9f\x98\x80");
	expect(&printed, table,
	       "tid  comm\n"
	       "  1  \\x1b[2J\\x0d\\x0a\\x7f\n"
	       "  2  \\xc2\\x9b\\x80 \\xe2\\x80\\xae \xf0\x9f\x98\x80\n");
}

/* Columns of numbers at the end that do not fit are left out, and named. */
static void test_columns_without_room(void **state)
{
	static const struct table_column columns[] = {
		{"comm", COLUMN_TEXT},
		{"tid", COLUMN_NUMBER},
		{"on_cpu_ns", COLUMN_DURATION_NS},
		{"longest_wait_ns", COLUMN_DURATION_NS},
		{"longest_runnable_ns", COLUMN_DURATION_NS},
	};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct table *table = table_new(out, TABLE_TEXT, columns, ARRAY_SIZE(columns));

	(void)state;
	table_set_width(table, 34);
	table_add_text(table, "a-name-of-16-let");
	for (int i = 0; i < 4; i++)
		table_add_number(table, 1000 * (i + 1));
	table_finish(table);
	fclose(out);
	assert_string_equal(text, "comm               tid   on cpu\n"
				  "a-name-of-16-let  1000  2.00 us\n"
				  "(no room for: longest wait, longest runnable)\n");
	free(text);
}

static void test_the_last_text_is_cut_at_the_width(void **state)
{
	struct printed printed;
	struct table *table = begin(&printed, TABLE_TEXT, columns, ARRAY_SIZE(columns));

	(void)state;
	table_set_width(table, 40);
	add_row(table, 1, "redis-server", 5, "/a/long/path/to/some/file");
	add_row(table, 2, "b", 5,
		"\xe7\xba\xbf\xe7\xba\xbf\xe7\xba\xbf\xe7\xba\xbf\xe7\xba\xbf"
		"\xe7\xba\xbf\xe7\xba\xbf\xe7\xba\xbf");
	expect(&printed, table,
	       "tid  comm          blocked  object\n"
	       "  1  redis-server     5 ns  /a/long/pat\u2026\n"
	       "  2  b                5 ns  \xe7\xba\xbf\xe7\xba\xbf\xe7\xba\xbf\xe7\xba\xbf"
	       "\xe7\xba\xbf\u2026\n");
}

static void test_headings_are_bold_on_a_colour_terminal(void **state)
{
	struct printed printed;
	struct table *table = begin(&printed, TABLE_TEXT, columns, 2);

	(void)state;
	table_set_colour(table, true);
	expect(&printed, table, "\033[1mtid  comm\033[0m\n");
}

static void test_every_kind_of_column(void **state)
{
	static const struct table_column kinds[] = {
		{"count", COLUMN_COUNT},   {"time_ns", COLUMN_TIME_NS}, {"size", COLUMN_BYTES},
		{"share", COLUMN_PERCENT}, {"address", COLUMN_HEX},     {"bar", COLUMN_BAR},
	};
	struct printed printed;
	struct table *table = begin(&printed, TABLE_TEXT, kinds, ARRAY_SIZE(kinds));

	(void)state;
	table_set_time_origin(table, 1000000000);
	table_add_number(table, -12345);
	table_add_number(table, 2234567890);
	table_add_number(table, 12345678);
	table_add_real(table, 0.1234);
	table_add_number(table, -1);
	table_add_real(table, 1.5 / 24);
	table_add_number(table, 0);
	table_add_number(table, 999000000);
	table_add_empty(table);
	table_add_real(table, NAN);
	table_add_number(table, 31);
	table_add_real(table, 0);
	expect(&printed, table,
	       "  count       time     size   share             address  bar\n"
	       "-12,345   1.234567  12.3 MB  12.3 %  0xffffffffffffffff  \u2588\u258c\n"
	       "      0  -0.001000        -       -                0x1f  \n");
}

static void test_json_has_plain_values(void **state)
{
	struct printed printed;
	struct table *table = begin(&printed, TABLE_JSON, columns, ARRAY_SIZE(columns));
	json_t *row;

	(void)state;
	add_row(table, 7, "a\"b\n\xff", 1234567, NULL);
	table_add_real(table, INFINITY);
	table_add_text(table, "");
	table_add_real(table, 0.1);
	expect(&printed, table,
	       "{\"tid\":7,\"comm\":\"a\\\"b\\n\xef\xbf\xbd\",\"blocked_ns\":1234567,\"object\":"
	       "null}\n"
	       "{\"tid\":null,\"comm\":\"\",\"blocked_ns\":0.1,\"object\":null}\n");

	table = begin(&printed, TABLE_JSON, columns, 2);
	table_add_number(table, INT64_MIN);
	table_add_text(table, "\xed\xa0\x80\xc0\x80\xf5");
	table_finish(table);
	fclose(printed.out);
	row = json_loads(printed.text, 0, NULL);
	assert_non_null(row);
	assert_int_equal(json_integer_value(json_object_get(row, "tid")), INT64_MIN);
	json_decref(row);
	free(printed.text);
}

static void test_csv_is_quoted_where_needed(void **state)
{
	struct printed printed;
	struct table *table = begin(&printed, TABLE_CSV, columns, ARRAY_SIZE(columns));

	(void)state;
	add_row(table, 7, "a,b", 1234567, "say \"x\"");
	add_row(table, 8, "", -1, NULL);
	expect(&printed, table,
	       "tid,comm,blocked_ns,object\n"
	       "7,\"a,b\",1234567,\"say \"\"x\"\"\"\n"
	       "8,\"\",-1,\n");
}

static void test_a_long_table_is_printed_in_blocks(void **state)
{
	enum {
		ROWS = 25000
	};
	struct printed printed;
	struct table *table = begin(&printed, TABLE_TEXT, columns, 1);
	size_t lines = 0;

	(void)state;
	for (int i = 0; i < ROWS; i++)
		table_add_number(table, i);
	fflush(printed.out);
	assert_in_range(printed.size, 20000 * 4, 24000 * 6);
	assert_int_equal(table_rows(table), ROWS);
	table_finish(table);
	fclose(printed.out);
	for (const char *at = printed.text; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, ROWS + 1);
	free(printed.text);
}

static void test_code_points_are_read_strictly(void **state)
{
	static const struct {
		const char *text;
		uint32_t code;
		unsigned int bytes;
		unsigned int columns;
	} cases[] = {
		{"a", 'a', 1, 1},
		{"\xc3\xa9", 0xe9, 2, 1},
		{"\xcc\x81", 0x301, 2, 0},
		{"\xe7\xba\xbf", 0x7ebf, 3, 2},
		{"\xf0\x9f\x98\x80", 0x1f600, 4, 2},
		{"\x80", UTF8_INVALID, 1, 1},
		{"\xc3", UTF8_INVALID, 1, 1},
		{"\xc0\x80", UTF8_INVALID, 1, 1},         /* longer than needed */
		{"\xed\xa0\x80", UTF8_INVALID, 1, 1},     /* half of a surrogate pair */
		{"\xf4\x90\x80\x80", UTF8_INVALID, 1, 1}, /* beyond Unicode */
		{"\xe0\x9f\xbf", UTF8_INVALID, 1, 1},     /* longer than needed */
		{"\xff", UTF8_INVALID, 1, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *at = cases[i].text;

		assert_int_equal(utf8_next(&at), cases[i].code);
		assert_int_equal(at - cases[i].text, cases[i].bytes);
		assert_int_equal(utf8_columns_of(cases[i].code), cases[i].columns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_aligned),
		cmocka_unit_test(test_a_table_without_rows_has_its_heading),
		cmocka_unit_test(test_a_hostile_name_cannot_drive_the_terminal),
		cmocka_unit_test(test_the_last_text_is_cut_at_the_width),
		cmocka_unit_test(test_columns_without_room),
		cmocka_unit_test(test_headings_are_bold_on_a_colour_terminal),
		cmocka_unit_test(test_every_kind_of_column),
		cmocka_unit_test(test_json_has_plain_values),
		cmocka_unit_test(test_csv_is_quoted_where_needed),
		cmocka_unit_test(test_a_long_table_is_printed_in_blocks),
		cmocka_unit_test(test_code_points_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
