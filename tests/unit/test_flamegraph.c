/* SPDX-License-Identifier: BSD-2-Clause */
/* The flame graph's layout, colours and file. What goes into it is tested with the folded stacks.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "export/flamegraph_layout.h"
#include "export/flamegraph_palette.h"
#include "export/flamegraph_svg.h"
#include "export/thread_stacks.h"
#include "unit/unit.h"

/* A stack "sh;main;k:read": the first is a thread, k: and i: mark kernel and inlined frames. */
static void add_stack(struct calltree *tree, const char *stack, enum thread_time column,
		      uint64_t value)
{
	_cleanup_free_ char *text = xstrdup(stack);
	uint32_t node = CALLTREE_ROOT;
	char *rest = NULL;

	for (char *name = strtok_r(text, ";", &rest); name; name = strtok_r(NULL, ";", &rest)) {
		struct calltree_frame frame = {.text = name, .kind = FRAME_USER};

		if (node == CALLTREE_ROOT)
			frame.kind = FRAME_THREAD;
		else if (name[0] == '[')
			frame.kind = FRAME_NOTE;
		else if (!strncmp(name, "k:", 2) || !strncmp(name, "i:", 2)) {
			frame.kind = name[0] == 'k' ? FRAME_KERNEL : FRAME_INLINED;
			frame.text += 2;
		}
		node = calltree_child(tree, node, &frame);
	}
	calltree_add(tree, node, column, value);
}

/* One line a frame: depth, name, class of its paint, left edge and width. */
static char *layout_text(const struct flame_layout *layout)
{
	struct buffer text = {0};

	for (size_t i = 0; i < layout->count; i++) {
		const struct flame_frame *frame = &layout->frames[i];

		buffer_printf(&text, "%*s%s %s %d+%d\n", (int)frame->depth, "", frame->text,
			      palette_class(frame->paint), (int)frame->start_ns,
			      (int)frame->total_ns);
	}
	return text.data;
}

static void expect_layout(struct calltree *tree, const char *expected)
{
	struct flame_layout layout;
	_cleanup_free_ char *text = NULL;

	calltree_finish(tree);
	flame_layout_init(&layout, tree);
	text = layout_text(&layout);
	flame_layout_release(&layout);
	calltree_release(tree);
	assert_string_equal(text, expected);
}

static void test_off_cpu(void **state)
{
	struct calltree tree;

	(void)state;
	calltree_init(&tree);
	add_stack(&tree, "sh;main;k:read", TIME_BLOCKED, 50);
	add_stack(&tree, "sh;main;k:read", TIME_RUN_QUEUE, 10);
	add_stack(&tree, "sh;main;i:parse", TIME_RUN_QUEUE, 30);
	add_stack(&tree, "sh;[short]", TIME_BLOCKED, 10);
	expect_layout(&tree, "all al 0+100\n"
			     " sh th 0+100\n"
			     "  main fu 0+90\n"
			     "   read fk 0+60\n"
			     "    [run queue] rq 0+10\n"
			     "   parse fi 60+30\n"
			     "    [run queue] rq 60+30\n"
			     "  [short] nt 90+10\n");
}

static void test_on_cpu(void **state)
{
	struct calltree tree;

	(void)state;
	calltree_init(&tree);
	add_stack(&tree, "sh;main", TIME_ON_CPU, 5);
	add_stack(&tree, "sh;main;k:read", TIME_ON_CPU, 15);
	add_stack(&tree, "sh;main;i:parse", TIME_ON_CPU, 20);
	expect_layout(&tree, "all al 0+40\n"
			     " sh th 0+40\n"
			     "  main nu 0+40\n"
			     "   parse ni 0+20\n"
			     "   read nk 20+15\n");
}

/* Each common ancestor has its time on a CPU on the left and its time off it on the right. */
static void test_both_sides(void **state)
{
	struct calltree tree;

	(void)state;
	calltree_init(&tree);
	add_stack(&tree, "sh;main;work", TIME_ON_CPU, 30);
	add_stack(&tree, "sh;main", TIME_ON_CPU, 10);
	add_stack(&tree, "sh;main;k:read", TIME_BLOCKED, 35);
	add_stack(&tree, "sh;main;k:fault", TIME_ON_CPU, 5);
	add_stack(&tree, "sh;main;k:fault", TIME_BLOCKED, 15);
	add_stack(&tree, "sh;main;work", TIME_RUN_QUEUE, 5);
	expect_layout(&tree, "all al 0+100\n"
			     " sh th 0+100\n"
			     "  main mx 0+100\n"
			     "   [on cpu] nu 0+10\n"
			     "   work mx 10+35\n"
			     "    [on cpu] nu 10+30\n"
			     "    [run queue] rq 40+5\n"
			     "   fault mx 45+20\n"
			     "    [on cpu] nu 45+5\n"
			     "    [blocked] fu 50+15\n"
			     "   read fk 65+35\n");
}

/* One stray sample does not make a wait something else, but it is still shown. */
static void test_lesser_side(void **state)
{
	struct calltree tree;

	(void)state;
	calltree_init(&tree);
	add_stack(&tree, "sh;k:wait", TIME_BLOCKED, 95);
	add_stack(&tree, "sh;k:wait", TIME_ON_CPU, 5);
	expect_layout(&tree, "all al 0+100\n"
			     " sh th 0+100\n"
			     "  wait fk 0+100\n"
			     "   [on cpu] nu 0+5\n"
			     "   [blocked] fu 5+95\n");
	calltree_init(&tree);
	add_stack(&tree, "sh;k:wait", TIME_BLOCKED, 94);
	add_stack(&tree, "sh;k:wait", TIME_ON_CPU, 6);
	expect_layout(&tree, "all al 0+100\n"
			     " sh th 0+100\n"
			     "  wait mx 0+100\n"
			     "   [on cpu] nu 0+6\n"
			     "   [blocked] fu 6+94\n");
}

static void test_nothing(void **state)
{
	struct calltree tree;

	(void)state;
	calltree_init(&tree);
	expect_layout(&tree, "all al 0+0\n");
}

static void test_narrow_frames_are_counted(void **state)
{
	struct flame_layout layout;
	struct calltree tree;

	(void)state;
	calltree_init(&tree);
	add_stack(&tree, "sh;main", TIME_BLOCKED, 99000);
	add_stack(&tree, "sh;main;wide", TIME_BLOCKED, 980);
	add_stack(&tree, "sh;main;narrow;leaf", TIME_BLOCKED, 19); /* less than 0.02 % */
	add_stack(&tree, "sh;main;thin", TIME_BLOCKED, 1);
	calltree_finish(&tree);
	flame_layout_init(&layout, &tree);
	assert_int_equal(layout.least_ns, 20);
	assert_int_equal(layout.count, 4);
	assert_int_equal(layout.dropped, 3);
	assert_int_equal(layout.dropped_ns, 20);
	assert_int_equal(layout.frames[0].total_ns, 100000);
	flame_layout_release(&layout);
	calltree_release(&tree);
}

/* The same COUNT stacks for the same seed; told in one order or the other. */
static void add_many(struct calltree *tree, unsigned int count, bool is_reversed)
{
	for (unsigned int i = 0; i < count; i++) {
		unsigned int n = is_reversed ? count - 1 - i : i;
		uint64_t random = hash_mix(n);
		struct buffer stack = {0};

		buffer_printf(&stack, "thread %u", (unsigned int)(random % 5));
		for (unsigned int depth = 0; depth < 5 + random % 20; depth++)
			buffer_printf(&stack, ";function_with_a_long_name_%u_%u", depth,
				      (unsigned int)(hash_mix(random + depth / 3) % (2 + depth)));
		buffer_printf(&stack, ";k:do_syscall_64;k:leaf_%u", n % 97);
		add_stack(tree, stack.data, (enum thread_time)(random >> 20) % 3,
			  1000 + random % 1000000);
		buffer_release(&stack);
	}
	calltree_finish(tree);
}

static void test_children_lie_in_their_parents(void **state)
{
	struct flame_layout layout;
	struct calltree tree;

	(void)state;
	calltree_init(&tree);
	add_many(&tree, 5000, false);
	flame_layout_init(&layout, &tree);
	assert_true(layout.count > 1000);
	for (size_t i = 1; i < layout.count; i++) {
		const struct flame_frame *frame = &layout.frames[i];
		const struct flame_frame *parent = &layout.frames[frame->parent];

		assert_true(frame->parent < i);
		assert_int_equal(frame->depth, parent->depth + 1);
		assert_true(frame->filled_ns <= frame->total_ns);
		assert_true(frame->start_ns >= parent->start_ns);
		assert_true(frame->start_ns + frame->total_ns <=
			    parent->start_ns + parent->total_ns);
	}
	/* frames of one depth go from left to right and do not overlap */
	for (uint32_t depth = 0; depth < layout.depth_limit; depth++) {
		uint64_t end_ns = 0;

		for (size_t i = 0; i < layout.count; i++) {
			if (layout.frames[i].depth != depth)
				continue;
			assert_true(layout.frames[i].start_ns >= end_ns);
			end_ns = layout.frames[i].start_ns + layout.frames[i].total_ns;
		}
	}
	flame_layout_release(&layout);
	calltree_release(&tree);
}

/* ---- colours ---- */

static double part_luminance(uint32_t part)
{
	double value = part / 255.0;

	return value <= 0.03928 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
}

static double luminance(uint32_t color)
{
	return 0.2126 * part_luminance(color >> 16) + 0.7152 * part_luminance(color >> 8 & 255) +
	       0.0722 * part_luminance(color & 255);
}

/* As the WCAG defines it: 4.5 is what they ask for between text and its ground. */
static double contrast(uint32_t a, uint32_t b)
{
	double light = fmax(luminance(a), luminance(b));
	double dark = fmin(luminance(a), luminance(b));

	return (light + 0.05) / (dark + 0.05);
}

static void test_text_can_be_read(void **state)
{
	(void)state;
	for (unsigned int paint = 0; paint < PAINT_COUNT; paint++)
		for (unsigned int shade = 0; shade < PALETTE_SHADES; shade++)
			for (int is_dark = 0; is_dark < 2; is_dark++) {
				double ratio = contrast(palette_fill(paint, shade, is_dark),
							palette_ink(is_dark));

				if (ratio < 4.5) {
					print_error("%s%u, %s: contrast %.2f\n",
						    palette_class(paint), shade,
						    is_dark ? "dark" : "light", ratio);
					assert_true(ratio >= 4.5);
				}
			}
}

static void test_on_is_warm_and_off_is_cool(void **state)
{
	(void)state;
	for (unsigned int paint = PAINT_ON_USER; paint <= PAINT_RUN_QUEUE; paint++)
		for (unsigned int shade = 0; shade < PALETTE_SHADES; shade++)
			for (int is_dark = 0; is_dark < 2; is_dark++) {
				uint32_t color = palette_fill(paint, shade, is_dark);
				int warmth = (int)(color >> 16) - (int)(color & 255);

				if (paint <= PAINT_ON_INLINED)
					assert_true(warmth > 40);
				else
					assert_true(warmth < -15);
			}
}

static void test_colour_is_of_the_name(void **state)
{
	(void)state;
	assert_int_equal(palette_fill(PAINT_ROOT, 0, false), 0xd1d1d1);
	assert_int_equal(palette_shade("main"), palette_shade("main"));
	assert_true(palette_shade("ksys_read") < PALETTE_SHADES);
}

/* ---- the file ---- */

static char *svg_text(const struct calltree *tree, const struct flame_head *head)
{
	struct flame_layout layout;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	flame_layout_init(&layout, tree);
	flame_svg_write(out, &layout, head);
	flame_layout_release(&layout);
	fclose(out);
	assert_int_equal(strlen(text), size);
	return text;
}

static const char *const lines[] = {"one line", "and another"};
static const struct flame_head plain_head = {.title = "title", .lines = lines, .line_count = 2};

/* A small check of what XML asks for: characters, references, quotes, nesting. Stops the test where
 * it is hurt. CDATA is skipped. */
static void assert_well_formed(const char *xml)
{
	const char *names[64];
	size_t sizes[64];
	size_t open = 0;

	assert_ptr_equal(strstr(xml, "<?xml "), xml);
	for (const char *at = strstr(xml, "?>") + 2; *at;) {
		if (!strncmp(at, "<![CDATA[", 9)) {
			at = strstr(at, "]]>");
			assert_non_null(at);
			at += 3;
		} else if (!strncmp(at, "</", 2)) {
			assert_true(open > 0);
			open--;
			assert_memory_equal(at + 2, names[open], sizes[open]);
			assert_int_equal(at[2 + sizes[open]], '>');
			at += 3 + sizes[open];
		} else if (*at == '<') {
			assert_true(open < ARRAY_SIZE(names));
			names[open] = at + 1;
			sizes[open] = strcspn(at + 1, " />");
			assert_true(sizes[open] > 0);
			open++;
			for (at += 1 + sizes[open - 1]; *at != '>' && *at != '/'; at++) {
				if (*at != '"')
					continue;
				at += 1 + strcspn(at + 1, "\"<");
				assert_int_equal(*at, '"');
			}
			if (*at == '/') {
				open--;
				at++;
			}
			assert_int_equal(*at++, '>');
		} else if (*at == '&') {
			size_t size = strcspn(at, ";");

			assert_true(!strncmp(at, "&lt;", 4) || !strncmp(at, "&gt;", 4) ||
				    !strncmp(at, "&amp;", 5) || !strncmp(at, "&quot;", 6) ||
				    !strncmp(at, "&#39;", 5));
			at += size + 1;
		} else {
			assert_true((unsigned char)*at >= ' ' || *at == '\n');
			assert_true(*at != '>' || open > 0);
			at++;
		}
	}
	assert_int_equal(open, 0);
}

static void test_file_is_well_formed(void **state)
{
	struct calltree tree;
	_cleanup_free_ char *svg = NULL;

	(void)state;
	calltree_init(&tree);
	add_many(&tree, 300, false);
	svg = svg_text(&tree, &plain_head);
	assert_well_formed(svg);
	assert_non_null(strstr(svg, ">title</text>"));
	assert_non_null(strstr(svg, ">and another</text>"));
	assert_non_null(strstr(svg, ">all</text>"));
	assert_non_null(strstr(svg, "prefers-color-scheme: dark"));
	calltree_release(&tree);
}

static void test_nothing_is_loaded_from_elsewhere(void **state)
{
	static const char *const loaders[] = {"href",    "src=",   "url(",
					      "@import", "fetch(", "https:"};
	struct calltree tree;
	_cleanup_free_ char *svg = NULL;

	(void)state;
	calltree_init(&tree);
	add_many(&tree, 10, false);
	svg = svg_text(&tree, &plain_head);
	for (size_t i = 0; i < ARRAY_SIZE(loaders); i++)
		assert_null(strstr(svg, loaders[i]));
	/* only the names of the namespaces look like addresses */
	for (const char *at = svg; (at = strstr(at, "http:")); at++)
		assert_memory_equal(at, "http://www.w3.org/", 18);
	calltree_release(&tree);
}

static void test_hostile_names(void **state)
{
	static const char *const hostile[] = {
		"</text><script>alert(1)</script>",
		"]]>",
		"\" onload=\"alert(1)",
		"a&b;'c'",
		"\x01\x1b[31m\x7f",
		"\xff\xfe",
		"\xed\xa0\x80",
		"%s%n",
		"\\u0000\\",
	};
	const char *const hostile_lines[] = {hostile[0], hostile[5]};
	struct flame_head head = {.title = hostile[0], .lines = hostile_lines, .line_count = 2};
	struct calltree tree;
	_cleanup_free_ char *svg = NULL;
	_cleanup_free_ char *longest = xcalloc(1, 100001);
	size_t scripts = 0;

	(void)state;
	memset(longest, 'x', 100000);
	calltree_init(&tree);
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		uint32_t node = calltree_child(&tree, CALLTREE_ROOT,
					       &(struct calltree_frame){hostile[i], FRAME_USER,
									hostile[i], hostile[i], 1});

		calltree_add(&tree, node, TIME_BLOCKED, 100);
	}
	add_stack(&tree, longest, TIME_BLOCKED, 1000);
	calltree_finish(&tree);
	svg = svg_text(&tree, &head);
	assert_well_formed(svg);
	assert_null(strstr(svg, "alert(1)</script>"));
	for (const char *at = svg; (at = strstr(at, "<script")); at++)
		scripts++;
	assert_int_equal(scripts, 1);
	assert_true(strlen(svg) < 100000);
	assert_non_null(strstr(svg, "&lt;/text&gt;&lt;script&gt;alert(1)"));
	calltree_release(&tree);
}

static void test_same_stacks_same_bytes(void **state)
{
	char *svgs[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct calltree tree;

		calltree_init(&tree);
		add_many(&tree, 500, i);
		svgs[i] = svg_text(&tree, &plain_head);
		calltree_release(&tree);
	}
	assert_string_equal(svgs[0], svgs[1]);
	free(svgs[0]);
	free(svgs[1]);
}

/* Each stack is wide enough to be drawn, but together they would be 80,000 frames. */
static void test_many_stacks_are_one_megabyte(void **state)
{
	struct flame_layout layout;
	struct calltree tree;
	_cleanup_free_ char *svg = NULL;

	(void)state;
	calltree_init(&tree);
	for (unsigned int i = 0; i < 4000; i++) {
		struct buffer stack = {0};

		buffer_printf(&stack, "thread");
		for (unsigned int depth = 0; depth < 20; depth++)
			buffer_printf(&stack, ";a_function_with_a_rather_long_name_%u_%u", depth,
				      i);
		add_stack(&tree, stack.data, TIME_BLOCKED, 1000000 + i);
		buffer_release(&stack);
	}
	calltree_finish(&tree);
	flame_layout_init(&layout, &tree);
	assert_in_range(layout.count, 4000, 8000);
	assert_int_equal(layout.count + layout.dropped, tree.count);
	flame_layout_release(&layout);
	svg = svg_text(&tree, &plain_head);
	assert_true(strlen(svg) < 1000000);
	calltree_release(&tree);
}

/* A word that does not fit its frame is cut, and narrow frames have none. */
static void test_names_fit_their_frames(void **state)
{
	struct calltree tree;
	_cleanup_free_ char *svg = NULL;

	(void)state;
	calltree_init(&tree);
	add_stack(&tree, "wide_enough_for_its_name", TIME_BLOCKED, 890);
	add_stack(&tree, "not_wide_enough_for_its_name", TIME_BLOCKED, 100); /* 118 px */
	add_stack(&tree, "narrow", TIME_BLOCKED, 10);                        /* 12 px */
	calltree_finish(&tree);
	svg = svg_text(&tree, &plain_head);
	assert_non_null(strstr(svg, ">wide_enough_for_its_name</text>"));
	assert_non_null(strstr(svg, ">not_wide_enoug\u2026</text>"));
	assert_null(strstr(svg, "></text>"));
	assert_null(strstr(svg, ">\u2026</text>"));
	assert_non_null(strstr(svg, "\"narrow\"")); /* but the script knows it */
	calltree_release(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off_cpu),
		cmocka_unit_test(test_on_cpu),
		cmocka_unit_test(test_both_sides),
		cmocka_unit_test(test_lesser_side),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_narrow_frames_are_counted),
		cmocka_unit_test(test_children_lie_in_their_parents),
		cmocka_unit_test(test_text_can_be_read),
		cmocka_unit_test(test_on_is_warm_and_off_is_cool),
		cmocka_unit_test(test_colour_is_of_the_name),
		cmocka_unit_test(test_file_is_well_formed),
		cmocka_unit_test(test_nothing_is_loaded_from_elsewhere),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_same_stacks_same_bytes),
		cmocka_unit_test(test_many_stacks_are_one_megabyte),
		cmocka_unit_test(test_names_fit_their_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
