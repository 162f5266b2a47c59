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

static void count_kinds(struct recording *recording, const struct buffer *kinds)
{
	const struct format_index_kind *kind = (const void *)kinds->data;

	for (size_t i = 0; i < kinds->size / sizeof(*kind); i++)
		recording_count_kind(recording, kind[i].kind, kind[i].event_count);
}

static int open_chunks(struct recording *recording, const char *path)
{
	bool has_index;
	struct scan_result scan = {0};
	struct buffer kinds = {0};
	int err = 0;

	has_index = index_read(recording, &kinds);
	if (!has_index) {
		err = scan_chunks(recording, &kinds, &scan);
		if (err)
			err = fail_errno(err, "reading %s", path);
	}
	if (!err)
		err = read_layouts(recording, path);
	if (!err)
		count_kinds(recording, &kinds);
	if (!err && !has_index) {
		recording->info.is_torn = true;
		recording->info.good_bytes = scan.good_bytes;
		describe_scan(&recording->info, &scan);
	}
	buffer_release(&kinds);
	return err;
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
