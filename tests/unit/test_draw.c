/* SPDX-License-Identifier: BSD-2-Clause */
/* The draw: all while that is cheap, then a fair part. */
#include "unit/unit.h"

#include "analysis/draw.h"
#include "base/hash.h"

#define PIECES 400000

/* 1 to 1000 ns, and now and then a long one. */
static uint64_t length_ns(uint64_t i)
{
	return i % 10000 == 9999 ? 1000000 : 1 + hash_mix(i) % 1000;
}

static void test_all_at_first(void **state)
{
	struct draw draw = {.cost = 0};

	(void)state;
	for (uint64_t i = 0; i < PIECES; i++) {
		draw_pay(&draw, 1);
		assert_true(draw_weight(&draw, 0, length_ns(i)) == 1);
	}
	assert_false(draw_is_partial(&draw));
}

/* Of two pots with pieces of their own kind; each time COST is paid for those that are drawn. */
static void run(uint64_t cost, double ret_part[2], uint64_t *ret_drawn, bool *ret_long_missed)
{
	struct draw draw = {.cost = 0};
	double drawn_ns[2] = {0, 0}, all_ns[2] = {0, 0};

	*ret_drawn = 0;
	*ret_long_missed = false;
	for (uint64_t i = 0; i < PIECES; i++) {
		unsigned int pot = i % 50 == 0; /* one in 50 is of the rare kind */
		uint64_t ns = length_ns(i);
		double weight = draw_weight(&draw, pot, ns);

		all_ns[pot] += (double)ns;
		drawn_ns[pot] += weight * (double)ns;
		if (weight == 0) {
			*ret_long_missed |= ns == 1000000;
			continue;
		}
		draw_pay(&draw, cost);
		++*ret_drawn;
	}
	assert_true(draw_is_partial(&draw));
	ret_part[0] = drawn_ns[0] / all_ns[0];
	ret_part[1] = drawn_ns[1] / all_ns[1];
}

/* Sums stay what they are, and the dearer a piece is, the fewer are drawn. */
static void test_fair(void **state)
{
	uint64_t drawn, fewer;
	bool long_missed;
	double part[2];

	(void)state;
	run(500, part, &drawn, &long_missed);
	assert_true(part[0] > 0.98 && part[0] < 1.02);
	assert_true(part[1] > 0.9 && part[1] < 1.1);
	assert_false(long_missed);
	assert_true(drawn < PIECES / 2);
	run(5000, part, &fewer, &long_missed);
	assert_true(part[0] > 0.98 && part[0] < 1.02);
	assert_true(part[1] > 0.9 && part[1] < 1.1);
	assert_false(long_missed);
	assert_true(fewer < drawn / 2);
}

/* Two kinds that take turns, one pot: neither is preferred. */
static void test_rhythm(void **state)
{
	struct draw draw = {.cost = 0};
	double drawn_ns[2] = {0, 0};

	(void)state;
	for (uint64_t i = 0; i < PIECES; i++) {
		double weight = draw_weight(&draw, 0, 500);

		if (weight > 0)
			draw_pay(&draw, 2000);
		drawn_ns[i % 2] += weight * 500;
	}
	assert_true(draw_is_partial(&draw));
	assert_true(drawn_ns[0] > 0.95 * drawn_ns[1] && drawn_ns[0] < 1.05 * drawn_ns[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_at_first),
		cmocka_unit_test(test_fair),
		cmocka_unit_test(test_rhythm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
