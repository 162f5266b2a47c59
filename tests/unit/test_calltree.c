/* SPDX-License-Identifier: BSD-2-Clause */
/* Merged call trees and the texts in them. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "export/calltree.h"
#include "export/clean_text.h"
#include "unit/unit.h"

/* Adds a stack given as "main;read". */
static uint32_t add_stack(struct calltree *tree, const char *stack, unsigned int column,
			  uint64_t value)
{
	_cleanup_free_ char *text = xstrdup(stack);
	uint32_t node = CALLTREE_ROOT;
	char *rest = NULL;

	for (char *name = strtok_r(text, ";", &rest); name; name = strtok_r(NULL, ";", &rest))
		node = calltree_child(tree, node, &(struct calltree_frame){.text = name});
	calltree_add(tree, node, column, value);
	return node;
}

/* One line a node: indentation, name, totals. */
static char *tree_text(const struct calltree *tree)
{
	struct buffer text = {0};

	for (uint32_t i = calltree_next(tree, CALLTREE_ROOT); i != CALLTREE_NONE;
	     i = calltree_next(tree, i)) {
		const struct calltree_node *node = &tree->nodes[i];

		buffer_printf(&text, "%*s%s %d %d %d\n", (int)node->depth - 1, "",
			      calltree_text(tree, node), (int)node->total[0], (int)node->total[1],
			      (int)node->total[2]);
	}
	return text.data ? text.data : xstrdup("");
}

static void test_stacks_merge(void **state)
{
	struct calltree tree;
	_cleanup_free_ char *text = NULL;

	(void)state;
	calltree_init(&tree);
	add_stack(&tree, "main;read;wait", 1, 5);
	add_stack(&tree, "main;compute", 0, 7);
	add_stack(&tree, "main;read;wait", 1, 10);
	add_stack(&tree, "main;read;wait", 2, 2);
	add_stack(&tree, "main;read", 0, 1);
	add_stack(&tree, "main;write", 1, 100);
	add_stack(&tree, "idle", 1, 3);
	calltree_finish(&tree);
	text = tree_text(&tree);
	assert_string_equal(text, "main 8 115 2\n"
				  " compute 7 0 0\n" /* column 0 only: first */
				  " read 1 15 2\n"   /* mixed */
				  "  wait 0 15 2\n"
				  " write 0 100 0\n" /* nothing in column 0: last */
				  "idle 0 3 0\n");
	assert_int_equal(tree.nodes[CALLTREE_ROOT].total[1], 118);
	calltree_release(&tree);
}

static void test_order_does_not_depend_on_input(void **state)
{
	static const char *const stacks[] = {"a;x", "a;y", "b;x", "c", "a;x;z", "b"};
	char *texts[2];

	(void)state;
	for (int round = 0; round < 2; round++) {
		struct calltree tree;

		calltree_init(&tree);
		for (size_t i = 0; i < ARRAY_SIZE(stacks); i++)
			add_stack(&tree, stacks[round ? ARRAY_SIZE(stacks) - 1 - i : i], 1, 4);
		calltree_finish(&tree);
		texts[round] = tree_text(&tree);
		calltree_release(&tree);
	}
	assert_string_equal(texts[0], "a 0 12 0\n x 0 8 0\n  z 0 4 0\n y 0 4 0\n"
				      "b 0 8 0\n x 0 4 0\nc 0 4 0\n");
	assert_string_equal(texts[0], texts[1]);
	free(texts[0]);
	free(texts[1]);
}

static void test_kinds_are_apart_and_places_merge(void **state)
{
	struct calltree tree;
	uint32_t user, kernel, again;

	(void)state;
	calltree_init(&tree);
	user = calltree_child(&tree, CALLTREE_ROOT,
			      &(struct calltree_frame){"read", 1, "libc", "read.c", 10});
	kernel = calltree_child(&tree, CALLTREE_ROOT, &(struct calltree_frame){"read", 2});
	again = calltree_child(&tree, CALLTREE_ROOT,
			       &(struct calltree_frame){"read", 1, "libc", "read.c", 11});
	assert_int_not_equal(user, kernel);
	assert_int_equal(user, again);
	assert_string_equal(tree.nodes[user].module, "libc");
	assert_string_equal(tree.nodes[user].file, "read.c");
	assert_int_equal(tree.nodes[user].line, 0); /* two lines: neither is said */
	calltree_child(&tree, CALLTREE_ROOT,
		       &(struct calltree_frame){"read", 1, "other", "read.c", 10});
	assert_null(tree.nodes[user].module);
	calltree_release(&tree);
}

static void test_memory_is_of_distinct_stacks(void **state)
{
	struct calltree tree;

	(void)state;
	calltree_init(&tree);
	for (int i = 0; i < 10000; i++)
		add_stack(&tree, i % 2 ? "main;a;b" : "main;a;c", 0, 1);
	assert_int_equal(tree.count, 5); /* root, main, a, b, c */
	assert_int_equal(tree.names.count, 5);
	calltree_release(&tree);
}

static void test_sums_cannot_overflow(void **state)
{
	struct calltree tree;

	(void)state;
	calltree_init(&tree);
	add_stack(&tree, "a;b", 0, UINT64_MAX);
	add_stack(&tree, "a;c", 1, UINT64_MAX);
	calltree_finish(&tree);
	assert_true(calltree_total(&tree.nodes[CALLTREE_ROOT]) == CALLTREE_LIMIT);
	calltree_release(&tree);
}

static void test_texts_are_cleaned(void **state)
{
	static const struct {
		const char *text;
		size_t columns;
		const char *xml;
		const char *json;
	} rows[] = {
		{"main", 10, "main", "\"main\""},
		{"a<b>::c(\"d\" & 'e')", 99, "a&lt;b&gt;::c(&quot;d&quot; &amp; &#39;e&#39;)",
		 "\"a&lt;b&gt;::c(\\\"d\\\" &amp; 'e')\""},
		{"a\nb\x7f\x1b[1m", 99, "a\ufffdb\ufffd\ufffd[1m", "\"a\ufffdb\ufffd\ufffd[1m\""},
		{"\\", 9, "\\", "\"\\\\\""},
		{"]]>", 9, "]]&gt;", "\"]]&gt;\""},
		{"caf\xc3\xa9", 9, "caf\u00e9", "\"caf\u00e9\""},
		/* not UTF-8: latin 1, an overlong slash, a surrogate, too large, cut off */
		{"caf\xe9!", 9, "caf\ufffd!", "\"caf\ufffd!\""},
		{"\xc0\xaf", 9, "\ufffd\ufffd", "\"\ufffd\ufffd\""},
		{"\xed\xa0\x80", 9, "\ufffd\ufffd\ufffd", "\"\ufffd\ufffd\ufffd\""},
		{"\xf7\xbf", 9, "\ufffd\ufffd", "\"\ufffd\ufffd\""},
		{"x\xe2\x82", 9, "x\ufffd\ufffd", "\"x\ufffd\ufffd\""},
		{"\xef\xbf\xbf", 9, "\ufffd", "\"\ufffd\""},          /* U+FFFF */
		{"ab\xe2\x80\xae|", 9, "ab\ufffd|", "\"ab\ufffd|\""}, /* right to left */
		{"abcdef", 6, "abcdef", "\"abcdef\""},
		{"abcdef", 4, "abc\u2026", "\"abc\u2026\""},
		{"\u6f22\u5b57\u6f22", 4, "\u6f22\u2026",
		 "\"\u6f22\u2026\""}, /* two columns each */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct buffer out = {0};

		clean_text_put_xml(&out, rows[i].text, rows[i].columns);
		assert_string_equal(out.data, rows[i].xml);
		buffer_clear(&out);
		clean_text_put_json_in_xml(&out, rows[i].text, rows[i].columns);
		assert_string_equal(out.data, rows[i].json);
		buffer_release(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stacks_merge),
		cmocka_unit_test(test_order_does_not_depend_on_input),
		cmocka_unit_test(test_kinds_are_apart_and_places_merge),
		cmocka_unit_test(test_memory_is_of_distinct_stacks),
		cmocka_unit_test(test_sums_cannot_overflow),
		cmocka_unit_test(test_texts_are_cleaned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
