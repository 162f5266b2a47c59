/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading logs, against a writer that does in this process what the kernel side does.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"
#include "capture/logs.h"

#define KEY       0x5ca1ab1e
#define LOG_BYTES 65536

/* A log as the kernel side has it. */
struct fake {
	struct log_head *head;
	enum event_log log;
};

static void fake_open(struct fake *fake, enum event_log log)
{
	fake->log = log;
	fake->head = xcalloc(1, LOG_HEAD_BYTES + LOG_BYTES + LOG_SLACK_BYTES);
}

static struct event_header *reserve(struct fake *fake, uint32_t bytes, uint32_t *ret_mark)
{
	uint32_t unit = fake->log == EVENT_LOG_EVIDENCE ? LOG_EVIDENCE_UNIT : LOG_SLOT_UNIT;
	uint64_t units = (bytes + unit - 1) / unit, add = units, at;

	if (fake->log == EVENT_LOG_EVIDENCE)
		add |= 1ULL << LOG_COUNT_SHIFT;
	at = __atomic_fetch_add(&fake->head->position, add, __ATOMIC_SEQ_CST);
	if (fake->log == EVENT_LOG_EVIDENCE)
		at &= LOG_UNITS_MASK;
	*ret_mark = log_mark(at, KEY);
	return (struct event_header *)((char *)fake->head + LOG_HEAD_BYTES +
				       ((at * unit) & (LOG_BYTES - 1)));
}

static void commit(struct event_header *header, uint32_t mark)
{
	__atomic_store_n(&header->mark, mark, __ATOMIC_RELEASE);
}

/* A switch to thread N at time N. */
static void write_switch(struct fake *fake, uint32_t n)
{
	uint32_t mark;
	struct event_switch *event = (struct event_switch *)reserve(fake, sizeof(*event), &mark);

	__atomic_store_n(&event->header.mark, ~mark, __ATOMIC_SEQ_CST);
	event->header.kind = EVENT_SWITCH;
	event->header.size = sizeof(*event);
	event->header.time_ns = n;
	event->next_tid = n;
	commit(&event->header, mark);
}

/* A stack of N % 100 frames, all of them N, at time N. */
static void write_stack(struct fake *fake, uint32_t n)
{
	uint32_t mark, count = n % 100, size = sizeof(struct event_raw_kernel_stack) + count * 8;
	struct event_raw_kernel_stack *event =
		(struct event_raw_kernel_stack *)reserve(fake, size, &mark);

	__atomic_store_n(&event->header.mark, ~mark, __ATOMIC_SEQ_CST);
	event->header.kind = EVENT_RAW_KERNEL_STACK;
	event->header.size = (uint16_t)size;
	event->header.time_ns = n;
	event->id = n;
	event->frame_count = count;
	for (uint32_t i = 0; i < count; i++)
		event->addresses[i] = n;
	commit(&event->header, mark);
}

static void every_event_is_read_once(void **state)
{
	struct fake fake;
	struct log_reader reader;
	struct log_round round;
	struct buffer out = {0};
	uint32_t written = 0, read = 0;

	(void)state;
	fake_open(&fake, EVENT_LOG_SWITCH);
	log_reader_init(&reader, fake.head, EVENT_LOG_SWITCH, KEY, LOG_BYTES);
	for (int turn = 0; turn < 100; turn++) {
		for (int i = 0; i < 777; i++)
			write_switch(&fake, ++written);
		buffer_clear(&out);
		log_read(&reader, &out, &round);
		assert_int_equal(round.lost, 0);
		for (size_t i = 0; i < round.events; i++)
			assert_int_equal(((struct event_switch *)out.data)[i].next_tid, ++read);
	}
	assert_int_equal(read, written);
	buffer_release(&out);
	free(fake.head);
}

static void what_a_lap_destroys_is_counted(void **state)
{
	struct fake fake;
	struct log_reader reader;
	struct log_round round;
	struct buffer out = {0};
	uint32_t first;

	(void)state;
	fake_open(&fake, EVENT_LOG_SWITCH);
	log_reader_init(&reader, fake.head, EVENT_LOG_SWITCH, KEY, LOG_BYTES);
	write_switch(&fake, 1);
	log_read(&reader, &out, &round);
	for (uint32_t n = 2; n <= 10001; n++)
		write_switch(&fake, n);
	buffer_clear(&out);
	log_read(&reader, &out, &round);
	assert_int_equal(round.events + round.lost, 10000);
	assert_true(round.events <= LOG_BYTES / LOG_SLOT_UNIT);
	first = ((struct event_switch *)out.data)->next_tid;
	assert_int_equal(first, 2 + round.lost);
	/* the gap lies between the last event before and the first one behind it */
	assert_int_equal(round.lost_from_ns, 1);
	assert_int_equal(round.lost_to_ns, first);
	buffer_release(&out);
	free(fake.head);
}

static void an_unfinished_record_is_waited_for(void **state)
{
	struct fake fake;
	struct log_reader reader;
	struct log_round round;
	struct buffer out = {0};
	struct event_header *open;
	uint32_t mark;

	(void)state;
	fake_open(&fake, EVENT_LOG_SWITCH);
	log_reader_init(&reader, fake.head, EVENT_LOG_SWITCH, KEY, LOG_BYTES);
	write_switch(&fake, 1);
	open = reserve(&fake, sizeof(struct event_switch), &mark);
	write_switch(&fake, 3);
	log_read(&reader, &out, &round);
	assert_int_equal(round.events, 1);
	assert_int_equal(round.lost, 0);
	open->kind = EVENT_SWITCH;
	open->size = sizeof(struct event_switch);
	commit(open, mark);
	log_read(&reader, &out, &round);
	assert_int_equal(round.events, 2);
	buffer_release(&out);
	free(fake.head);
}

static void write_slot(struct fake *fake, uint16_t kind)
{
	uint32_t mark;
	struct event_header *header = reserve(fake, LOG_SLOT_UNIT, &mark);

	header->kind = kind;
	header->size = LOG_SLOT_UNIT;
	commit(header, mark);
}

/* Programs that write calls can be put off their CPU: one is waited for until the others need the
 * room. */
static void an_unfinished_call_is_waited_for_long(void **state)
{
	struct fake fake;
	struct log_reader reader;
	struct log_round round;
	struct buffer out = {0};
	uint32_t mark;

	(void)state;
	fake_open(&fake, EVENT_LOG_CALL);
	log_reader_init(&reader, fake.head, EVENT_LOG_CALL, KEY, LOG_BYTES);
	reserve(&fake, LOG_SLOT_UNIT, &mark);
	for (int i = 0; i < 100; i++) {
		write_slot(&fake, EVENT_CALL);
		log_read(&reader, &out, &round);
		assert_int_equal(round.events + round.lost, 0);
	}
	while (log_written(&reader) < LOG_BYTES / LOG_SLOT_UNIT / 4 + 2)
		write_slot(&fake, EVENT_CALL);
	log_read(&reader, &out, &round);
	assert_int_equal(round.lost, 1);
	assert_int_equal(round.events, LOG_BYTES / LOG_SLOT_UNIT / 4 + 1);
	buffer_release(&out);
	free(fake.head);
}

static void a_log_holds_its_own_kinds_only(void **state)
{
	struct fake fake;
	struct log_reader reader;
	struct log_round round;
	struct buffer out = {0};

	(void)state;
	fake_open(&fake, EVENT_LOG_CALL);
	log_reader_init(&reader, fake.head, EVENT_LOG_CALL, KEY, LOG_BYTES);
	write_slot(&fake, EVENT_CALL);
	write_slot(&fake, EVENT_SWITCH);
	write_slot(&fake, EVENT_CALL);
	log_read(&reader, &out, &round);
	assert_int_equal(round.events, 2);
	assert_int_equal(round.lost, 1);
	buffer_release(&out);
	free(fake.head);
}

/* Bytes that look like a record, left by a copied stack, do not pass for one: the key is secret. */
static void forged_marks_are_not_believed(void **state)
{
	struct fake fake;
	struct log_reader reader;
	struct log_round round;
	struct buffer out = {0};
	struct event_header *forged;

	(void)state;
	fake_open(&fake, EVENT_LOG_EVIDENCE);
	log_reader_init(&reader, fake.head, EVENT_LOG_EVIDENCE, KEY, LOG_BYTES);
	write_stack(&fake, 5);
	forged = (struct event_header *)((char *)fake.head + LOG_HEAD_BYTES + 128);
	*forged = (struct event_header){.mark = 2, .kind = EVENT_WAIT, .size = 184};
	fake.head->position += (1ULL << LOG_COUNT_SHIFT) | 3;
	log_read(&reader, &out, &round);
	assert_int_equal(round.events, 1);
	buffer_release(&out);
	free(fake.head);
}

static void check_stacks(const struct buffer *out, uint32_t *last, uint64_t *read)
{
	for (size_t at = 0; at < out->size;) {
		const struct event_raw_kernel_stack *event = (const void *)(out->data + at);

		assert_int_equal(event->frame_count, event->id % 100);
		assert_true(event->id > *last);
		for (uint32_t i = 0; i < event->frame_count; i++)
			assert_int_equal(event->addresses[i], event->id);
		*last = (uint32_t)event->id;
		(*read)++;
		at += event->header.size;
	}
}

static void evidence_is_counted_exactly_through_laps(void **state)
{
	struct fake fake;
	struct log_reader reader;
	struct log_round round;
	struct buffer out = {0};
	uint32_t written = 0, last = 0;
	uint64_t read = 0, lost = 0;
	unsigned int seed = 7;

	(void)state;
	fake_open(&fake, EVENT_LOG_EVIDENCE);
	log_reader_init(&reader, fake.head, EVENT_LOG_EVIDENCE, KEY, LOG_BYTES);
	for (int turn = 0; turn < 300; turn++) {
		for (int i = rand_r(&seed) % 400; i > 0; i--)
			write_stack(&fake, ++written);
		buffer_clear(&out);
		log_read(&reader, &out, &round);
		check_stacks(&out, &last, &read);
		lost += round.lost;
		assert_int_equal(read + lost, written);
	}
	assert_true(lost > 0 && read > 0);
	buffer_release(&out);
	free(fake.head);
}

struct race {
	struct fake fake;
	uint32_t to_write;
	bool has_ended;
};

static void *race_writer(void *argument)
{
	struct race *race = argument;

	for (uint32_t n = 1; n <= race->to_write; n++)
		write_stack(&race->fake, n);
	__atomic_store_n(&race->has_ended, true, __ATOMIC_SEQ_CST);
	return NULL;
}

static bool last_is_written(const struct race *race)
{
	return __atomic_load_n(&race->has_ended, __ATOMIC_SEQ_CST);
}

/* A writer that never waits: what is read is right, and the rest is counted. */
static void a_fast_writer_cannot_cheat(void **state)
{
	struct race race = {.to_write = 300000};
	struct log_reader reader;
	struct log_round round;
	struct buffer out = {0};
	pthread_t thread;
	uint32_t last = 0;
	uint64_t read = 0, lost = 0;

	(void)state;
	fake_open(&race.fake, EVENT_LOG_EVIDENCE);
	log_reader_init(&reader, race.fake.head, EVENT_LOG_EVIDENCE, KEY, LOG_BYTES);
	assert_int_equal(pthread_create(&thread, NULL, race_writer, &race), 0);
	while (read + lost < race.to_write) {
		buffer_clear(&out);
		log_read(&reader, &out, &round);
		check_stacks(&out, &last, &read);
		lost += round.lost;
	}
	pthread_join(thread, NULL);
	assert_int_equal(read + lost, race.to_write);
	assert_int_equal(last, race.to_write);
	buffer_release(&out);
	free(race.fake.head);
}

/* However often a writer overtakes the reader in the middle of a round: once it has stopped, the
 * next two rounds know of everything. */
static void overtaken_in_a_round_it_finds_back_at_once(void **state)
{
	(void)state;
	for (int turn = 0; turn < 300; turn++) {
		struct race race = {.to_write = 3000};
		struct log_reader reader;
		struct log_round round;
		struct buffer out = {0};
		pthread_t thread;
		uint32_t last = 0;
		uint64_t read = 0, lost = 0;

		fake_open(&race.fake, EVENT_LOG_EVIDENCE);
		log_reader_init(&reader, race.fake.head, EVENT_LOG_EVIDENCE, KEY, LOG_BYTES);
		assert_int_equal(pthread_create(&thread, NULL, race_writer, &race), 0);
		for (int rounds = 0, after = 0; after < 2; rounds++) {
			after += rounds > 0 && last_is_written(&race);
			buffer_clear(&out);
			log_read(&reader, &out, &round);
			check_stacks(&out, &last, &read);
			lost += round.lost;
		}
		pthread_join(thread, NULL);
		assert_int_equal(read + lost, race.to_write);
		buffer_release(&out);
		free(race.fake.head);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_is_read_once),
		cmocka_unit_test(what_a_lap_destroys_is_counted),
		cmocka_unit_test(an_unfinished_record_is_waited_for),
		cmocka_unit_test(an_unfinished_call_is_waited_for_long),
		cmocka_unit_test(a_log_holds_its_own_kinds_only),
		cmocka_unit_test(forged_marks_are_not_believed),
		cmocka_unit_test(evidence_is_counted_exactly_through_laps),
		cmocka_unit_test(a_fast_writer_cannot_cheat),
		cmocka_unit_test(overtaken_in_a_round_it_finds_back_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
