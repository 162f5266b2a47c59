/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds functions by their names: the resolver's end of MESSAGE_FUNCTION. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "symbol/binary.h"
#include "symbol/resolver_state.h"

/* A debug file of a gigabyte has some million symbols. */
#define FIND_LIMIT_MS 20000

/* ---- the file ---- */

/* The code that one of the processes maps under that name. */
static struct module *find_mapped(struct resolver *resolver, const struct resolver_query *query,
				  char **ret_path)
{
	for (size_t i = 0; i < query->pid_count; i++) {
		struct process *process = processes_get(&resolver->processes, query->pids[i]);

		for (size_t m = 0; m < process->count; m++) {
			struct mapping *mapping = &process->maps[m];

			if (!mapping->inode || !binary_is_named(mapping->path->text, query->binary))
				continue;
			*ret_path = xasprintf("/proc/%u/map_files/%" PRIx64 "-%" PRIx64,
					      process->pid, mapping->start, mapping->end);
			return modules_of(resolver->modules, process, mapping);
		}
	}
	return NULL;
}

static int fail_open(int err, const char *path)
{
	if (err == -ENOEXEC)
		return fail(err, "%s is no program and no library (ELF)", path);
	if (err == -ENOTSUP)
		return fail(err, "%s is for another machine than this one (64-bit)", path);
	if (err == -EACCES)
		return fail(err, "%s is no regular file, or may not be read", path);
	return fail_errno(err, "opening %s", path);
}

int resolver_find_module(struct resolver *resolver, const struct resolver_query *query,
			 struct module **ret_module, char **ret_path)
{
	struct module *module = find_mapped(resolver, query, ret_path);
	int err;

	if (module) {
		*ret_module = module;
		return module->is_unreadable ? fail(-EIO, "%s cannot be read", query->binary) : 0;
	}
	*ret_path = binary_find(query->binary);
	if (!*ret_path && strchr(query->binary, '/'))
		return fail_open(-errno, query->binary);
	if (!*ret_path)
		return fail(-ENOENT, "there is no %s in the usual directories: give its path",
			    query->binary);
	err = modules_open(resolver->modules, *ret_path, ret_module);
	return err ? fail_open(err, *ret_path) : 0;
}

/* ---- the function ---- */

static int make_request(const char *function, struct message_find *request)
{
	char *end;

	if (strlen(function) >= sizeof(request->name))
		return fail(-EINVAL, "a function's name has less than %zu characters",
			    sizeof(request->name));
	if (strncmp(function, "0x", 2)) {
		strcpy(request->name, function);
		return 0;
	}
	errno = 0;
	request->address = strtoull(function, &end, 16);
	return *end || errno || end == function + 2
		       ? fail(-EINVAL, "'%s' is no address: 0x and hexadecimal digits", function)
		       : 0;
}

/* Appends names of a file that may be hostile, as a person may read them. */
static void add_suggestions(struct buffer *text, const struct message_function *found)
{
	unsigned int count = 0;

	while (count < MESSAGE_SUGGESTIONS_MAX && found->suggestions[count][0])
		count++;
	for (unsigned int i = 0; i < count; i++) {
		buffer_printf(text, "%s'",
			      i == 0          ? ": did you mean "
			      : i + 1 < count ? ", "
					      : " or ");
		utf8_add_escaped(text, found->suggestions[i]);
		buffer_printf(text, "'");
	}
	buffer_printf(text, count ? "?"
				  : " (if its symbols were stripped, install them, or give an "
				    "address: 0x...)");
}

static int fail_missing(const struct resolver_query *query, const struct message_function *found)
{
	struct buffer text = {0};

	add_suggestions(&text, found);
	fail(0, "there is no function '%s' in %s%s", query->function, query->binary, text.data);
	buffer_release(&text);
	return -ENOENT;
}

static int fail_ambiguous(const struct resolver_query *query, const struct message_function *found)
{
	struct buffer text = {0};

	for (uint32_t i = 0; i < found->message.count && i < MESSAGE_MATCHES_MAX; i++)
		buffer_printf(&text, "%s0x%" PRIx64, i ? ", " : "", found->addresses[i]);
	fail(0, "%s has %u functions '%s': name one by its parameters or its address: %s%s",
	     query->binary, found->message.count, query->function, text.data,
	     found->message.count > MESSAGE_MATCHES_MAX ? ", ..." : "");
	buffer_release(&text);
	return -ENOTUNIQ;
}

/* What the reader said, if it makes sense. */
static int ask(struct resolver *resolver, struct module *module, const struct resolver_query *query,
	       struct message_function *ret)
{
	struct message_find request = {
		.message = {.type = MESSAGE_FUNCTION, .module = module->index}};
	const struct message *reply;
	size_t size;
	int err = make_request(query->function, &request);

	if (err)
		return err;
	module_offer_debug(resolver->modules, module);
	err = module_ask(resolver->modules, module, &request.message, sizeof(request),
			 FIND_LIMIT_MS, &reply, &size);
	if (!err && size != sizeof(*ret))
		err = -EBADMSG;
	if (err)
		return fail_errno(err, "reading the symbols of %s", query->binary);
	memcpy(ret, reply, sizeof(*ret));
	for (unsigned int i = 0; i < MESSAGE_SUGGESTIONS_MAX; i++)
		ret->suggestions[i][MESSAGE_FUNCTION_NAME - 1] = '\0';
	return 0;
}

static int check(const struct resolver_query *query, const struct message_function *found)
{
	if (found->message.count == 0)
		return fail_missing(query, found);
	if (found->message.count > 1)
		return fail_ambiguous(query, found);
	if (found->flags & FUNCTION_CHOSEN_LATER)
		return fail(-EINVAL,
			    "'%s' in %s only chooses one of several functions when a program "
			    "starts: name that one",
			    query->function, query->binary);
	if (found->flags & FUNCTION_NOT_ENTRY)
		return fail(-EINVAL, "no function that returns begins at '%s' in %s",
			    query->function, query->binary);
	return 0;
}

/* Where its probe goes. A function that the listing does not have keeps it at its entry. */
static int find_place(struct resolver *resolver, struct module *module,
		      const struct resolver_query *query, struct resolver_function *function)
{
	struct resolver_listing listing = {.module = module};
	const struct resolver_listed *listed = NULL;
	int err = resolver_list_module(resolver, &listing);

	for (size_t i = 0; !err && i < listing.count && !listed; i++) {
		if (listing.items[i].entry_offset == function->file_offset)
			listed = &listing.items[i];
	}
	if (err)
		fail_errno(err, "reading the functions of %s", query->binary);
	else if (listed && listed->place == RESOLVER_PLACE_NONE)
		err = fail(-EINVAL, "'%s' in %s cannot be probed: %s", query->function,
			   query->binary, resolver_why_text(listed->why));
	function->probe_offset = listed ? listed->probe_offset : function->file_offset;
	function->place = listed ? listed->place : RESOLVER_PLACE_COSTLY;
	resolver_listing_release(&listing);
	return err;
}

int resolver_find_function(struct resolver *resolver, const struct resolver_query *query,
			   struct resolver_function *ret)
{
	_cleanup_free_ char *path = NULL;
	struct message_function found;
	struct module *module;
	uint64_t offset;
	int err = resolver_find_module(resolver, query, &module, &path);

	if (!err)
		err = ask(resolver, module, query, &found);
	if (!err)
		err = check(query, &found);
	if (err)
		return err;
	if (!module_file_offset(module, found.addresses[0], &offset))
		return fail(-EINVAL, "there is no code at '%s' in %s", query->function,
			    query->binary);
	*ret = (struct resolver_function){
		.file_offset = offset,
		.may_unwind = found.flags & FUNCTION_MAY_UNWIND,
		.moves_stacks = found.flags & FUNCTION_MOVES_STACKS,
	};
	err = find_place(resolver, module, query, ret);
	if (err)
		return err;
	ret->path = path;
	path = NULL;
	return 0;
}
