/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists the functions of a file: the resolver's end of MESSAGE_ABOUT and MESSAGE_LIST. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/error.h"
#include "event/schema.h"
#include "symbol/resolver_state.h"

/* A debug file of a gigabyte has some million symbols. */
#define LIST_LIMIT_MS 60000

/* More functions than any program has; a reader that was taken over could go on for ever. */
#define LISTED_MAX (16U << 20)

/* The kernel from which nops of more than two bytes are emulated. */
#define LONG_NOPS_MAJOR 6
#define LONG_NOPS_MINOR 16

const char *resolver_why_text(enum resolver_why why)
{
	static const char *const texts[RESOLVER_WHY_COUNT] = {
		[RESOLVER_WHY_OK] = "",
		[RESOLVER_WHY_MOVED_STACK] = "the stack moves before a cheap instruction",
		[RESOLVER_WHY_JUMPED_TO] = "what is cheap can be reached another way",
		[RESOLVER_WHY_NO_CHEAP] = "no cheap instruction at its begin",
		[RESOLVER_WHY_MACHINE] = "not looked for on this machine",
		[RESOLVER_WHY_PART] = "a part of another function",
		[RESOLVER_WHY_START] = "the program begins there: nothing calls it",
		[RESOLVER_WHY_STUB] = "a stub of the linker: probe the function it leads to",
		[RESOLVER_WHY_CHOSEN] = "only chooses the function when a program starts",
		[RESOLVER_WHY_REFUSED] = "the kernel takes no probe on its instructions",
		[RESOLVER_WHY_UNREADABLE] = "its code cannot be decoded",
	};

	return why < RESOLVER_WHY_COUNT ? texts[why] : "";
}

static bool kernel_has_long_nops(void)
{
	unsigned int major, minor;
	struct utsname name;

	if (uname(&name) || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return false;
	return major > LONG_NOPS_MAJOR || (major == LONG_NOPS_MAJOR && minor >= LONG_NOPS_MINOR);
}

/* Copies text of a file that may be hostile: no control characters in it, and a NUL behind it. */
static char *copy_text(struct arena *arena, const char *text, size_t size)
{
	char *copy = arena_alloc(arena, size + 1);

	memcpy(copy, text, size);
	for (size_t i = 0; i < size; i++) {
		if (copy[i] && ((unsigned char)copy[i] < ' ' || copy[i] == 0x7f))
			copy[i] = '?';
	}
	return copy;
}

/* ---- the file ---- */

static int take_about(struct resolver_listing *listing, const struct message *reply, size_t size)
{
	const struct message_about *about = (const struct message_about *)reply;
	const char *at;
	size_t left;

	if (size < sizeof(*about) || about->text_size != size - sizeof(*about) ||
	    about->text_size == 0 || ((const char *)reply)[size - 1])
		return -EBADMSG;
	listing->may_unwind = about->flags & FUNCTION_MAY_UNWIND;
	listing->moves_stacks = about->flags & FUNCTION_MOVES_STACKS;
	at = copy_text(&listing->text, (const char *)(about + 1), about->text_size);
	left = about->text_size - strlen(at) - 1;
	listing->soname = at;
	if (left == 0)
		return -EBADMSG;
	at += strlen(at) + 1;
	left -= strlen(at) + 1;
	listing->runpath = at;
	listing->needed = arena_alloc(&listing->text, (left + 1) * sizeof(*listing->needed));
	while (left > 0 && listing->needed_count < reply->count) {
		at += strlen(at) + 1;
		listing->needed[listing->needed_count++] = at;
		left -= strlen(at) + 1;
	}
	return 0;
}

static int ask_about(struct resolver *resolver, struct resolver_listing *listing)
{
	const struct message request = {.type = MESSAGE_ABOUT, .module = listing->module->index};
	const struct message *reply;
	size_t size;
	int err = module_ask(resolver->modules, listing->module, &request, sizeof(request),
			     LIST_LIMIT_MS, &reply, &size);

	return err ? err : take_about(listing, reply, size);
}

/* ---- its functions ---- */

/* Does TEXT of SIZE bytes, its NUL included, end where it should, and not before? */
static bool is_text(const char *text, size_t size)
{
	return size > 0 && strnlen(text, size) == size - 1;
}

/* Adds one function. False: it makes no sense. One that lies nowhere in the file is left out. */
static bool add(struct resolver_listing *listing, size_t *capacity,
		const struct message_listed *listed, const char *text)
{
	const char *symbol = text + listed->name_size, *aliases = symbol + listed->symbol_size;
	struct resolver_listed *item = listing->items + listing->count;
	uint64_t entry_offset, probe_offset;

	if (!is_text(text, listed->name_size) || !is_text(symbol, listed->symbol_size) ||
	    (listed->aliases_size > 0 && aliases[listed->aliases_size - 1]) ||
	    listed->place > RESOLVER_PLACE_COSTLY || listed->why >= RESOLVER_WHY_COUNT ||
	    (listing->count > 0 && listed->address <= item[-1].address))
		return false;
	if (!module_file_offset(listing->module, listed->address, &entry_offset) ||
	    !module_file_offset(listing->module, listed->address + listed->probe_bytes,
				&probe_offset))
		return true;
	array_reserve((void **)&listing->items, capacity, listing->count + 1, sizeof(*item));
	item = &listing->items[listing->count++];
	text = copy_text(&listing->text, text,
			 (size_t)listed->name_size + listed->symbol_size + listed->aliases_size);
	*item = (struct resolver_listed){
		.name = text,
		.symbol = text + listed->name_size,
		.aliases = text + listed->name_size + listed->symbol_size,
		.address = listed->address,
		.size_bytes = listed->size_bytes,
		.entry_offset = entry_offset,
		.probe_offset = probe_offset,
		.written = listed->written,
		.place = listed->place,
		.why = listed->why,
		.entry_is_refused = listed->flags & LISTED_ENTRY_REFUSED,
		.has_symbol = listed->flags & LISTED_HAS_SYMBOL,
		.file = "",
	};
	return true;
}

/* Adds the functions of a page. *ADDED: how many it had. */
static int take_page(struct resolver_listing *listing, size_t *capacity,
		     const struct message *reply, size_t size, uint32_t *added)
{
	const uint8_t *at = (const uint8_t *)(reply + 1);
	size_t left = size - sizeof(*reply);

	for (*added = 0; *added < reply->count; ++*added) {
		const struct message_listed *listed = (const struct message_listed *)at;
		size_t whole;

		if (left < sizeof(*listed))
			return -EBADMSG;
		whole = event_align(sizeof(*listed) + listed->name_size +
				    (size_t)listed->symbol_size + listed->aliases_size);
		if (whole > left || !add(listing, capacity, listed, (const char *)(listed + 1)))
			return -EBADMSG;
		at += whole;
		left -= whole;
	}
	return 0;
}

static int ask_functions(struct resolver *resolver, struct resolver_listing *listing)
{
	struct message_list request = {
		.message = {.type = MESSAGE_LIST, .module = listing->module->index},
		.flags = kernel_has_long_nops() ? LIST_LONG_NOPS : 0,
	};
	const struct message *reply;
	size_t size, capacity = 0;
	uint32_t added;
	int err;

	do {
		err = module_ask(resolver->modules, listing->module, &request.message,
				 sizeof(request), LIST_LIMIT_MS, &reply, &size);
		if (!err)
			err = take_page(listing, &capacity, reply, size, &added);
		if (err)
			return err;
		request.first += added;
	} while (added > 0 && request.first < LISTED_MAX);
	return 0;
}

static int list_module(struct resolver *resolver, struct resolver_listing *listing, bool only_about)
{
	int err;

	listing->soname = listing->runpath = "";
	if (!only_about)
		module_offer_debug(resolver->modules, listing->module);
	err = ask_about(resolver, listing);
	if (!err && !only_about)
		err = ask_functions(resolver, listing);
	listing->build_id_size = listing->module->build_id_size;
	memcpy(listing->build_id, listing->module->build_id, sizeof(listing->build_id));
	return err;
}

int resolver_list_module(struct resolver *resolver, struct resolver_listing *listing)
{
	return list_module(resolver, listing, false);
}

int resolver_list_functions(struct resolver *resolver, const struct resolver_query *query,
			    struct resolver_listing *ret)
{
	struct resolver_listing listing = {.path = NULL};
	int err = resolver_find_module(resolver, query, &listing.module, &listing.path);

	if (!err) {
		err = list_module(resolver, &listing, query->only_about);
		if (err)
			fail_errno(err, "reading the functions of %s", query->binary);
	}
	if (err)
		resolver_listing_release(&listing);
	else
		*ret = listing;
	return err;
}

/* ---- parameters ---- */

/* Debug information of a large program is read when it is first asked about. */
#define PARAMETERS_LIMIT_MS 20000

/* Names come from a file that may be hostile: what is no letter of a name becomes '?'. */
static bool take_parameter(const struct message_parameter *from, struct resolver_parameter *ret)
{
	if (!memchr(from->name, '\0', sizeof(from->name)) || from->type < PARAMETER_SIGNED ||
	    from->type > PARAMETER_TEXT || from->size_bytes == 0 || from->size_bytes > 8 ||
	    from->position > RESOLVER_PARAMETERS_MAX)
		return false;
	*ret = (struct resolver_parameter){
		.type = from->type, .size_bytes = from->size_bytes, .position = from->position};
	for (size_t i = 0; from->name[i]; i++) {
		unsigned char c = (unsigned char)from->name[i];

		ret->name[i] = c > ' ' && c != 0x7f && c != ',' && c != '=' ? (char)c : '?';
	}
	return true;
}

size_t resolver_parameters(struct resolver *resolver, struct resolver_listing *listing,
			   const struct resolver_listed *item,
			   struct resolver_parameter ret[RESOLVER_PARAMETERS_MAX])
{
	const struct message_address request = {
		.message = {.type = MESSAGE_PARAMETERS, .module = listing->module->index},
		.address = item->address,
	};
	const struct message_parameter *found;
	const struct message *reply;
	size_t size, count = 0;

	if (module_ask(resolver->modules, listing->module, &request.message, sizeof(request),
		       PARAMETERS_LIMIT_MS, &reply, &size))
		return 0;
	found = (const struct message_parameter *)(reply + 1);
	if (reply->count > RESOLVER_PARAMETERS_MAX ||
	    size != sizeof(*reply) + reply->count * sizeof(*found))
		return 0;
	for (uint32_t i = 0; i < reply->count; i++)
		count += take_parameter(&found[i], &ret[count]);
	return count;
}

void resolver_listing_release(struct resolver_listing *listing)
{
	free(listing->path);
	free(listing->items);
	arena_release(&listing->text);
	*listing = (struct resolver_listing){.path = NULL};
}
