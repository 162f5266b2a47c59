/* SPDX-License-Identifier: BSD-2-Clause */
/* From weighted stacks to the function to name. */
#include "unit/unit.h"

#include "analysis/hotspot.h"
#include "base/memory.h"
#include "support/synth.h"

/* The places of the hotspot of these stacks, as "burn 70 main 30": functions and their per cent. */
#define CHECK(stacks, want, ...)                                                                   \
	check(stacks, (const struct weighted[]){__VA_ARGS__},                                      \
	      sizeof((const struct weighted[]){__VA_ARGS__}) / sizeof(struct weighted), want)

struct weighted {
	const char *user; /* labels; NULL: none */
	const char *kernel;
	uint64_t weight;
};

static uint64_t id_of(const char *label)
{
	return label ? synth_id(label) : 0;
}

static void check(const char *stacks, const struct weighted *weighted, size_t count,
		  const char *want)
{
	struct model *model = synth_model(stacks);
	struct hotspot hotspot = {.count = 0}, merged = {.count = 0};
	struct buffer text = {.data = NULL};
	struct hotspot_result result;

	for (size_t i = 0; i < count; i++)
		hotspot_add(&hotspot, id_of(weighted[i].user), id_of(weighted[i].kernel),
			    weighted[i].weight);
	hotspot_merge(&merged, &hotspot, 1);
	hotspot_release(&hotspot);
	result = hotspot_result(&merged, model);
	for (size_t i = 0; i < result.count; i++)
		buffer_printf(&text, "%s%s %.0f", i ? " " : "", result.places[i].place->function,
			      100 * result.places[i].share);
	assert_string_equal(text.data ? text.data : "", want);
	buffer_release(&text);
	hotspot_release(&merged);
	synth_model_free(model);
}

/* The deepest function with most of the time below it, then those with time of their own. */
static void test_dominant(void **state)
{
	(void)state;
	CHECK("stack a user inner middle outer main\n"
	      "stack b user other middle outer main\n"
	      "stack c user rest main\n",
	      "middle 80 inner 50 other 30 rest 20", {"a", NULL, 50}, {"b", NULL, 30},
	      {"c", NULL, 20});
	CHECK("stack a user inner middle outer main\n"
	      "stack b user other middle outer main\n",
	      "inner 70 other 30", {"a", NULL, 70}, {"b", NULL, 30});
	/* the same stack twice is one */
	CHECK("stack a user inner main\n"
	      "stack b user other main\n",
	      "inner 75 other 25", {"a", NULL, 30}, {"b", NULL, 20}, {"a", NULL, 30});
}

/* Where threads begin is true of all and says nothing. */
static void test_roots(void **state)
{
	(void)state;
	CHECK("stack a user one main __libc_start_call_main\n"
	      "stack b user two main __libc_start_call_main\n",
	      "one 60 two 40", {"a", NULL, 60}, {"b", NULL, 40});
	/* unless it is all there is */
	CHECK("stack a user main __libc_start_call_main\n", "main 100", {"a", NULL, 1});
}

static void test_libraries(void **state)
{
	(void)state;
	CHECK("stack a user libc.so.6!memcpy copy work main\n"
	      "stack b user libc.so.6!malloc copy work main\n",
	      "copy 100", {"a", NULL, 50}, {"b", NULL, 50});
	/* a thread of the library alone: what it is in */
	CHECK("stack a user libc.so.6!nanosleep libc.so.6!loop\n", "nanosleep 100", {"a", NULL, 1});
	/* no user stack at all: the kernel's */
	CHECK("stack k kernel ext4_write vfs_write do_syscall_64\n", "ext4_write 100",
	      {NULL, "k", 10});
}

static void test_unnamed(void **state)
{
	(void)state;
	CHECK("stack a user app+0x12 named main\n", "named 100 app+0x12 100", {"a", NULL, 1});
	CHECK("stack a user app+0x12 main\n", "app+0x12 100", {"a", NULL, 1});
}

/* A function that calls itself has its time once. */
static void test_recursion(void **state)
{
	(void)state;
	CHECK("stack a user walk walk walk main\n"
	      "stack b user rest main\n",
	      "walk 75 rest 25", {"a", NULL, 75}, {"b", NULL, 25});
	/* and not more than another that is below it once */
	CHECK("stack a user leaf walk walk walk main\n"
	      "stack b user walk main\n",
	      "walk 100 leaf 60", {"a", NULL, 60}, {"b", NULL, 40});
}

static void test_inlined(void **state)
{
	(void)state;
	CHECK("stack a user small^big main\n", "small 100", {"a", NULL, 1});
}

static void test_nothing(void **state)
{
	(void)state;
	CHECK("stack a user x main\n", "", {NULL, NULL, 100});
	CHECK("stack a user x main\n", "", {"a", NULL, 0});
	CHECK("stack a user x main\n", "", {"undefined", "undefined", 7});
}

/* More stacks than are told apart: no crash, and those that are known grow on. */
static void test_many(void **state)
{
	struct model *model = synth_model("stack a user inner main\n");
	struct hotspot hotspot = {.count = 0};
	struct hotspot_result result;

	(void)state;
	hotspot_add(&hotspot, synth_id("a"), 0, 1);
	for (uint64_t i = 1; i <= 10000; i++)
		hotspot_add(&hotspot, i, 0, 1);
	hotspot_add(&hotspot, synth_id("a"), 0, 1000000);
	assert_true(hotspot.count < 10000);
	result = hotspot_result(&hotspot, model);
	assert_string_equal(result.places[0].place->function, "inner");
	hotspot_release(&hotspot);
	synth_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dominant),  cmocka_unit_test(test_roots),
		cmocka_unit_test(test_libraries), cmocka_unit_test(test_unnamed),
		cmocka_unit_test(test_recursion), cmocka_unit_test(test_inlined),
		cmocka_unit_test(test_nothing),   cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
