/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzing the reader of recordings: whatever the bytes, it gives a sentence or sound events in
 * order of time. Whatever those are, they are explained.
 *
 * `make fuzz-recording` builds it with clang's libFuzzer and lets it run for a minute. Without
 * libFuzzer it is a program that reads the files given as arguments: `make check-fuzz-recording`
 * does that with the corpus.
 *
 * Most changes would end at the first wrong hash, so each input is also read with its hashes made
 * right. Bit 0 of the header's first reserved word (which readers ignore) means: of this version's
 * event table.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "event/schema.h"
#include "explain_input.h"
#include "recording/format.h"
#include "recording/layout.h"
#include "recording/recording.h"
#include "support/recording_mend.h"

#define EVENTS_MAX 1000000 /* one input may say a lot with few bytes; this is enough of it */

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_recording: %s\n", what);
	abort();
}

/* Reads all events, also the bytes behind their fixed part. */
static void read_range(struct recording *recording, const struct recording_range *range)
{
	struct recording_cursor *cursor;
	const struct event_header *event;
	uint64_t last_ns = 0, count = 0;
	unsigned char sum = 0;
	int got = recording_cursor_new(&cursor, recording, range);

	if (got) {
		require(got < 0 && *fail_text(), "a cursor failed without a sentence");
		fail_clear();
		return;
	}
	while (count++ < EVENTS_MAX && (got = recording_cursor_next(cursor, &event)) == 1) {
		require(event_is_sound(event, event->size), "an event is not sound");
		for (size_t i = 0; i < event->size; i++)
			sum += ((const unsigned char *)event)[i];
		if (range->streams & STREAM_BIT(STREAM_TABLE))
			continue;
		require(event->time_ns >= last_ns, "time went back");
		require(event->time_ns >= range->from_ns && event->time_ns <= range->to_ns,
			"an event is outside of the range");
		last_ns = event->time_ns;
	}
	require(got >= 0 || *fail_text(), "reading failed without a sentence");
	fail_clear();
	recording_cursor_free(cursor);
	/* so that the compiler reads them */
	__asm__ volatile("" ::"r"(sum));
}

static void read_file(const char *path)
{
	const struct recording_info *info;
	struct recording *recording;

	if (recording_open(&recording, path)) {
		require(*fail_text(), "opening failed without a sentence");
		fail_clear();
		return;
	}
	info = recording_info(recording);
	require(info->good_bytes <= info->file_bytes, "more is good than there is");
	require(!info->is_torn || *info->damage, "torn without a sentence");
	read_range(recording, &(struct recording_range){.streams = STREAM_BIT(STREAM_SWITCH) |
								   STREAM_BIT(STREAM_EVIDENCE) |
								   STREAM_BIT(STREAM_TABLE),
							.to_ns = UINT64_MAX});
	read_range(recording,
		   &(struct recording_range){.streams = STREAM_BIT(STREAM_SWITCH) |
							STREAM_BIT(STREAM_EVIDENCE),
					     .from_ns = info->first_ns + 1,
					     .to_ns = info->last_ns / 2 + info->first_ns / 2});
	explain_input(recording);
	recording_close(recording);
}

static void read_bytes(int fd, const char *path, const void *bytes, size_t size)
{
	require(ftruncate(fd, 0) == 0 && pwrite(fd, bytes, size, 0) == (ssize_t)size,
		"the input could not be put into a file");
	read_file(path);
}

static void mend(char *bytes, size_t size)
{
	struct format_header header;

	if (size >= sizeof(header)) {
		memcpy(&header, bytes, sizeof(header));
		if (header.reserved[0] & 1)
			header.table_hash = layouts_hash();
		memcpy(bytes, &header, sizeof(header));
	}
	recording_mend_hashes(bytes, size);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	int fd = memfd_create("fuzz-recording", MFD_CLOEXEC);
	char *mended = xmalloc(size + 1);
	char path[64];

	require(fd >= 0, "there is no memfd_create");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	memcpy(mended, data, size);
	mend(mended, size);
	read_bytes(fd, path, data, size);
	read_bytes(fd, path, mended, size);
	free(mended);
	close(fd);
	return 0;
}

#ifndef FUZZ_LIBFUZZER
static int run_file(const char *path)
{
	struct buffer bytes = {0};
	FILE *file = fopen(path, "re");
	size_t n;

	if (!file) {
		perror(path);
		return 1;
	}
	do {
		char *to = buffer_extend(&bytes, 65536);

		n = fread(to, 1, 65536, file);
		bytes.size -= 65536 - n;
	} while (n > 0);
	fclose(file);
	LLVMFuzzerTestOneInput((const unsigned char *)bytes.data, bytes.size);
	buffer_release(&bytes);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= run_file(argv[i]);
	return failed;
}
#endif
