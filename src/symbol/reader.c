/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/reader.h"

#include <elfutils/libdw.h>
#include <errno.h>
#include <libelf.h>
#include <string.h>

#include "base/hash.h"
#include "event/schema.h"
#include "symbol/demangle.h"
#include "symbol/image.h"
#include "symbol/image_function.h"
#include "symbol/image_listing.h"
#include "symbol/parameters.h"
#include "symbol/perf_map.h"
#include "symbol/source.h"
#include "symbol/symbols.h"
#include "symbol/unwind.h"

/* Modules kept open at once; each holds up to two descriptors. The oldest are closed first. */
#define MODULES_MAX 1024

/* Rows in one reply. */
#define ROWS_MAX 16

/* Paths of source files are cut to this. */
#define FILE_SIZE_MAX 1024

/* What is known of one module: an ELF file or a JIT map. */
struct entry {
	struct image *image;
	struct source *source;         /* opened at the first name, with source lines only */
	struct symbols map;            /* of a JIT module */
	struct image_listing *listing; /* from its first page to its last */
	bool source_lines;
	uint64_t used; /* when it was asked about last, in requests */
};

struct reader {
	struct map64 entries; /* module -> struct entry * */
	uint64_t requests;
};

struct reader *reader_new(void)
{
	elf_version(EV_CURRENT);
	return xcalloc(1, sizeof(struct reader));
}

static void entry_free(struct entry *entry)
{
	source_free(entry->source);
	image_listing_free(entry->listing);
	image_free(entry->image);
	symbols_release(&entry->map);
	free(entry);
}

void reader_free(struct reader *reader)
{
	uint64_t module, entry;
	size_t at = 0;

	if (!reader)
		return;
	while (map64_next(&reader->entries, &at, &module, &entry))
		entry_free((struct entry *)(uintptr_t)entry);
	map64_release(&reader->entries);
	free(reader);
}

static struct entry *find(struct reader *reader, uint32_t module)
{
	uint64_t *slot = map64_get(&reader->entries, module);
	struct entry *entry = slot ? (struct entry *)(uintptr_t)*slot : NULL;

	if (entry)
		entry->used = reader->requests;
	return entry;
}

static void forget(struct reader *reader, uint32_t module)
{
	struct entry *entry = find(reader, module);

	if (!entry)
		return;
	map64_remove(&reader->entries, module);
	entry_free(entry);
}

static void forget_oldest(struct reader *reader)
{
	uint64_t module, value, oldest = 0, oldest_used = UINT64_MAX;
	size_t at = 0;

	while (map64_next(&reader->entries, &at, &module, &value)) {
		struct entry *entry = (struct entry *)(uintptr_t)value;

		if (entry->used < oldest_used) {
			oldest_used = entry->used;
			oldest = module;
		}
	}
	forget(reader, (uint32_t)oldest);
}

static struct entry *add(struct reader *reader, uint32_t module)
{
	struct entry *entry = xcalloc(1, sizeof(*entry));

	forget(reader, module);
	if (reader->entries.count >= MODULES_MAX)
		forget_oldest(reader);
	entry->used = reader->requests;
	map64_put(&reader->entries, module, (uintptr_t)entry);
	return entry;
}

static int open_elf(struct reader *reader, const struct message_open *request, int fd,
		    struct message_opened *reply)
{
	struct image *image;
	struct entry *entry;
	int err = image_open(&image, fd);

	if (err) {
		close(fd);
		return err;
	}
	image_describe(image, reply);
	if (request->build_id_size > 0 &&
	    (request->build_id_size != reply->build_id_size ||
	     memcmp(request->build_id, reply->build_id, reply->build_id_size))) {
		image_free(image);
		return -ESTALE;
	}
	entry = add(reader, request->message.module);
	entry->image = image;
	entry->source_lines = request->source_lines != 0;
	return 0;
}

static int open_map(struct reader *reader, const struct message *request, int fd)
{
	perf_map_read(fd, &add(reader, request->module)->map);
	close(fd);
	return 0;
}

/* Appends a place; false if the reply is full. */
static bool add_place(struct buffer *reply, struct message_place *place, const char *name,
		      const char *file)
{
	size_t text, whole;
	char *at;

	place->name_size = (uint16_t)(strlen(name) + 1);
	place->file_size = (uint16_t)(strnlen(file, FILE_SIZE_MAX - 1) + 1);
	text = (size_t)place->name_size + place->file_size;
	whole = event_align(sizeof(*place) + text);
	if (reply->size + whole > MESSAGE_SIZE_MAX)
		return false;
	at = buffer_extend(reply, whole);
	memset(at, 0, whole);
	memcpy(at, place, sizeof(*place));
	memcpy(at + sizeof(*place), name, place->name_size);
	memcpy(at + sizeof(*place) + place->name_size, file, place->file_size - 1U);
	return true;
}

/* Adds all the places of one address, or none of them if they do not fit: then false. */
static bool name_address(struct entry *entry, uint32_t index, uint64_t address,
			 struct buffer *reply)
{
	const struct symbols *symbols = entry->image ? image_symbols(entry->image) : &entry->map;
	const struct symbol *symbol = symbols_find(symbols, address);
	struct message_place place = {.index = index};
	struct source_place inlined[SOURCE_DEPTH_MAX];
	size_t size_before = reply->size;
	unsigned int depth = 0;
	char name[DEMANGLE_SIZE];

	if (!symbol)
		return true;
	if (entry->source)
		depth = source_find(entry->source, address, inlined);
	/* The outermost place is the symbol's own; the calls inlined into it come first. */
	for (unsigned int i = 0; i + 1 < depth; i++) {
		demangle(inlined[i].function, name);
		place.line = inlined[i].line;
		place.offset = address - inlined[i].start;
		place.flags = EVENT_FRAME_INLINED;
		if (!add_place(reply, &place, name, inlined[i].file)) {
			reply->size = size_before;
			return false;
		}
	}
	demangle(symbols_name(symbols, symbol), name);
	place.line = depth > 0 ? inlined[depth - 1].line : 0;
	place.offset = address - symbol->start;
	place.flags = 0;
	if (!add_place(reply, &place, name, depth > 0 ? inlined[depth - 1].file : "")) {
		reply->size = size_before;
		return false;
	}
	return true;
}

static int names(struct entry *entry, const struct message *request, struct buffer *reply)
{
	const uint64_t *addresses = (const uint64_t *)(request + 1);
	uint32_t done = 0;

	if (request->count > MESSAGE_NAMES_MAX)
		return -EINVAL;
	if (entry->source_lines && entry->image && !entry->source)
		entry->source = source_new(image_dwarf(entry->image));
	while (done < request->count && name_address(entry, done, addresses[done], reply))
		done++;
	((struct message *)reply->data)->count = done;
	return done > 0 || request->count == 0 ? 0 : -EMSGSIZE;
}

/* The row at an address and, since asking takes far longer than finding, some of those that follow.
 */
static int rows(struct entry *entry, uint64_t address, struct buffer *reply)
{
	uint32_t count = 0;
	int err = entry->image ? 0 : -ENODATA;

	while (!err && count < ROWS_MAX) {
		size_t at = reply->size;

		err = image_row(entry->image, address, reply);
		if (err)
			break;
		address = ((const struct unwind_row *)(reply->data + at))->end;
		count++;
	}
	((struct message *)reply->data)->count = count;
	return count > 0 ? 0 : err;
}

static int find_function(struct entry *entry, const struct message_find *request,
			 struct buffer *reply)
{
	struct message_function found = {.message = *(const struct message *)reply->data};

	if (!entry->image || !memchr(request->name, '\0', sizeof(request->name)))
		return -EINVAL;
	image_find_function(entry->image, request, &found);
	buffer_clear(reply);
	buffer_add(reply, &found, sizeof(found));
	return 0;
}

/* As many functions as fit. The list goes when its end has been told. */
static int list(struct entry *entry, const struct message_list *request, struct buffer *reply)
{
	size_t at = request->first;

	if (!entry->image)
		return -EINVAL;
	if (!entry->listing)
		entry->listing = image_listing_new(entry->image, request->flags & LIST_LONG_NOPS);
	while (at < image_listing_count(entry->listing) &&
	       image_listing_add(entry->listing, at, reply))
		at++;
	((struct message *)reply->data)->count = (uint32_t)(at - request->first);
	if (at > request->first)
		return 0;
	image_listing_free(entry->listing);
	entry->listing = NULL;
	return 0;
}

static int parameters(struct entry *entry, uint64_t address, struct buffer *reply)
{
	struct message_parameter found[MESSAGE_PARAMETERS_MAX];
	unsigned int count;

	if (!entry->image)
		return -EINVAL;
	count = parameters_find(image_dwarf(entry->image), address, found);
	buffer_add(reply, found, count * sizeof(*found));
	((struct message *)reply->data)->count = count;
	return 0;
}

static int answer_entry(struct reader *reader, const struct message *request, int *fd,
			struct buffer *reply)
{
	const struct message_address *address = (const struct message_address *)request;
	struct entry *entry = find(reader, request->module);
	int err;

	if (!entry)
		return -ENOENT;
	switch (request->type) {
	case MESSAGE_NAMES:
		return names(entry, request, reply);
	case MESSAGE_ROW:
		return rows(entry, address->address, reply);
	case MESSAGE_CALL_SITE:
		((struct message *)reply->data)->count =
			entry->image && image_is_call_site(entry->image, address->address);
		return 0;
	case MESSAGE_FUNCTION:
		return find_function(entry, (const struct message_find *)request, reply);
	case MESSAGE_ABOUT:
		if (entry->image)
			image_about(entry->image, reply);
		return entry->image ? 0 : -EINVAL;
	case MESSAGE_LIST:
		return list(entry, (const struct message_list *)request, reply);
	case MESSAGE_PARAMETERS:
		return parameters(entry, address->address, reply);
	case MESSAGE_DEBUG:
		err = entry->image && *fd >= 0 ? image_set_debug(entry->image, *fd) : -EINVAL;
		if (!err)
			*fd = -1;
		return err;
	default:
		return -EINVAL;
	}
}

/* Bytes that a request of this kind must have. */
static size_t request_size(const struct message *request)
{
	switch (request->type) {
	case MESSAGE_OPEN_ELF:
		return sizeof(struct message_open);
	case MESSAGE_ROW:
	case MESSAGE_CALL_SITE:
	case MESSAGE_PARAMETERS:
		return sizeof(struct message_address);
	case MESSAGE_FUNCTION:
		return sizeof(struct message_find);
	case MESSAGE_LIST:
		return sizeof(struct message_list);
	case MESSAGE_NAMES:
		return sizeof(struct message) + (size_t)request->count * sizeof(uint64_t);
	default:
		return sizeof(struct message);
	}
}

void reader_answer(struct reader *reader, const struct message *request, size_t size, int fd,
		   struct buffer *reply)
{
	struct message_opened opened = {.segment_count = 0};
	struct message head = {.type = request->type, .module = request->module};
	int err = -EINVAL;

	reader->requests++;
	buffer_clear(reply);
	buffer_add(reply, &head, sizeof(head));
	if (size < sizeof(*request) || size != request_size(request)) {
		((struct message *)reply->data)->error = -EINVAL;
	} else if (request->type == MESSAGE_OPEN_ELF && fd >= 0) {
		err = open_elf(reader, (const struct message_open *)request, fd, &opened);
		fd = -1;
		if (!err)
			buffer_add(reply, &opened.segment_count,
				   sizeof(opened) - offsetof(struct message_opened, segment_count));
	} else if (request->type == MESSAGE_OPEN_MAP && fd >= 0) {
		err = open_map(reader, request, fd);
		fd = -1;
	} else {
		err = answer_entry(reader, request, &fd, reply);
	}
	if (fd >= 0)
		close(fd);
	((struct message *)reply->data)->error = err;
}
