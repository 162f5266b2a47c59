/* SPDX-License-Identifier: BSD-2-Clause */
/* The columns codec: what goes in comes out, what does not suit is refused, what is malformed too.
 */
#include <string.h>

#include "base/error.h"
#include "event/event.h"
#include "recording/columns.h"
#include "support/recording_maker.h"
#include "unit.h"

static void assert_round_trip(const struct buffer *events)
{
	struct columns_cuts cuts = {0};
	struct buffer body = {0};
	char *back = xmalloc(events->size);

	assert_true(columns_encode(events->data, events->size, &body, &cuts));
	assert_true(body.size <= columns_body_max(events->size));
	assert_int_equal(cuts.offsets[cuts.count - 1], body.size);
	assert_true(columns_decode(body.data, body.size, back, events->size));
	assert_memory_equal(back, events->data, events->size);
	free(back);
	buffer_release(&body);
	columns_cuts_release(&cuts);
}

static void test_one_event(void **state)
{
	struct buffer events = {0};

	(void)state;
	maker_add_event(&events, EVENT_SWITCH, 123456789, 1);
	assert_round_trip(&events);
	buffer_release(&events);
}

static void test_pipe(void **state)
{
	struct buffer events = {0};

	(void)state;
	maker_add_pipe(&events, 3, 1000000000000, 2000, 7);
	assert_round_trip(&events);
	buffer_release(&events);
}

/* Three layouts of two sizes, random content, time going back and wrapping around. */
static void test_random(void **state)
{
	static const unsigned int kinds[] = {EVENT_SWITCH, EVENT_WAKING, EVENT_RESUME,
					     EVENT_SAMPLE};
	struct buffer events = {0};
	uint64_t seed = 5;

	(void)state;
	for (unsigned int i = 0; i < 3000; i++)
		maker_add_event(&events, kinds[maker_random(&seed) % 4], maker_random(&seed), i);
	assert_round_trip(&events);
	buffer_release(&events);
}

static void test_unsuitable(void **state)
{
	struct columns_cuts cuts = {0};
	struct buffer events = {0}, body = {0};

	(void)state;
	assert_false(columns_encode("", 0, &body, &cuts));
	/* meta events have a tail, so many sizes */
	for (unsigned int i = 0; i < 20; i++) {
		struct event_header *event = buffer_extend(&events, 24 + 8 * i);

		memset(event, 0, 24 + 8 * i);
		event->kind = EVENT_META;
		event->size = (uint16_t)(24 + 8 * i);
	}
	assert_false(columns_encode(events.data, events.size, &body, &cuts));
	buffer_release(&events);
	buffer_release(&body);
	columns_cuts_release(&cuts);
}

/* Every bit flipped, every length cut: never a read outside (the sanitizers see it), and a body
 * whose sizes do not add up is refused. */
static void test_malformed(void **state)
{
	struct columns_cuts cuts = {0};
	struct buffer events = {0}, body = {0};
	char *back;

	(void)state;
	maker_add_pipe(&events, 0, 1000, 20, 3);
	back = xmalloc(events.size);
	assert_true(columns_encode(events.data, events.size, &body, &cuts));
	for (size_t size = 0; size < body.size; size++) {
		char *exact = xmalloc(size ? size : 1); /* so that one byte too many is seen */

		memcpy(exact, body.data, size);
		assert_false(columns_decode(exact, size, back, events.size));
		free(exact);
	}
	assert_false(columns_decode(body.data, body.size, back, events.size - 32));
	for (size_t bit = 0; bit < body.size * 8; bit++) {
		body.data[bit / 8] ^= (char)(1 << bit % 8);
		columns_decode(body.data, body.size, back, events.size);
		body.data[bit / 8] ^= (char)(1 << bit % 8);
	}
	free(back);
	buffer_release(&events);
	buffer_release(&body);
	columns_cuts_release(&cuts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_event), cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_random),    cmocka_unit_test(test_unsuitable),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
