/* SPDX-License-Identifier: BSD-2-Clause */
/* -F and -N: what they say, what they match, and the sentences for what cannot be meant */
#include "unit/unit.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "capture/function_pattern.h"

static void test_name_and_place(void **state)
{
	static const struct {
		const char *text, *name, *place;
		bool is_exact, is_regex, names_file;
	} cases[] = {
		{"main", "main", NULL, true, false, false},
		{" leveldb::* ", "leveldb::*", NULL, false, false, false},
		{"*@libc.so.6", "*", "libc.so.6", false, false, true},
		{"malloc@libc*", "malloc", "libc*", true, false, false},
		{"sqlite3_*@/opt/db/lib db.so", "sqlite3_*", "/opt/db/lib db.so", false, false,
		 true},
		{"/^a(b|c)/", "^a(b|c)", NULL, false, true, false},
		{"/net\\/http/@/bin/x", "net/http", "/bin/x", false, true, true},
		{"main.(*T).Get", "main.(*T).Get", NULL, false, false, false},
		{"(anonymous namespace)::f", "(anonymous namespace)::f", NULL, true, false, false},
		{"operator()", "operator()", NULL, true, false, false},
		{"A::operator() ret:int", "A::operator()", NULL, true, false, false},
		{"parse()", "parse", NULL, true, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct function_pattern pattern;

		if (function_pattern_parse(cases[i].text, false, &pattern))
			print_error("'%s': %s\n", cases[i].text, fail_text());
		assert_string_equal(fail_text(), "");
		assert_string_equal(pattern.name, cases[i].name);
		assert_int_equal(pattern.is_exact, cases[i].is_exact);
		assert_int_equal(pattern.regex != NULL, cases[i].is_regex);
		assert_int_equal(function_pattern_names_file(&pattern), cases[i].names_file);
		if (cases[i].place)
			assert_string_equal(pattern.place, cases[i].place);
		else
			assert_null(pattern.place);
		function_pattern_release(&pattern);
	}
}

static void check_value(const struct function_value *value, const char *name,
			enum function_value_type type, uint32_t size_bytes, uint32_t position)
{
	assert_string_equal(value->name, name);
	assert_int_equal(value->type, type);
	assert_int_equal(value->size_bytes, size_bytes);
	assert_int_equal(value->position, position);
}

static void test_values(void **state)
{
	struct function_pattern pattern;
	const struct function_value *items = pattern.values.items;

	(void)state;
	assert_int_equal(
		function_pattern_parse("parse@libx.so( arg1:str,arg3 : u16 , arg2:bytes[8]) "
				       "ret:int",
				       false, &pattern),
		0);
	assert_string_equal(pattern.name, "parse");
	assert_string_equal(pattern.place, "libx.so");
	assert_int_equal(pattern.values.count, 4);
	assert_false(pattern.values.from_debug_information);
	/* the result is read first, from the end of the text */
	check_value(&items[0], "ret", FUNCTION_VALUE_SIGNED, 4, 0);
	check_value(&items[1], "arg1", FUNCTION_VALUE_TEXT, EVENT_VALUE_BYTES_MAX, 1);
	check_value(&items[2], "arg3", FUNCTION_VALUE_UNSIGNED, 2, 3);
	check_value(&items[3], "arg2", FUNCTION_VALUE_BYTES, 8, 2);
	function_pattern_release(&pattern);

	assert_int_equal(function_pattern_parse("/^p/(*)", false, &pattern), 0);
	assert_true(pattern.values.from_debug_information);
	assert_int_equal(pattern.values.count, 0);
	function_pattern_release(&pattern);

	/* by names of one's own, in front of the library */
	assert_int_equal(function_pattern_parse(
				 "open(path: str , flags:int,arg6:ptr, b:u8) ret:int @ libc.so.6",
				 false, &pattern),
			 0);
	assert_string_equal(pattern.name, "open");
	assert_string_equal(pattern.place, "libc.so.6");
	assert_int_equal(pattern.values.count, 5);
	check_value(&items[0], "ret", FUNCTION_VALUE_SIGNED, 4, 0);
	check_value(&items[1], "path", FUNCTION_VALUE_TEXT, EVENT_VALUE_BYTES_MAX, 1);
	check_value(&items[2], "flags", FUNCTION_VALUE_SIGNED, 4, 2);
	check_value(&items[3], "arg6", FUNCTION_VALUE_POINTER, 8, 6);
	check_value(&items[4], "b", FUNCTION_VALUE_UNSIGNED, 1, 4);
	function_pattern_release(&pattern);

	assert_int_equal(function_pattern_parse("/^op/ (a:int) @libc*", false, &pattern), 0);
	assert_string_equal(pattern.name, "^op");
	assert_string_equal(pattern.place, "libc*");
	assert_int_equal(pattern.values.count, 1);
	function_pattern_release(&pattern);

	assert_int_equal(function_pattern_parse("operator()(arg1:ptr)", false, &pattern), 0);
	assert_string_equal(pattern.name, "operator()");
	check_value(&items[0], "arg1", FUNCTION_VALUE_POINTER, 8, 1);
	function_pattern_release(&pattern);
}

static void test_sentences(void **state)
{
	static const struct {
		const char *text;
		const char *sentence;
	} cases[] = {
		{"", "a function has a name: write '*' for all of the program"},
		{" ", "a function has a name: write '*' for all of the program"},
		{"@libc.so.6", "a function has a name: write '*@libc.so.6' for all of them"},
		{"*@", "which library? Write *@libc.so.6, or a path behind the @"},
		{"/abc", "the regular expression lacks the '/' at its end"},
		{"//", "the regular expression is empty"},
		{"/a(/", "/a(/ is no regular expression: Unmatched ( or \\("},
		{"/a/b",
		 "'b' makes no sense behind the name: write @LIBRARY, (VALUES) or ret:TYPE"},
		{"f(int, char*)",
		 "functions are named without their parameters; values are written "
		 "as in NAME(arg1:str, arg2:int)"},
		{"f(std::string, a::b*)", "functions are named without their parameters; values "
					  "are written as in NAME(arg1:str, arg2:int)"},
		{"f(arg1:string)", "'string' is no type: str, bytes[N], i8 to i64, u8 to u64, int, "
				   "long or ptr"},
		{"f(arg1)",
		 "'arg1' is no value: write arg1:TYPE to arg12:TYPE, or NAME:TYPE for all in their order"},
		{"f(arg0:int)",
		 "'arg0:int' is no value: write arg1:TYPE to arg12:TYPE, or NAME:TYPE for all in their order"},
		{"f(arg13:int)",
		 "'arg13:int' is no value: write arg1:TYPE to arg12:TYPE, or NAME:TYPE for all in their order"},
		{"f(a b:int)",
		 "'a b:int' is no value: write arg1:TYPE to arg12:TYPE, or NAME:TYPE for all in their order"},
		{"f(arg1:bytes[0])", "bytes[N] wants a number from 1 to 128"},
		{"f(arg1:bytes[129])", "bytes[N] wants a number from 1 to 128"},
		{"f(arg1:bytes[8)", "bytes[N] wants a number from 1 to 128"},
		{"f ret:", "'' is no type: str, bytes[N], i8 to i64, u8 to u64, int, long or ptr"},
		{"f ret:f64",
		 "f64: the kernel lets no probe read floating-point registers; leave it "
		 "out, and number the other arguments without it"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct function_pattern pattern;

		fail_clear();
		assert_true(function_pattern_parse(cases[i].text, false, &pattern) < 0);
		assert_string_equal(fail_text(), cases[i].sentence);
		assert_null(pattern.name);
	}
	fail_clear();
}

static void test_excluded_ones_have_no_values(void **state)
{
	struct function_pattern pattern;

	(void)state;
	assert_int_equal(function_pattern_parse("f(arg1:int)", true, &pattern), -EINVAL);
	assert_string_equal(fail_text(),
			    "values of functions that are left out cannot be recorded");
	fail_clear();
	assert_int_equal(function_pattern_parse("f", true, &pattern), 0);
	assert_true(pattern.is_excluded);
	function_pattern_release(&pattern);
}

static bool matches(const char *text, const char *name)
{
	struct function_pattern pattern;
	bool result;

	assert_int_equal(function_pattern_parse(text, false, &pattern), 0);
	result = function_pattern_matches(&pattern, name);
	function_pattern_release(&pattern);
	return result;
}

static bool is_at(const char *text, const char *path, const char *soname)
{
	struct function_pattern pattern;
	bool result;

	assert_int_equal(function_pattern_parse(text, false, &pattern), 0);
	result = function_pattern_is_at(&pattern, path, soname);
	function_pattern_release(&pattern);
	return result;
}

static void test_matching(void **state)
{
	static const char libc[] = "/lib/x86_64-linux-gnu/libc.so.6";

	(void)state;
	assert_true(matches("leveldb::*", "leveldb::DB::Open"));
	assert_false(matches("leveldb", "leveldb::DB::Open"));
	assert_true(matches("/DB/", "leveldb::DB::Open"));
	assert_false(matches("/^DB/", "leveldb::DB::Open"));

	assert_false(is_at("main", libc, "libc.so.6"));
	assert_true(is_at("*@libc.so.6", libc, "libc.so.6"));
	assert_true(is_at("*@libc", libc, "libc.so.6"));
	assert_true(is_at("*@libc.so", libc, ""));
	assert_false(is_at("*@lib", libc, "libc.so.6"));
	assert_true(is_at("*@libc*", libc, ""));
	assert_true(is_at("*@libdb.so.1", "/opt/libdb-1.2.so", "libdb.so.1"));
	assert_true(is_at("*@/lib/x86_64-linux-gnu/libc.so.6", libc, "libc.so.6"));
	assert_true(is_at("*@/lib/*", libc, "libc.so.6"));
	assert_false(is_at("*@/opt/*", libc, "libc.so.6"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name_and_place),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_excluded_ones_have_no_values),
		cmocka_unit_test(test_matching),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
