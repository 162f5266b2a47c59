/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees of calls, histograms and long texts, as they are printed. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "view/histogram.h"
#include "view/tree.h"
#include "view/wrap.h"

static char *tree_text(const char *const *stacks, const uint64_t *weights, size_t count,
		       const struct tree_options *options)
{
	struct tree *tree = tree_new();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < count; i++)
		tree_add(tree, stacks[i], weights[i], 1);
	tree_print(tree, options, out);
	tree_free(tree);
	fclose(out);
	return text;
}

static void test_tree(void **state)
{
	static const char *const stacks[] = {"a;b;c", "a;b;d", "a;b", "e;f;g", "a;x", "a;y", ""};
	static const uint64_t weights[] = {500, 200, 100, 190, 4, 5, 1};
	struct tree_options options = {.min_share = 0.01, .count_name = "waits"};
	char *text = tree_text(stacks, weights, ARRAY_SIZE(stacks), &options);

	(void)state;
	assert_string_equal(text, "    total    share       waits\n"
				  "  1.00 us  100.0 %           7  all\n"
				  "   809 ns   80.9 %           5  ├─ a\n"
				  "   800 ns   80.0 %           3  │  ├─ b\n"
				  "   500 ns   50.0 %           1  │  │  ├─ c\n"
				  "   200 ns   20.0 %           1  │  │  └─ d\n"
				  "     9 ns    0.9 %           2  │  └─ (2 more below 1.0 %)\n"
				  "   190 ns   19.0 %           1  └─ e > f > g\n");
	free(text);
	options = (struct tree_options){.line_limit = 3, .width = 23};
	text = tree_text(stacks, weights, 4, &options);
	assert_string_equal(text, "    total    share\n"
				  "   990 ns  100.0 %  all\n"
				  "   800 ns   80.8 %  ├─…\n"
				  "                    │ …\n"
				  "... 5 more lines (--limit)\n");
	free(text);
}

/* Calls that lead to only one other share lines; what comes again and again is written once. */
static void test_chains(void **state)
{
	static const char *const stacks[] = {
		"start;main;run;run;run;run;leaf",
		"start;main;eval;call;eval;call;eval;call;eval;poll",
		"start;main;walk;walk;read",
	};
	static const uint64_t weights[] = {500, 300, 200};
	struct tree_options options = {0};
	char *text = tree_text(stacks, weights, ARRAY_SIZE(stacks), &options);

	(void)state;
	assert_string_equal(text, "    total    share\n"
				  "  1.00 us  100.0 %  all\n"
				  "  1.00 us  100.0 %  └─ start > main\n"
				  "   500 ns   50.0 %     ├─ run × 4 > leaf\n"
				  "   300 ns   30.0 %     ├─ (eval > call) × 3 > eval > poll\n"
				  "   200 ns   20.0 %     └─ walk > walk > read\n");
	free(text);
	options.width = 40;
	text = tree_text(stacks, weights, 2, &options);
	assert_string_equal(text, "    total    share\n"
				  "   800 ns  100.0 %  all\n"
				  "   800 ns  100.0 %  └─ start > main\n"
				  "   500 ns   62.5 %     ├─ run × 4 >\n"
				  "                       │  leaf\n"
				  "   300 ns   37.5 %     └─ (eval > call)…\n"
				  "                          eval > poll\n");
	free(text);
}

/* A stack of a hostile recording: printing must not run out of its own. */
static void test_deep_tree(void **state)
{
	struct buffer deep = {0};
	const char *stack;
	uint64_t weight = 10;
	struct tree_options options = {0};
	char *text;

	(void)state;
	for (int i = 0; i < 100000; i++)
		buffer_printf(&deep, "f%d;", i % 7);
	stack = deep.data;
	text = tree_text(&stack, &weight, 1, &options);
	assert_non_null(strstr(text, "f0"));
	free(text);
	buffer_release(&deep);
}

static void test_histogram(void **state)
{
	const struct histogram_bucket buckets[] = {
		{0, 1000, 0},
		{1000, 2000, 1},
		{2000, 4000, 1000},
		{4000, 8000, 500},
		{524288000, 1048576000, 0},
		{1048576000, 2097152000, 20},
	};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	histogram_print(buckets, ARRAY_SIZE(buckets), 52, out);
	fclose(out);
	assert_string_equal(text, "   1 us to 2 us              1  █\n"
				  "   2 us to 4 us          1,000  ████████████████████\n"
				  "   4 us to 8 us            500  ██████████\n"
				  " 524 ms to 1 s               0\n"
				  "    1 s to 2 s              20  █\n");
	free(text);
}

static void check_wrap(const char *text, unsigned int indent, unsigned int width, const char *want)
{
	char *got = NULL;
	size_t size;
	FILE *out = open_memstream(&got, &size);

	wrap_print(text, indent, width, out);
	fclose(out);
	assert_string_equal(got, want);
	free(got);
}

static void test_wrap(void **state)
{
	(void)state;
	check_wrap("one two three four five six", 2, 24, "one two three four\n  five six\n");
	check_wrap("one two three four five six", 2, 0, "one two three four five six\n");
	check_wrap("one two three four five six", 8, 20, "one two three four five six\n");
	check_wrap("a-word-that-is-longer-than-all-of-it", 0, 21,
		   "a-word-that-is-longer\n-than-all-of-it\n");
	check_wrap("", 4, 40, "\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),      cmocka_unit_test(test_chains),
		cmocka_unit_test(test_deep_tree), cmocka_unit_test(test_histogram),
		cmocka_unit_test(test_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
