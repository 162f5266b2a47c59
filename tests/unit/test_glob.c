/* SPDX-License-Identifier: BSD-2-Clause */
/* globs on names */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/glob.h"
#include "base/memory.h"

static void test_what_matches(void **state)
{
	static const struct {
		const char *glob;
		const char *text;
		bool matches;
	} cases[] = {
		{"main", "main", true},
		{"main", "main2", false},
		{"main", "mai", false},
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"**", "abc", true},
		{"a*", "a", true},
		{"*b", "aab", true},
		{"*b", "aba", false},
		{"leveldb::*", "leveldb::DB::Open", true},
		{"leveldb::*", "std::vector<leveldb::Slice>::size", false},
		{"*::~*", "B::~B", true},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"?", "\xc3\xa9", true},
		{"??", "\xc3\xa9", false},
		{"[abc]x", "bx", true},
		{"[abc]x", "dx", false},
		{"[a-c]", "b", true},
		{"[a-c]", "-", false},
		{"[a-]", "-", true},
		{"[!a-c]", "d", true},
		{"[!a-c]", "a", false},
		{"[^a]", "b", true},
		{"operator[]", "operator[]", true},
		{"*::operator[]", "std::string::operator[]", true},
		{"operator[", "operator[", true},
		{"a\\*b", "a*b", true},
		{"a\\*b", "axb", false},
		{"a\\", "a\\", true},
		{"*ab*ab*c", "ababxababxc", true},
		{"*ab*ab*c", "abxc", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (glob_matches(cases[i].glob, cases[i].text) != cases[i].matches)
			print_error("'%s' and '%s'\n", cases[i].glob, cases[i].text);
		assert_true(glob_matches(cases[i].glob, cases[i].text) == cases[i].matches);
	}
}

/* A matcher that tries all ways takes for ever here. */
static void test_many_stars_are_no_trouble(void **state)
{
	char *text = xcalloc(1, 100001);

	(void)state;
	memset(text, 'a', 100000);
	assert_false(glob_matches("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
	free(text);
}

static void test_wildcards(void **state)
{
	(void)state;
	assert_true(glob_has_wildcard("a*"));
	assert_true(glob_has_wildcard("a?"));
	assert_true(glob_has_wildcard("[ab]"));
	assert_false(glob_has_wildcard("main"));
	assert_false(glob_has_wildcard("operator[]"));
	assert_false(glob_has_wildcard("operator\\*"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_matches),
		cmocka_unit_test(test_many_stars_are_no_trouble),
		cmocka_unit_test(test_wildcards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
