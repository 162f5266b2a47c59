/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/function_name.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/error.h"
#include "capture/capture.h"
#include "capture/function_value.h"
#include "event/schema.h"

bool function_name_has_values(const struct function_item *item)
{
	return item->values && item->values->count > 0;
}

struct function_probe function_name_probe(const struct function_item *item, uint32_t name)
{
	bool is_entry_only = item->flags & EVENT_NAME_ENTRY_ONLY;

	return (struct function_probe){
		.path = item->path,
		.offset = item->probe_offset,
		.cookie = name | (item->flags & EVENT_NAME_TRACED ? 0 : FUNCTION_COOKIE_SPAN) |
			  (is_entry_only ? FUNCTION_COOKIE_ENTRY_ONLY : 0) |
			  (function_name_has_values(item) ? FUNCTION_COOKIE_VALUES : 0),
		.is_entry_only = is_entry_only,
	};
}

bool function_name_is_of_all(const struct function_item *item)
{
	static const char *const files[] = {"libc.so",      "libc-2.",  "ld-linux", "libm.so",
					    "libpthread",   "libdl.so", "librt.so", "libgcc_s.so",
					    "libstdc++.so", "ld-musl",  "libc++"};
	const char *slash = strrchr(item->path, '/');
	const char *file = slash ? slash + 1 : item->path;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (!strncmp(file, files[i], strlen(files[i])))
			return true;
	}
	return false;
}

int function_name_store(const struct function_item *item, uint32_t name, struct bpf_object *object)
{
	struct value_sources sources;

	if (!function_name_has_values(item))
		return 0;
	function_value_sources(item->values, &sources);
	if (bpf_map_update_elem(bpf_object__find_map_fd_by_name(object, "value_sources"), &name,
				&sources, BPF_ANY))
		return fail_errno(-errno, "storing the values of %s", item->name);
	return 0;
}

void function_name_tell(const struct function_item *item, uint32_t name,
			const struct capture_sink *sink)
{
	size_t name_bytes = strlen(item->name) + 1, where_bytes = strlen(item->where) + 1;
	size_t size = event_align(sizeof(struct event_span_name) + name_bytes + where_bytes);
	_cleanup_free_ struct event_span_name *event = xcalloc(1, size);

	event->header = (struct event_header){
		.kind = EVENT_SPAN_NAME, .size = (uint16_t)size, .time_ns = capture_now_ns()};
	event->name = name;
	event->flags = item->flags;
	memcpy(event->text, item->name, name_bytes);
	memcpy(event->text + name_bytes, item->where, where_bytes);
	sink->table(sink->context, &event->header);
}
