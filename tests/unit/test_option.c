/* SPDX-License-Identifier: BSD-2-Clause */
/* the option parser and its help text */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/option.h"

struct values {
	bool json;
	bool quiet;
	const char *output;
	struct option_list pids;
	struct option_series functions;
	uint64_t duration_ns;
	uint64_t size_bytes;
	uint64_t rate;
	unsigned int side;
};

static const char *const sides[] = {"on-cpu", "off-cpu", NULL};

static const struct option_row rows[] = {
	OPTION("json", 'j', OPTION_FLAG, struct values, json, NULL, "one JSON object a line"),
	OPTION("quiet", 'q', OPTION_FLAG, struct values, quiet, NULL, "say nothing"),
	OPTION("output", 'o', OPTION_TEXT, struct values, output, "FILE", "write to FILE"),
	OPTION("pid", 'p', OPTION_LIST, struct values, pids, "PID", "only PID"),
	OPTION("function", 'F', OPTION_SERIES, struct values, functions, "GLOB", "trace these"),
	OPTION("no-function", 'N', OPTION_SERIES, struct values, functions, "GLOB", "but these"),
	OPTION("duration", 'd', OPTION_TIME, struct values, duration_ns, "TIME", "stop after TIME"),
	OPTION("size", 0, OPTION_SIZE, struct values, size_bytes, "SIZE", "of the log"),
	OPTION("rate", 0, OPTION_NUMBER, struct values, rate, "HZ", "samples a second"),
	OPTION_OF("side", 's', struct values, side, sides, "SIDE", "which side"),
	OPTIONS_END,
};

/* Splits a command line at spaces and parses it; the operands come back joined by spaces. */
static int parse(const char *line, struct values *values, bool stop_at_operand, char operands[128])
{
	static char words[256];
	char *argv[32];
	int argc = 0, count = 0;
	int err;

	snprintf(words, sizeof(words), "%s", line);
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	*values = (struct values){0};
	fail_clear();
	err = options_parse(rows, values, argc, argv, stop_at_operand, &count);
	operands[0] = '\0';
	for (int i = 0; !err && i < count; i++) {
		strcat(operands, i ? " " : "");
		strcat(operands, argv[i]);
	}
	return err;
}

static void test_every_type_and_spelling(void **state)
{
	struct values values;
	char operands[128];

	(void)state;
	assert_int_equal(parse("-jq a --output=x -d10ms --size 64k b --rate 99 --side off-cpu",
			       &values, false, operands),
			 0);
	assert_true(values.json && values.quiet);
	assert_string_equal(values.output, "x");
	assert_int_equal(values.duration_ns, 10000000);
	assert_int_equal(values.size_bytes, 65536);
	assert_int_equal(values.rate, 99);
	assert_int_equal(values.side, 1);
	assert_string_equal(operands, "a b");

	assert_int_equal(parse("-p 1 --pid 2 -p3 --pid=4", &values, false, operands), 0);
	assert_int_equal(values.pids.count, 4);
	assert_string_equal(values.pids.items[0], "1");
	assert_string_equal(values.pids.items[3], "4");
	option_list_release(&values.pids);

	assert_int_equal(parse("-jo - -", &values, false, operands), 0);
	assert_string_equal(values.output, "-");
	assert_string_equal(operands, "-");
}

static void test_series_keeps_the_order_across_its_options(void **state)
{
	static const char *const expected[][2] = {{"function", "a*"},
						  {"no-function", "ab"},
						  {"no-function", "ac"},
						  {"function", "ad"}};
	struct values values;
	char operands[128];

	(void)state;
	assert_int_equal(
		parse("-F a* --no-function=ab -Nac --function ad", &values, false, operands), 0);
	assert_int_equal(values.functions.count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_string_equal(values.functions.items[i].option, expected[i][0]);
		assert_string_equal(values.functions.items[i].text, expected[i][1]);
	}
	options_release(rows, &values);
	assert_null(values.functions.items);
}

static void test_where_options_end(void **state)
{
	static const struct {
		const char *line;
		bool stop_at_operand;
		bool json;
		const char *operands;
	} cases[] = {
		{"a -j b", false, true, "a b"},      {"a -- -j b", false, false, "a -j b"},
		{"ls -j b", true, false, "ls -j b"}, {"-j -- ls -q", true, true, "ls -q"},
		{"-j -- -- x", false, true, "-- x"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct values values;
		char operands[128];

		assert_int_equal(parse(cases[i].line, &values, cases[i].stop_at_operand, operands),
				 0);
		assert_int_equal(values.json, cases[i].json);
		assert_string_equal(operands, cases[i].operands);
	}
}

static void test_wrong_usage_is_named(void **state)
{
	static const struct {
		const char *line;
		const char *sentence;
	} cases[] = {
		{"--jsn", "there is no option --jsn (try --help)"},
		{"--jso", "there is no option --jso (try --help)"},
		{"-jx", "there is no option -x (try --help)"},
		{"--json=1", "--json takes no value"},
		{"a -o", "--output wants FILE"},
		{"--duration", "--duration wants TIME"},
		{"-d5x", "--duration: a time is written such as 10ms or 2s, not '5x'"},
		{"--rate 1.5", "--rate: '1.5' is not a whole number"},
		{"--side up", "--side: 'up' is none of on-cpu, off-cpu"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct values values;
		char operands[128];

		assert_int_equal(parse(cases[i].line, &values, false, operands), -EINVAL);
		assert_string_equal(fail_text(), cases[i].sentence);
	}
	fail_clear();
}

static void test_help_comes_from_the_rows(void **state)
{
	static const struct option_row help_rows[] = {
		OPTION("json", 'j', OPTION_FLAG, struct values, json, NULL,
		       "one JSON object a line"),
		OPTION("a-long-name-of-it", 0, OPTION_TEXT, struct values, output, "FILE",
		       "a text that is too long for one line of a hundred columns and so is broken "
		       "between two words"),
		OPTIONS_END,
	};
	static const char expected[] =
		"  -j, --json              one JSON object a line\n"
		"      --a-long-name-of-it FILE\n"
		"                          a text that is too long for one line of a hundred "
		"columns and so is broken\n"
		"                          between two words\n";
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	options_print(out, help_rows);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type_and_spelling),
		cmocka_unit_test(test_series_keeps_the_order_across_its_options),
		cmocka_unit_test(test_where_options_end),
		cmocka_unit_test(test_wrong_usage_is_named),
		cmocka_unit_test(test_help_comes_from_the_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
