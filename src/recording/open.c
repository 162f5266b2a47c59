/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening a file: by its index if that is whole, else by looking for whole chunks from the start.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/units.h"
#include "recording/chunk.h"
#include "recording/index.h"
#include "recording/scan.h"

/* Opens PATH if it is a regular file; a FIFO or device would hang or worse. */
static int open_file(const char *path, int *ret_fd, uint64_t *ret_size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat stat;

	if (fd < 0)
		return fail_errno(-errno, "opening %s", path);
	if (fstat(fd, &stat))
		return fail_errno(-errno, "opening %s", path);
	if (S_ISDIR(stat.st_mode))
		return fail(-EISDIR, "%s is a directory, not a recording", path);
	if (!S_ISREG(stat.st_mode))
		return fail(-EBADMSG, "%s is not a regular file", path);
	if (stat.st_size == 0)
		return fail(-EBADMSG, "%s is empty", path);
	*ret_size = (uint64_t)stat.st_size;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

static int check_header(const struct format_header *header, const char *path)
{
	if (header->byte_order == __builtin_bswap32(FORMAT_BYTE_ORDER))
		return fail(-ENOTSUP, "%s was written on a machine of the other byte order", path);
	if (header->byte_order == FORMAT_BYTE_ORDER && header->version > FORMAT_VERSION)
		return fail(-ENOTSUP,
			    "%s was written by a newer dashcam: its format is version %u, this "
			    "program reads up to version %u",
			    path, header->version, FORMAT_VERSION);
	if (header->hash != format_hash(header, sizeof(*header)) ||
	    header->byte_order != FORMAT_BYTE_ORDER || header->version != FORMAT_VERSION ||
	    header->header_bytes != sizeof(*header))
		return fail(-EBADMSG, "the header of %s is damaged", path);
	if (header->flags)
		return fail(-ENOTSUP,
			    "%s uses features that this program does not know (flags 0x%x)", path,
			    header->flags);
	return 0;
}

static int read_header(struct recording *recording, const char *path)
{
	uint64_t size = recording->info.file_bytes;
	struct format_header header = {.version = 0};
	int err = read_fully(recording->fd, &header, size < sizeof(header) ? size : sizeof(header),
			     0);

	if (err)
		return fail_errno(err, "reading %s", path);
	if (size < sizeof(header.magic) || memcmp(header.magic, FORMAT_MAGIC, sizeof(FORMAT_MAGIC)))
		return fail(-EBADMSG, "%s is not a dashcam recording", path);
	if (size < sizeof(header))
		return fail(-EBADMSG, "%s was cut within its header: nothing is left", path);
	err = check_header(&header, path);
	if (err)
		return err;
	recording->info.format_version = header.version;
	recording->recording_id = header.recording_id;
	recording->table_hash = header.table_hash;
	return 0;
}

/* ---- counting events where no index has counted them ---- */

static void count_kinds(struct recording *recording, const struct buffer *events)
{
	const char *at = events->data;
	const char *end = at + events->size;

	while (at < end) {
		const struct event_header *event = (const void *)at;

		if (!event_is_framed(event, (size_t)(end - at)))
			return;
		recording_count_kind(recording, event->kind, 1);
		at += event->size;
	}
}

/* Decodes everything once, counts its kinds and drops chunks that do not decode. */
static uint64_t count_all(struct recording *recording)
{
	struct chunk_loader loader = {.dropped = 0};
	struct buffer events = {0};
	uint64_t bad = 0;
	size_t kept = 0;

	for (size_t i = 0; i < recording->chunk_count; i++) {
		buffer_clear(&events);
		if (chunk_decode(recording, &recording->chunks[i], &loader, &events)) {
			bad++;
			continue;
		}
		count_kinds(recording, &events);
		recording->chunks[kept++] = recording->chunks[i];
	}
	recording->chunk_count = kept;
	recording_sum_chunks(recording);
	buffer_release(&events);
	chunk_loader_release(&loader);
	return bad;
}

/* ---- the event table ---- */

/* Reads the file's event table if it is not this version's. It stands in the first chunk. */
static int read_layouts(struct recording *recording, const char *path)
{
	struct chunk_loader loader = {.dropped = 0};
	struct buffer events = {0};
	int err = -EBADMSG;

	if (recording->table_hash == layouts_hash())
		return 0;
	if (recording->chunk_count > 0 && recording->chunks[0].stream == STREAM_TABLE &&
	    recording->chunks[0].offset == sizeof(struct format_header))
		err = chunk_decode(recording, &recording->chunks[0], &loader, &events);
	if (!err)
		recording->layouts = layouts_read(events.data, events.size);
	buffer_release(&events);
	chunk_loader_release(&loader);
	if (err)
		return fail(-EBADMSG,
			    "%s was written by another version of dashcam, and its event table is "
			    "damaged",
			    path);
	return 0;
}

static void describe_scan(struct recording_info *info, const struct scan_result *scan)
{
	char bytes[UNITS_TEXT_SIZE];
	unsigned long places = scan->damaged_places, chunks = info->chunks;

	format_bytes(bytes, info->good_bytes);
	if (places)
		snprintf(info->damage, sizeof(info->damage),
			 "the recording is whole up to %s; %lu damaged %s skipped: %lu %s whole",
			 bytes, places, places == 1 ? "place was" : "places were", chunks,
			 chunks == 1 ? "chunk is" : "chunks are");
	else
		snprintf(info->damage, sizeof(info->damage),
			 "the recording was cut after %s: %lu %s whole", bytes, chunks,
			 chunks == 1 ? "chunk is" : "chunks are");
}

static int open_chunks(struct recording *recording, const char *path)
{
	struct scan_result scan = {0};
	struct buffer kinds = {0};
	int err;

	if (index_read(recording, &kinds)) {
		err = read_layouts(recording, path);
		for (size_t i = 0; i < kinds.size / sizeof(struct format_index_kind); i++) {
			const struct format_index_kind *kind = (void *)kinds.data;

			recording_count_kind(recording, kind[i].kind, kind[i].event_count);
		}
		buffer_release(&kinds);
		return err;
	}
	buffer_release(&kinds);
	err = scan_chunks(recording, &scan);
	if (err)
		return fail_errno(err, "reading %s", path);
	err = read_layouts(recording, path);
	if (err)
		return err;
	recording->info.is_torn = true;
	recording->info.good_bytes = scan.good_bytes;
	scan.damaged_places += count_all(recording);
	describe_scan(&recording->info, &scan);
	return 0;
}

int recording_open(struct recording **ret, const char *path)
{
	struct recording *recording = recording_alloc();
	int err = open_file(path, &recording->fd, &recording->info.file_bytes);

	if (!err)
		err = read_header(recording, path);
	if (!err)
		err = open_chunks(recording, path);
	if (err) {
		recording_close(recording);
		return err;
	}
	*ret = recording;
	return 0;
}

void recording_close(struct recording *recording)
{
	if (!recording)
		return;
	for (size_t i = 0; i < recording->chunk_count; i++)
		free(recording->chunks[i].events);
	free(recording->chunks);
	if (recording->fd >= 0)
		close(recording->fd);
	layouts_free(recording->layouts);
	map64_release(&recording->growing);
	free(recording);
}

const struct recording_info *recording_info(const struct recording *recording)
{
	return &recording->info;
}
