/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing a file: events are collected per stream and CPU, and each chunk is one write at the end.
 *
 * Behind the end, blocks for the index are kept allocated, so that a full disk ends the recording
 * but does not spoil it. Where the file system cannot do that, the last chunks make room.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "base/error.h"
#include "base/units.h"
#include "event/schema.h"
#include "recording/index.h"

#define RESERVE_SLACK                                                                              \
	(64u << 10)       /* room for the index of the next 1,300 chunks, and for whole blocks */
#define GIVE_UP_CHUNKS 16 /* how many chunks may go to make room for the index */

/* What is collected of one stream and CPU. */
struct collector {
	enum recording_stream stream;
	uint16_t cpu;
	char *events; /* FORMAT_CHUNK_TARGET bytes */
	struct written_chunk next;
};

struct recording_writer {
	char *path;
	int fd;
	int error; /* what ended the writing */
	bool cannot_reserve;
	uint64_t end; /* of the last whole chunk */
	uint64_t recording_id;
	struct map64 by_log; /* stream and CPU to the number of a collector */
	struct collector **collectors;
	size_t collector_count;
	size_t collector_capacity;
	struct written_chunk *chunks;
	size_t chunk_count;
	size_t chunk_capacity;
	struct codec codec;
	struct buffer out;
};

static void writer_free(struct recording_writer *writer)
{
	for (size_t i = 0; i < writer->collector_count; i++) {
		free(writer->collectors[i]->events);
		free(writer->collectors[i]);
	}
	free(writer->collectors);
	free(writer->chunks);
	free(writer->path);
	map64_release(&writer->by_log);
	codec_release(&writer->codec);
	buffer_release(&writer->out);
	if (writer->fd >= 0)
		close(writer->fd);
	free(writer);
}

/* ---- the file ---- */

static int write_error(const struct recording_writer *writer)
{
	return fail_errno(writer->error, "writing %s", writer->path);
}

/* One write as a rule; the kernel may do less when a signal comes or the disk is nearly full. */
static int write_fully(int fd, const void *bytes, size_t size, uint64_t offset)
{
	const char *at = bytes;

	while (size > 0) {
		ssize_t n = pwrite(fd, at, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

/* Allocates blocks for SIZE bytes and for the index behind them, without making the file longer. */
static int reserve(struct recording_writer *writer, size_t size)
{
	off_t wanted = (off_t)(size + index_size_max(writer->chunk_count + 1) + RESERVE_SLACK);

	while (!writer->cannot_reserve) {
		if (fallocate(writer->fd, FALLOC_FL_KEEP_SIZE, (off_t)writer->end, wanted) == 0)
			return 0;
		if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO)
			return -errno;
		writer->cannot_reserve = errno != EINTR;
	}
	return 0;
}

/* Appends what stands in writer->out. After an error the file ends with its last whole chunk. */
static int append(struct recording_writer *writer)
{
	int err = reserve(writer, writer->out.size);

	if (!err) {
		err = write_fully(writer->fd, writer->out.data, writer->out.size, writer->end);
		/* The cut frees what was reserved too; ask for the room of the index again. */
		if (err && ftruncate(writer->fd, (off_t)writer->end) == 0)
			reserve(writer, 0);
	}
	if (err) {
		writer->error = err;
		return write_error(writer);
	}
	writer->end += writer->out.size;
	return 0;
}

/* ---- chunks ---- */

static int write_chunk(struct recording_writer *writer, struct collector *collector)
{
	struct format_index_chunk *entry = &collector->next.entry;
	struct format_chunk header = {
		.magic = FORMAT_CHUNK_MAGIC,
		.recording_id = writer->recording_id,
		.sequence = writer->chunk_count,
		.first_ns = entry->first_ns,
		.last_ns = entry->last_ns,
		.event_count = entry->event_count,
		.decoded_bytes = entry->decoded_bytes,
		.stream = collector->stream,
		.cpu = collector->cpu,
	};
	int err;

	buffer_clear(&writer->out);
	buffer_extend(&writer->out, sizeof(header));
	/* In columns the logs of switches and calls take a half to a quarter; evidence, whose 64-bit ids repeat as
	 * a whole, takes 40 % more. */
	header.codec = codec_encode(&writer->codec, collector->events, entry->decoded_bytes,
				    collector->stream == STREAM_SWITCH ||
					    collector->stream == STREAM_CALL,
				    &writer->out);
	header.stored_bytes = (uint32_t)(writer->out.size - sizeof(header));
	header.payload_hash = hash_bytes(writer->out.data + sizeof(header), header.stored_bytes);
	header.hash = format_hash(&header, sizeof(header));
	memcpy(writer->out.data, &header, sizeof(header));

	entry->offset = writer->end;
	entry->stored_bytes = header.stored_bytes;
	entry->stream = header.stream;
	entry->codec = header.codec;
	entry->cpu = header.cpu;
	err = append(writer);
	if (err)
		return err;
	array_reserve((void **)&writer->chunks, &writer->chunk_capacity, writer->chunk_count + 1,
		      sizeof(*writer->chunks));
	writer->chunks[writer->chunk_count++] = collector->next;
	collector->next = (struct written_chunk){.entry = {0}};
	return 0;
}

/* Writes what is collected of a stream. */
static int flush_stream(struct recording_writer *writer, enum recording_stream stream)
{
	for (size_t i = 0; i < writer->collector_count; i++) {
		struct collector *collector = writer->collectors[i];
		int err;

		if (collector->stream != stream || collector->next.entry.event_count == 0)
			continue;
		err = write_chunk(writer, collector);
		if (err)
			return err;
	}
	return 0;
}

static struct collector *find_collector(struct recording_writer *writer,
					enum recording_stream stream, uint16_t cpu)
{
	uint64_t key = (uint64_t)stream << 16 | cpu;
	uint64_t *found = map64_get(&writer->by_log, key);
	struct collector *collector;

	if (found)
		return writer->collectors[*found];
	collector = xcalloc(1, sizeof(*collector));
	collector->stream = stream;
	collector->cpu = cpu;
	collector->events = xmalloc(FORMAT_CHUNK_TARGET);
	array_reserve((void **)&writer->collectors, &writer->collector_capacity,
		      writer->collector_count + 1, sizeof(struct collector *));
	map64_put(&writer->by_log, key, writer->collector_count);
	writer->collectors[writer->collector_count++] = collector;
	return collector;
}

static void collect(struct collector *collector, const struct event_header *event)
{
	struct format_index_chunk *entry = &collector->next.entry;
	struct event_header *copy = (void *)(collector->events + entry->decoded_bytes);

	memcpy(copy, event, event->size);
	copy->mark = 0;
	if (entry->event_count == 0 || event->time_ns < entry->first_ns)
		entry->first_ns = event->time_ns;
	if (event->time_ns > entry->last_ns)
		entry->last_ns = event->time_ns;
	entry->event_count++;
	entry->decoded_bytes += event->size;
	collector->next.event_count[event->kind]++;
}

/* A full chunk goes out; what defines its ids goes first, so that a torn file has it too. */
static int make_room(struct recording_writer *writer, struct collector *collector)
{
	int err = 0;

	if (collector->stream == STREAM_EVIDENCE || collector->stream == STREAM_CALL)
		err = flush_stream(writer, STREAM_TABLE);
	return err ? err : write_chunk(writer, collector);
}

int recording_write(struct recording_writer *writer, enum recording_stream stream, uint16_t cpu,
		    const void *events, size_t size)
{
	const char *at = events;
	const char *end = at + size;
	struct collector *collector;

	if (writer->error)
		return write_error(writer);
	if (size == 0)
		return 0;
	collector = find_collector(writer, stream, cpu);
	while (at < end) {
		const struct event_header *event = (const void *)at;

		if (!event_is_sound(event, (size_t)(end - at)))
			return fail(-EBADMSG, "writing %s: an event of %zd bytes is malformed",
				    writer->path, end - at);
		if (collector->next.entry.decoded_bytes + event->size > FORMAT_CHUNK_TARGET) {
			int err = make_room(writer, collector);

			if (err)
				return err;
		}
		collect(collector, event);
		at += event->size;
	}
	return 0;
}

int recording_flush(struct recording_writer *writer)
{
	int err;

	if (writer->error)
		return write_error(writer);
	err = flush_stream(writer, STREAM_TABLE);
	if (!err)
		err = flush_stream(writer, STREAM_EVIDENCE);
	if (!err)
		err = flush_stream(writer, STREAM_CALL);
	return err ? err : flush_stream(writer, STREAM_SWITCH);
}

uint64_t recording_written_bytes(const struct recording_writer *writer)
{
	return writer->end;
}

/* ---- beginning and end ---- */

static int write_beginning(struct recording_writer *writer)
{
	struct format_header header = {
		.magic = FORMAT_MAGIC,
		.version = FORMAT_VERSION,
		.byte_order = FORMAT_BYTE_ORDER,
		.header_bytes = sizeof(header),
		.recording_id = writer->recording_id,
		.table_hash = layouts_hash(),
	};
	struct buffer table = {0};
	struct timespec now;
	int err;

	header.hash = format_hash(&header, sizeof(header));
	buffer_add(&writer->out, &header, sizeof(header));
	err = append(writer);
	if (err)
		return err;
	clock_gettime(CLOCK_BOOTTIME, &now);
	layouts_write(&table, (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec);
	err = recording_write(writer, STREAM_TABLE, 0, table.data, table.size);
	buffer_release(&table);
	return err ? err : flush_stream(writer, STREAM_TABLE);
}

static int check_target(const char *path)
{
	struct stat stat;

	if (lstat(path, &stat))
		return errno == ENOENT ? 0 : fail_errno(-errno, "creating %s", path);
	if (!S_ISREG(stat.st_mode))
		return fail(-EEXIST, "creating %s: something that is not a regular file is there",
			    path);
	return 0;
}

/* Writes the beginning under another name first, so that a failure leaves an older file as it was.
 */
static int create_file(struct recording_writer *writer)
{
	_cleanup_free_ char *draft = xasprintf("%s.new-%d", writer->path, (int)getpid());
	int err;

	writer->fd = open(draft, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (writer->fd < 0)
		return fail_errno(-errno, "creating %s", writer->path);
	err = write_beginning(writer);
	if (!err && rename(draft, writer->path))
		err = fail_errno(-errno, "creating %s", writer->path);
	if (err)
		unlink(draft);
	return err;
}

int recording_create(struct recording_writer **ret, const char *path)
{
	struct recording_writer *writer;
	int err = check_target(path);

	if (err)
		return err;
	writer = xcalloc(1, sizeof(*writer));
	writer->path = xstrdup(path);
	writer->fd = -1;
	if (getrandom(&writer->recording_id, sizeof(writer->recording_id), 0) < 0)
		writer->recording_id = hash_mix((uint64_t)time(NULL) << 22 ^ (uint64_t)getpid());
	err = create_file(writer);
	if (err) {
		writer_free(writer);
		return err;
	}
	*ret = writer;
	return 0;
}

/* Writes index and trailer. While there is no room for them, the last chunk makes some. */
static int write_index(struct recording_writer *writer)
{
	int err = -ENOSPC;

	for (unsigned int given_up = 0; err && given_up <= GIVE_UP_CHUNKS; given_up++) {
		if (given_up > 0) {
			if (writer->chunk_count <= 1)
				break;
			writer->end = writer->chunks[--writer->chunk_count].entry.offset;
			if (!writer->error)
				writer->error = err;
		}
		buffer_clear(&writer->out);
		index_encode(&writer->out, writer->end, writer->recording_id, writer->chunks,
			     writer->chunk_count, -writer->error);
		err = write_fully(writer->fd, writer->out.data, writer->out.size, writer->end);
		if (!err)
			writer->end += writer->out.size;
		/* Cuts off a part of an index, and frees what was reserved behind a whole one. */
		if (ftruncate(writer->fd, (off_t)writer->end) && !err)
			err = -errno;
	}
	if (err && !writer->error)
		writer->error = err;
	return err;
}

int recording_finish(struct recording_writer *writer)
{
	int err = writer->error ? 0 : recording_flush(writer);

	write_index(writer);
	if (close(writer->fd) && !writer->error)
		writer->error = -errno;
	writer->fd = -1;
	err = writer->error;
	if (err)
		write_error(writer);
	writer_free(writer);
	return err;
}
