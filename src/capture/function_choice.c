/* SPDX-License-Identifier: BSD-2-Clause */
/* For the time being: exact names of the command's own file. */
#include "capture/function_choice.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "symbol/resolver.h"

int function_choice_make(const struct function_request *request, struct resolver *resolver,
			 struct function_choice *ret)
{
	for (size_t i = 0; i < request->wish_count; i++) {
		const char *at = strchr(request->wishes[i].text, '@');
		_cleanup_free_ char *function = at ? strndup(request->wishes[i].text,
							     (size_t)(at - request->wishes[i].text))
						   : xstrdup(request->wishes[i].text);
		const struct resolver_query query = {
			.binary = at ? at + 1 : request->command,
			.function = function,
			.pids = request->pids,
			.pid_count = at ? request->pid_count : 0,
		};
		struct resolver_function found;
		_cleanup_free_ char *where = NULL;
		int err = query.binary ? resolver_find_function(resolver, &query, &found)
				       : fail(-EINVAL, "-F NAME@BINARY, or a command");

		if (err)
			return err;
		where = xasprintf("%s:%s", query.binary, function);
		array_reserve((void **)&ret->items, &ret->capacity, ret->count + 1,
			      sizeof(*ret->items));
		ret->items[ret->count++] = (struct function_item){
			.name = arena_strdup(&ret->arena, request->wishes[i].text),
			.where = arena_strdup(&ret->arena, where),
			.path = arena_strdup(&ret->arena, found.path),
			.entry_offset = found.file_offset,
			.probe_offset = found.file_offset,
			.flags = EVENT_NAME_TRACED,
		};
		free(found.path);
	}
	return 0;
}

void function_choice_release(struct function_choice *choice)
{
	free(choice->items);
	free(choice->notes);
	arena_release(&choice->arena);
}
