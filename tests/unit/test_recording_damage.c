/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recordings that were cut, damaged or forged, and files that are none. A
 * reader gives either a sentence or events that were written, in order.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "event/schema.h"
#include "recording/format.h"
#include "support/recording_maker.h"
#include "support/recording_mend.h"
#include "unit.h"

#define FLIPS 2000

/* A small recording of all streams in many chunks. */
struct sample {
	char *path;
	struct buffer file;
	struct buffer events;    /* of the switch log of CPU 0, as written */
	size_t flushed[40];      /* bytes of events after each flush */
	uint64_t flushed_at[40]; /* bytes of the file then */
};

static void sample_make(struct sample *sample, const char *name, size_t events_of_flush)
{
	struct recording_writer *writer;
	uint64_t time_ns = 1000000;

	*sample = (struct sample){.path = maker_path(name)};
	assert_int_equal(recording_create(&writer, sample->path), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(sample->flushed); i++) {
		struct buffer more = {0}, table = {0}, evidence = {0};

		maker_add_pipe(&more, 0, time_ns, events_of_flush, i);
		time_ns += 4000 * events_of_flush + 100000;
		maker_add_event(&table, EVENT_STACK, time_ns, i);
		maker_add_event(&evidence, EVENT_WAIT, time_ns, i);
		recording_write(writer, STREAM_SWITCH, 0, more.data, more.size);
		if (i % 4 == 0) {
			recording_write(writer, STREAM_TABLE, 0, table.data, table.size);
			recording_write(writer, STREAM_EVIDENCE, 0, evidence.data, evidence.size);
		}
		assert_int_equal(recording_flush(writer), 0);
		buffer_add(&sample->events, more.data, more.size);
		sample->flushed[i] = sample->events.size;
		sample->flushed_at[i] = recording_written_bytes(writer);
		buffer_release(&more);
		buffer_release(&table);
		buffer_release(&evidence);
	}
	assert_int_equal(recording_finish(writer), 0);
	maker_read_file(sample->path, &sample->file);
}

static void sample_release(struct sample *sample)
{
	unlink(sample->path);
	free(sample->path);
	buffer_release(&sample->file);
	buffer_release(&sample->events);
}

/* Bytes of events that a file cut after SIZE bytes still holds. */
static size_t sample_left(const struct sample *sample, uint64_t size)
{
	size_t left = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(sample->flushed); i++) {
		if (sample->flushed_at[i] <= size)
			left = sample->flushed[i];
	}
	return left;
}

/* ---- torn ---- */

static void assert_torn(const struct sample *sample, uint64_t size)
{
	struct buffer got = {0};
	struct recording *recording;
	uint64_t damaged;

	assert_int_equal(recording_open(&recording, sample->path), 0);
	assert_true(recording_info(recording)->is_torn);
	assert_non_null(strstr(recording_info(recording)->damage, "was cut after"));
	assert_true(recording_info(recording)->good_bytes <= size);
	assert_int_equal(maker_read_all(recording, STREAM_BIT(STREAM_SWITCH), &got, &damaged), 0);
	assert_int_equal(damaged, 0);
	assert_int_equal(got.size, sample_left(sample, size));
	assert_memory_equal(got.data, sample->events.data, got.size);
	assert_int_equal(recording_info(recording)->event_count[EVENT_SWITCH] * 64, got.size);
	recording_close(recording);
	buffer_release(&got);
}

/* Cut at 200 random places, each time a little shorter: all whole chunks are there, nothing else.
 */
static void test_torn(void **state)
{
	uint64_t seed = 17, size;
	struct sample sample;

	(void)state;
	sample_make(&sample, "torn", 100);
	for (unsigned int i = 0; i < 200; i++) {
		size = sample.flushed_at[0] +
		       maker_random(&seed) % (sample.file.size - sample.flushed_at[0]);
		maker_write_file(sample.path, sample.file.data, size);
		assert_torn(&sample, size);
	}
	sample_release(&sample);
}

/* Cut within the header or right behind it. */
static void test_torn_header(void **state)
{
	struct recording *recording;
	struct sample sample;

	(void)state;
	sample_make(&sample, "torn-header", 1);
	for (size_t size = 8; size < sizeof(struct format_header); size++) {
		assert_int_equal(truncate(sample.path, 0), 0);
		maker_write_file(sample.path, sample.file.data, size);
		assert_int_equal(recording_open(&recording, sample.path), -EBADMSG);
		assert_non_null(strstr(fail_text(), "cut within its header"));
		fail_clear();
	}
	maker_write_file(sample.path, sample.file.data, sizeof(struct format_header));
	assert_int_equal(recording_open(&recording, sample.path), 0);
	assert_string_equal(recording_info(recording)->damage,
			    "the recording was cut after 64 B: 0 chunks are whole");
	recording_close(recording);
	sample_release(&sample);
}

/* ---- damaged in the middle ---- */

/* The bytes of the events without those of chunk WHICH. */
static void expect_without(const struct sample *sample, unsigned int which, struct buffer *ret)
{
	size_t from = which ? sample->flushed[which - 1] : 0;

	buffer_add(ret, sample->events.data, from);
	buffer_add(ret, sample->events.data + sample->flushed[which],
		   sample->events.size - sample->flushed[which]);
}

static void assert_damaged(const struct sample *sample, unsigned int which, bool has_index)
{
	struct buffer got = {0}, expected = {0};
	struct recording *recording;
	uint64_t damaged;

	assert_int_equal(recording_open(&recording, sample->path), 0);
	assert_int_equal(recording_info(recording)->is_torn, !has_index);
	if (!has_index) {
		assert_non_null(
			strstr(recording_info(recording)->damage, "1 damaged place was skipped"));
		assert_int_equal(recording_info(recording)->good_bytes,
				 sample->flushed_at[which - 1]);
	}
	assert_int_equal(maker_read_all(recording, STREAM_BIT(STREAM_SWITCH), &got, &damaged), 0);
	assert_int_equal(damaged, has_index ? 1 : 0);
	expect_without(sample, which, &expected);
	assert_int_equal(got.size, expected.size);
	assert_memory_equal(got.data, expected.data, got.size);
	recording_close(recording);
	buffer_release(&got);
	buffer_release(&expected);
}

/* A chunk of the middle whose payload, or whose header, has a wrong byte; with index and without.
 */
static void test_damaged_chunk(void **state)
{
	const unsigned int which = 21; /* a flush of the switch log only: one chunk */
	const uint64_t places[] = {0, 79, 80, 200};
	struct sample sample;

	(void)state;
	sample_make(&sample, "damaged", 100);
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		size_t at = sample.flushed_at[which - 1] + places[i];

		sample.file.data[at] ^= 0x40;
		maker_write_file(sample.path, sample.file.data, sample.file.size);
		assert_damaged(&sample, which, true);
		maker_write_file(sample.path, sample.file.data, sample.file.size - 1);
		assert_damaged(&sample, which, false);
		sample.file.data[at] ^= 0x40;
	}
	sample_release(&sample);
}

/* True if the events of GOT, in their order, are among those of ALL. */
static bool is_subsequence(const struct buffer *got, const struct buffer *all)
{
	size_t at = 0;

	for (size_t i = 0; i < got->size;) {
		const struct event_header *event = (const void *)(got->data + i);
		const struct event_header *other;

		do {
			if (at == all->size)
				return false;
			other = (const void *)(all->data + at);
			at += other->size;
		} while (other->size != event->size || memcmp(other, event, event->size) != 0);
		i += event->size;
	}
	return true;
}

/* Opens and reads; true if that worked, and then *GOT has what was read. */
static bool read_flipped(const char *path, struct buffer *got)
{
	struct recording *recording;
	uint64_t damaged;
	int err;

	buffer_clear(got);
	err = recording_open(&recording, path);
	if (!err) {
		/* this one checks the order of time */
		err = maker_read_all(recording,
				     STREAM_BIT(STREAM_SWITCH) | STREAM_BIT(STREAM_EVIDENCE), got,
				     &damaged);
		buffer_clear(got);
		if (!err)
			err = maker_read_all(recording, MAKER_ALL_STREAMS, got, &damaged);
		recording_close(recording);
	}
	if (err) {
		assert_string_not_equal(fail_text(), "");
		fail_clear();
	}
	return !err;
}

/* An accident: one bit. What is still read was written. */
static void test_flipped_bits(void **state)
{
	struct buffer all = {0}, got = {0};
	struct sample sample;
	uint64_t seed = 23;
	int fd;

	(void)state;
	sample_make(&sample, "flips", 2);
	assert_true(read_flipped(sample.path, &all));
	fd = open(sample.path, O_WRONLY | O_CLOEXEC);
	for (unsigned int i = 0; i < FLIPS; i++) {
		size_t at = maker_random(&seed) % sample.file.size;
		char flipped = (char)(sample.file.data[at] ^ 1 << maker_random(&seed) % 8);

		assert_int_equal(pwrite(fd, &flipped, 1, (off_t)at), 1);
		if (read_flipped(sample.path, &got))
			assert_true(is_subsequence(&got, &all));
		assert_int_equal(pwrite(fd, &sample.file.data[at], 1, (off_t)at), 1);
	}
	close(fd);
	sample_release(&sample);
	buffer_release(&all);
	buffer_release(&got);
}

/* An attacker: a few bytes, and all hashes made right again. What is read is sound and in order,
 * which maker_read_all checks. */
static void test_forged(void **state)
{
	struct buffer forged = {0}, got = {0};
	struct sample sample;
	uint64_t seed = 29;

	(void)state;
	sample_make(&sample, "forged", 5);
	for (unsigned int i = 0; i < FLIPS / 2; i++) {
		buffer_clear(&forged);
		buffer_add(&forged, sample.file.data, sample.file.size);
		/* half of them as if another version had written the event table */
		forged.data[offsetof(struct format_header, table_hash)] ^= (char)(i % 2);
		for (uint64_t n = 1 + maker_random(&seed) % 4; n > 0; n--)
			forged.data[maker_random(&seed) % forged.size] = (char)maker_random(&seed);
		recording_mend_hashes(forged.data, forged.size);
		maker_write_file(sample.path, forged.data, forged.size);
		read_flipped(sample.path, &got);
	}
	sample_release(&sample);
	buffer_release(&forged);
	buffer_release(&got);
}

/* A chunk that says it has no event before another time than its first: the event is not handed
 * out. */
static void test_times_outside_of_the_chunk(void **state)
{
	struct format_chunk chunk;
	struct buffer got = {0};
	struct recording *recording;
	struct sample sample;
	uint64_t damaged;

	(void)state;
	sample_make(&sample, "times", 5);
	memcpy(&chunk, sample.file.data + sample.flushed_at[20], sizeof(chunk));
	chunk.first_ns++;
	memcpy(sample.file.data + sample.flushed_at[20], &chunk, sizeof(chunk));
	recording_mend_hashes(sample.file.data, sample.file.size);
	maker_write_file(sample.path, sample.file.data, sample.file.size - 1);
	assert_int_equal(recording_open(&recording, sample.path), 0);
	assert_int_equal(maker_read_all(recording, STREAM_BIT(STREAM_SWITCH), &got, &damaged), 0);
	assert_int_equal(damaged, 1);
	assert_int_equal(got.size, sample.events.size - sizeof(struct event_waking));
	recording_close(recording);
	sample_release(&sample);
	buffer_release(&got);
}

/* ---- not a recording ---- */

static void assert_refused(const char *path, int err, const char *says)
{
	struct recording *recording = NULL;

	assert_int_equal(recording_open(&recording, path), err);
	assert_null(recording);
	assert_non_null(strstr(fail_text(), says));
	fail_clear();
}

static void test_not_a_recording(void **state)
{
	_cleanup_free_ char *path = maker_path("foreign");

	(void)state;
	assert_refused(path, -ENOENT, "No such file");
	maker_write_file(path, "", 0);
	assert_refused(path, -EBADMSG, "is empty");
	maker_write_file(path, "x", 1);
	assert_refused(path, -EBADMSG, "is not a dashcam recording");
	maker_write_file(
		path, "#!/bin/sh\necho a program, and longer than any header of a recording\n", 68);
	assert_refused(path, -EBADMSG, "is not a dashcam recording");
	unlink(path);
	mkdir(path, 0700);
	assert_refused(path, -EISDIR, "is a directory");
	rmdir(path);
	mkfifo(path, 0600);
	assert_refused(path, -EBADMSG, "is not a regular file");
	unlink(path);
	assert_refused("/dev/null", -EBADMSG, "is not a regular file");
}

/* Writes the sample with another header and says what must come of it. */
static void assert_header_refused(struct sample *sample, const struct format_header *header,
				  int err, const char *says)
{
	memcpy(sample->file.data, header, sizeof(*header));
	recording_mend_hashes(sample->file.data, sample->file.size);
	maker_write_file(sample->path, sample->file.data, sample->file.size);
	assert_refused(sample->path, err, says);
}

static void test_other_headers(void **state)
{
	struct format_header header, other;
	struct sample sample;

	(void)state;
	sample_make(&sample, "headers", 1);
	memcpy(&header, sample.file.data, sizeof(header));
	other = header;
	other.version = 2;
	assert_header_refused(&sample, &other, -ENOTSUP,
			      "was written by a newer dashcam: its format is version 2");
	other = header;
	other.byte_order = 0x04030201;
	assert_header_refused(&sample, &other, -ENOTSUP, "of the other byte order");
	other = header;
	other.flags = 4;
	assert_header_refused(&sample, &other, -ENOTSUP, "does not know (flags 0x4)");
	sample.file.data[20] ^= 1;
	maker_write_file(sample.path, sample.file.data, sample.file.size);
	assert_refused(sample.path, -EBADMSG, "is damaged");
	sample_release(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_torn_header),
		cmocka_unit_test(test_damaged_chunk),
		cmocka_unit_test(test_flipped_bits),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_times_outside_of_the_chunk),
		cmocka_unit_test(test_not_a_recording),
		cmocka_unit_test(test_other_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
