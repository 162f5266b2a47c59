/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns frames into names. See resolver_state.h. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "event/schema.h"
#include "symbol/kernel.h"
#include "symbol/resolver_state.h"

/* How long the reader may take to name a batch of frames of one module. */
#define NAMES_LIMIT_MS 30000

/* A frame's place, its texts borrowed. */
struct place {
	uint64_t offset;
	uint32_t line;
	uint16_t depth;
	uint16_t flags; /* enum event_frame_flag */
	const char *function;
	const char *file;
};

static void emit_place(struct resolver *resolver, uint64_t frame, const struct place *place)
{
	size_t function_size = strlen(place->function) + 1, file_size = strlen(place->file) + 1;
	size_t size = event_align(sizeof(struct event_frame) + function_size + file_size);
	_cleanup_free_ struct event_frame *event = xcalloc(1, size);

	event->header.kind = EVENT_FRAME;
	event->header.size = (uint16_t)size;
	event->frame = frame;
	event->offset = place->offset;
	event->line = place->line;
	event->depth = place->depth;
	event->flags = place->flags;
	memcpy(event->text, place->function, function_size);
	memcpy(event->text + function_size, place->file, file_size);
	/* Names come from files that anybody may write: no terminal control in them. */
	for (char *c = event->text; c < event->text + function_size + file_size; c++) {
		if (*c && ((unsigned char)*c < ' ' || *c == 0x7f))
			*c = '?';
	}
	resolver_emit(resolver, &event->header);
}

static void emit_unnamed(struct resolver *resolver, uint64_t frame)
{
	const struct place place = {.flags = EVENT_FRAME_UNNAMED, .function = "", .file = ""};

	resolver->statistics.frames_unnamed++;
	emit_place(resolver, frame, &place);
}

static void load_kernel(struct resolver *resolver)
{
	FILE *in = fopen("/proc/kallsyms", "re");

	resolver->has_kernel = true;
	if (!in || kernel_read_symbols(in, &resolver->kernel) == 0)
		warn("kernel functions have no names: /proc/kallsyms shows no addresses "
		     "(be root, and see /proc/sys/kernel/kptr_restrict)");
	if (in)
		fclose(in);
}

static void name_kernel(struct resolver *resolver, uint64_t frame)
{
	uint64_t address = EVENT_FRAME_OFFSET(frame) + EVENT_KERNEL_BASE;
	const struct symbol *symbol;
	struct place place = {.file = ""};

	if (!resolver->has_kernel)
		load_kernel(resolver);
	symbol = symbols_find(&resolver->kernel, address);
	if (!symbol) {
		emit_unnamed(resolver, frame);
		return;
	}
	place.function = symbols_name(&resolver->kernel, symbol);
	place.offset = address - symbol->start;
	resolver->statistics.frames_named++;
	emit_place(resolver, frame, &place);
}

/* The reader's places of a batch, walked with care. */
struct places {
	const uint8_t *at;
	size_t left;
};

/* Reads the next place. False: there is none, or it makes no sense. */
static bool next_place(struct places *places, uint32_t *ret_index, struct place *ret)
{
	const struct message_place *place = (const struct message_place *)places->at;
	const char *text;
	size_t size;

	if (places->left < sizeof(*place))
		return false;
	text = (const char *)(place + 1);
	size = event_align(sizeof(*place) + place->name_size + (size_t)place->file_size);
	if (size > places->left || place->name_size < 1 || place->file_size < 1 ||
	    text[place->name_size - 1] || text[place->name_size + place->file_size - 1])
		return false;
	*ret_index = place->index;
	*ret = (struct place){
		.offset = place->offset,
		.line = place->line,
		.flags = place->flags & EVENT_FRAME_INLINED,
		.function = text,
		.file = text + place->name_size,
	};
	places->at += size;
	places->left -= size;
	return true;
}

/* Emits the places of a reply; bit N of *RET_NAMED is set for each frame that got one. */
static void emit_reply(struct resolver *resolver, const struct new_frame *frames, size_t count,
		       const struct message *reply, size_t size, bool *named)
{
	struct places places = {
		.at = (const uint8_t *)(reply + 1),
		.left = size - sizeof(*reply),
	};
	uint32_t index, last = UINT32_MAX;
	struct place place;
	uint16_t depth = 0;

	while (next_place(&places, &index, &place)) {
		/* Frames are answered in order; one that comes back later is nonsense. */
		if (index >= count || (index != last && named[index]))
			return;
		depth = index == last ? depth + 1 : 0;
		last = index;
		place.depth = depth;
		resolver->statistics.frames_named += !named[index];
		named[index] = true;
		emit_place(resolver, frames[index].frame, &place);
	}
}

/* Asks for the names of up to MESSAGE_NAMES_MAX frames of one module. Returns how many were
 * answered. */
static size_t ask_names(struct resolver *resolver, struct module *module,
			const struct new_frame *frames, size_t count, bool *named)
{
	struct {
		struct message message;
		uint64_t addresses[MESSAGE_NAMES_MAX];
	} request = {
		.message = {.type = MESSAGE_NAMES, .module = module->index},
	};
	const struct message *reply;
	size_t size;

	if (count > MESSAGE_NAMES_MAX)
		count = MESSAGE_NAMES_MAX;
	request.message.count = (uint32_t)count;
	for (size_t i = 0; i < count; i++)
		request.addresses[i] = EVENT_FRAME_OFFSET(frames[i].frame);
	memset(named, 0, count);
	module_offer_debug(resolver->modules, module);
	if (module_ask(resolver->modules, module, &request.message,
		       sizeof(request.message) + count * sizeof(uint64_t), NAMES_LIMIT_MS, &reply,
		       &size))
		return count; /* no names for these */
	if (reply->count < count && reply->count > 0)
		count = reply->count;
	emit_reply(resolver, frames, count, reply, size, named);
	return count;
}

/* Names frames of one module, batch by batch. */
static void name_module(struct resolver *resolver, struct module *module,
			const struct new_frame *frames, size_t count)
{
	bool named[MESSAGE_NAMES_MAX];

	if (module->kind == EVENT_MODULE_JIT)
		module_refresh_map(resolver->modules, module);
	while (count > 0) {
		size_t done = ask_names(resolver, module, frames, count, named);

		for (size_t i = 0; i < done; i++) {
			if (!named[i])
				emit_unnamed(resolver, frames[i].frame);
		}
		frames += done;
		count -= done;
	}
}

/* By module, then by address: neighbours are near each other in the files too. */
static int compare(const void *left, const void *right)
{
	const struct new_frame *a = left, *b = right;

	return a->frame < b->frame ? -1 : a->frame > b->frame;
}

uint64_t resolver_name_frames(struct resolver *resolver, uint64_t limit)
{
	size_t count = resolver->waiting_count, first = 0;
	struct new_frame *frames = resolver->waiting;

	if (limit > 0 && limit < count)
		count = limit;
	if (count == 0)
		return 0;
	qsort(frames, count, sizeof(*frames), compare);
	while (first < count) {
		struct module *module = frames[first].module;
		size_t next = first + 1;

		while (next < count && module && frames[next].module == module)
			next++;
		if (module)
			name_module(resolver, module, frames + first, next - first);
		else if (EVENT_FRAME_MODULE(frames[first].frame) == EVENT_MODULE_KERNEL)
			name_kernel(resolver, frames[first].frame);
		else
			emit_unnamed(resolver, frames[first].frame);
		first = next;
	}
	resolver->waiting_count -= count;
	memmove(frames, frames + count, resolver->waiting_count * sizeof(*frames));
	return resolver->waiting_count;
}

/* ---- source lines of a listing ---- */

/* The place of a function itself comes behind those of the calls inlined at its begin. */
static void take_lines(struct resolver_listing *listing, struct resolver_listed *items,
		       size_t count, const struct message *reply, size_t size)
{
	struct places places = {
		.at = (const uint8_t *)(reply + 1),
		.left = size - sizeof(*reply),
	};
	struct place place;
	uint32_t index;

	while (next_place(&places, &index, &place)) {
		if (index >= count || place.flags & EVENT_FRAME_INLINED || !place.file[0])
			continue;
		items[index].file = arena_strdup(&listing->text, place.file);
		items[index].line = place.line;
	}
}

void resolver_add_source_lines(struct resolver *resolver, struct resolver_listing *listing,
			       size_t first, size_t count)
{
	struct {
		struct message message;
		uint64_t addresses[MESSAGE_NAMES_MAX];
	} request = {
		.message = {.type = MESSAGE_NAMES, .module = listing->module->index},
	};
	const struct message *reply;
	size_t size;

	while (count > 0) {
		struct resolver_listed *items = &listing->items[first];
		size_t asked = count < MESSAGE_NAMES_MAX ? count : MESSAGE_NAMES_MAX;

		request.message.count = (uint32_t)asked;
		for (size_t i = 0; i < asked; i++)
			request.addresses[i] = items[i].address;
		if (module_ask(resolver->modules, listing->module, &request.message,
			       sizeof(request.message) + asked * sizeof(uint64_t), NAMES_LIMIT_MS,
			       &reply, &size))
			return;
		if (reply->count < asked && reply->count > 0)
			asked = reply->count;
		take_lines(listing, items, asked, reply, size);
		first += asked;
		count -= asked;
	}
}
