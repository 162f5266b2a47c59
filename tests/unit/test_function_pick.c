/* SPDX-License-Identifier: BSD-2-Clause */
/* which functions of a listing -F and -N choose, and what is said when there are none */
#include "unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "capture/function_pick.h"

#define PATH "/usr/bin/db_bench"
#define LIBC "/lib/x86_64-linux-gnu/libc.so.6"

#define CHEAP(name_, symbol_)                                                                      \
	{                                                                                          \
		.name = name_, .symbol = symbol_, .aliases = "", .place = RESOLVER_PLACE_CHEAP,    \
		.entry_offset = 0x100, .probe_offset = 0x104                                       \
	}

static struct resolver_listed program_items[] = {
	CHEAP("main", "main"),
	CHEAP("leveldb::DB::Open", "_ZN7leveldb2DB4OpenEv"),
	CHEAP("leveldb::test::Random", "_ZN7leveldb4test6RandomEv"),
	CHEAP("leveldb::Random::Next", "_ZN7leveldb6Random4NextEv"),
	CHEAP("leveldb::Random::Next", "_ZN7leveldb6Random4NextEi"),
	CHEAP("std::swap", "_ZSt4swapv"),
	{.name = "slow",
	 .symbol = "slow",
	 .aliases = "quick\0",
	 .place = RESOLVER_PLACE_COSTLY,
	 .entry_offset = 0x200,
	 .probe_offset = 0x200},
	{.name = "never",
	 .symbol = "never",
	 .aliases = "",
	 .place = RESOLVER_PLACE_NONE,
	 .entry_offset = 0x300,
	 .probe_offset = 0x300},
	{.name = "uses",
	 .symbol = "uses",
	 .aliases = "",
	 .place = RESOLVER_PLACE_CHEAP,
	 .entry_offset = 0x400,
	 .probe_offset = 0x408,
	 .written = RESOLVER_ARGUMENT_RSI},
	{.name = "_start", .symbol = "_start", .aliases = "", .place = RESOLVER_PLACE_COSTLY},
};

static struct resolver_listed library_items[] = {
	CHEAP("malloc", "malloc"),
	CHEAP("setjmp", "setjmp"),
	CHEAP("_Unwind_Resume", "_Unwind_Resume"),
};

/* Picks from the program and from the C library with patterns such as "-F a* -N ab". Gives the
 * names with spaces between. */
static int pick(const char *wishes, bool cheap_only, struct function_choice *choice, char **ret)
{
	const struct resolver_listing program = {.path = (char *)PATH,
						 .soname = "",
						 .items = program_items,
						 .count = ARRAY_SIZE(program_items)};
	const struct resolver_listing library = {.path = (char *)LIBC,
						 .soname = "libc.so.6",
						 .items = library_items,
						 .count = ARRAY_SIZE(library_items)};
	const struct function_file files[] = {
		{.shown = PATH, .is_program = true, .listing = &program},
		{.shown = LIBC, .listing = &library},
	};
	struct function_wish list[16];
	struct function_request request = {.wishes = list, .cheap_only = cheap_only};
	_cleanup_free_ char *copy = xstrdup(wishes);
	char *rest = copy, *word;
	struct buffer names = {0};
	struct function_pick state;
	int err;

	while ((word = strsep(&rest, ";")))
		list[request.wish_count++] =
			(struct function_wish){.is_excluded = word[1] == 'N', .text = word + 3};
	*choice = (struct function_choice){0};
	err = function_pick_begin(&state, &request, choice);
	for (size_t i = 0; i < ARRAY_SIZE(files) && !err; i++)
		err = function_pick_take(&state, &files[i]);
	if (!err)
		err = function_pick_end(&state, false);
	function_pick_release(&state);
	buffer_printf(&names, "%s", "");
	for (size_t i = 0; i < choice->count; i++)
		buffer_printf(&names, "%s%s", i ? " " : "", choice->items[i].name);
	*ret = names.data;
	return err;
}

static void test_last_match_wins(void **state)
{
	static const struct {
		const char *wishes;
		const char *names;
	} cases[] = {
		{"-F main", "main"},
		{"-F leveldb::*", "leveldb::DB::Open leveldb::test::Random leveldb::Random::Next "
				  "leveldb::Random::Next"},
		{"-F leveldb::*;-N leveldb::test::*;-N leveldb::Random::*", "leveldb::DB::Open"},
		{"-N leveldb::*;-N uses", "main std::swap slow"},
		{"-N *;-F main", "main"},
		{"-F main;-N *;-F std::*", "std::swap"},
		{"-F /Random/",
		 "leveldb::test::Random leveldb::Random::Next leveldb::Random::Next"},
		{"-F _ZN7leveldb6Random4NextEi", "leveldb::Random::Next"},
		{"-F quick", "slow"},
		{"-F *@libc.so.6", "malloc@libc.so.6"},
		{"-F main;-F malloc@libc*", "main malloc@libc.so.6"},
		{"-F main;-F malloc@/lib/x86_64-linux-gnu/*", "main malloc@libc.so.6"},
		{"-F setjmp@libc.so.6", "setjmp@libc.so.6"},
		{"-F setjmp@libc.so.6;-F *@libc", "malloc@libc.so.6 setjmp@libc.so.6"},
		{"-F *;-N *::*", "main slow uses"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct function_choice choice;
		_cleanup_free_ char *names = NULL;

		if (pick(cases[i].wishes, false, &choice, &names))
			print_error("%s: %s\n", cases[i].wishes, fail_text());
		assert_string_equal(fail_text(), "");
		assert_string_equal(names, cases[i].names);
		function_choice_release(&choice);
	}
}

static void test_what_an_item_says(void **state)
{
	struct function_choice choice;
	_cleanup_free_ char *names = NULL;
	const struct function_item *items;

	(void)state;
	assert_int_equal(pick("-F main;-F slow;-F setjmp@libc.so.6", false, &choice, &names), 0);
	items = choice.items;
	assert_int_equal(choice.count, 3);
	assert_int_equal(choice.file_count, 2);
	assert_string_equal(items[0].where, PATH ":main");
	assert_string_equal(items[0].path, PATH);
	assert_ptr_equal(items[0].path, items[1].path);
	assert_int_equal(items[0].entry_offset, 0x100);
	assert_int_equal(items[0].probe_offset, 0x104);
	assert_int_equal(items[0].flags, EVENT_NAME_TRACED | EVENT_NAME_CHEAP);
	assert_int_equal(items[1].flags, EVENT_NAME_TRACED | EVENT_NAME_COSTLY);
	/* it would come back to the kernel's trampoline a second time */
	assert_int_equal(items[2].flags, EVENT_NAME_TRACED | EVENT_NAME_CHEAP | EVENT_NAME_LIBRARY |
						 EVENT_NAME_ENTRY_ONLY);
	function_choice_release(&choice);
}

/* An argument that is overwritten before the cheap place is read at the entry. */
static void test_values_move_the_probe(void **state)
{
	struct function_choice choice;
	char *names;

	(void)state;
	assert_int_equal(pick("-F uses(arg1:str)", false, &choice, &names), 0);
	assert_int_equal(choice.items[0].probe_offset, 0x408);
	assert_int_equal(choice.items[0].values->count, 1);
	free(names);
	function_choice_release(&choice);

	assert_int_equal(pick("-F uses(arg2:str);-F *", false, &choice, &names), 0);
	for (size_t i = 0; i < choice.count; i++) {
		const struct function_item *item = &choice.items[i];

		if (strcmp(item->name, "uses")) {
			assert_null(item->values);
			continue;
		}
		assert_int_equal(item->probe_offset, 0x400);
		assert_int_equal(item->flags, EVENT_NAME_TRACED | EVENT_NAME_COSTLY);
		assert_int_equal(item->values->items[0].position, 2);
	}
	free(names);
	function_choice_release(&choice);
}

static void test_summary(void **state)
{
	struct function_choice choice;
	_cleanup_free_ char *names = NULL, *more_names = NULL, *text = NULL, *more = NULL;

	(void)state;
	assert_int_equal(pick("-F *;-F *@libc", false, &choice, &names), 0);
	text = function_choice_summary(&choice);
	assert_string_equal(text,
			    "9 functions of 2 files (8 on a cheap place, 1 on a costly one); "
			    "left out: 1 that cannot be probed, 3 where probes could do harm");
	function_choice_release(&choice);
	assert_int_equal(pick("-F *;-N _start", true, &choice, &more_names), 0);
	more = function_choice_summary(&choice);
	assert_string_equal(more, "7 functions of 1 file (7 on a cheap place, 0 on a costly one); "
				  "left out: 1 that cannot be probed, 1 without a cheap place");
	function_choice_release(&choice);
}

static void test_nothing_matches(void **state)
{
	static const struct {
		const char *wishes;
		const char *sentence;
	} cases[] = {
		{"-F mian", "-F 'mian' matches no function: did you mean 'main'?"},
		{"-F ranDOM", "-F 'ranDOM' matches no function: did you mean "
			      "'leveldb::test::Random' or 'leveldb::Random::Next'?"},
		{"-F zzz*", "-F 'zzz*' matches no function"},
		{"-F *@libfoo.so",
		 "-F '*@libfoo.so' matches no function: no such library is mapped or needed"},
		{"-F never", "no function that matches can be probed: dashcam probes --functions "
			     "BINARY says why"},
		{"-F set*@libc",
		 "of all functions that match, probes could do harm: name one exactly "
		 "to have it"},
		{"-F main;-N main", "no function is left to be traced"},
		{"-F /(/", "-F '/(/': /(/ is no regular expression: Unmatched ( or \\("},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct function_choice choice;
		_cleanup_free_ char *names = NULL;

		fail_clear();
		assert_true(pick(cases[i].wishes, false, &choice, &names) < 0);
		assert_string_equal(fail_text(), cases[i].sentence);
		function_choice_release(&choice);
	}
	fail_clear();
}

static char last_warning[256];

static void keep_warning(const char *text)
{
	strncpy(last_warning, text, sizeof(last_warning) - 1);
}

static void test_a_pattern_in_vain_is_told(void **state)
{
	struct function_choice choice;
	_cleanup_free_ char *names = NULL;

	(void)state;
	warn_set_handler(keep_warning);
	assert_int_equal(pick("-F main;-N leveldb::test:*x", false, &choice, &names), 0);
	warn_set_handler(NULL);
	assert_string_equal(last_warning, "-N 'leveldb::test:*x' matches no function");
	function_choice_release(&choice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_last_match_wins),
		cmocka_unit_test(test_what_an_item_says),
		cmocka_unit_test(test_values_move_the_probe),
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_nothing_matches),
		cmocka_unit_test(test_a_pattern_in_vain_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
