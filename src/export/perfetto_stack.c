/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/perfetto.h"

#include <string.h>

/* Frame.Kind */
enum frame_kind {
	FRAME_NATIVE = 1,
	FRAME_KERNEL = 2,
	FRAME_JIT = 4
};

/* What a reader should see as the path of a module. */
static const char *module_path(const struct event_module *module)
{
	if (!module)
		return "[unknown]";
	switch (module->kind) {
	case EVENT_MODULE_VMLINUX:
		return "[kernel.kallsyms]";
	case EVENT_MODULE_VDSO:
		return "[vdso]";
	case EVENT_MODULE_JIT:
		return module->path[0] ? module->path : "[jit]";
	default:
		return module->path[0] ? module->path : "[unknown]";
	}
}

/* Every frame has a mapping, an unknown module has one too: older readers drop frames without. */
static uint64_t intern_mapping(struct perfetto_sequence *sequence, uint32_t id,
			       const struct event_module *module)
{
	bool is_new;
	uint64_t iid = perfetto_iid(sequence, TABLE_MAPPINGS, id, &is_new);

	if (is_new) {
		struct buffer *interned = &sequence->interned;
		uint64_t path =
			perfetto_intern_text(sequence, TABLE_MAPPING_PATHS, module_path(module));
		uint64_t build_id = 0;
		size_t entry;

		if (module)
			build_id = perfetto_intern_bytes(sequence, TABLE_BUILD_IDS,
							 module->build_id, module->build_id_size);
		entry = proto_open(interned, TABLE_MAPPINGS);
		proto_uint(interned, 1, iid);
		if (build_id)
			proto_uint(interned, 2, build_id);
		if (path)
			proto_uint(interned, 7, path); /* path_string_ids */
		proto_close(interned, entry);
	}
	return iid;
}

static enum frame_kind frame_kind(const struct place *place, const struct event_module *module)
{
	if (place->is_kernel)
		return FRAME_KERNEL;
	return module && module->kind == EVENT_MODULE_JIT ? FRAME_JIT : FRAME_NATIVE;
}

/* rel_pc is the frame's offset as it is: the module's own address, so a later symboliser can use
 * it. */
static uint64_t intern_frame(struct perfetto *perfetto, struct perfetto_sequence *sequence,
			     uint64_t frame, const struct place *place)
{
	uint64_t key[] = {frame, (uintptr_t)place};
	bool is_new;
	uint64_t iid = perfetto_iid(sequence, TABLE_FRAMES, hash_bytes(key, sizeof(key)), &is_new);

	if (is_new) {
		struct buffer *interned = &sequence->interned;
		uint32_t id = EVENT_FRAME_MODULE(frame);
		uint64_t *known = map64_get(&perfetto->modules, id);
		const struct event_module *module = known ? (void *)(uintptr_t)*known : NULL;
		uint64_t function =
			perfetto_intern_text(sequence, TABLE_FUNCTION_NAMES, place->function);
		uint64_t source = perfetto_intern_text(sequence, TABLE_SOURCE_PATHS, place->file);
		uint64_t mapping = intern_mapping(sequence, id, module);
		size_t entry = proto_open(interned, TABLE_FRAMES);

		proto_uint(interned, 1, iid);
		proto_uint(interned, 2, function);                  /* function_name_id */
		proto_uint(interned, 3, mapping);                   /* mapping_id */
		proto_uint(interned, 4, EVENT_FRAME_OFFSET(frame)); /* rel_pc */
		if (source) {
			proto_uint(interned, 5, source);      /* source_path_iid */
			proto_uint(interned, 6, place->line); /* line_number */
		}
		proto_uint(interned, 7, frame_kind(place, module)); /* kind */
		proto_close(interned, entry);
	}
	return iid;
}

/* Adds the frame iids (uint64_t) of one stack, outermost first. */
static void add_frames(struct perfetto *perfetto, struct perfetto_sequence *sequence,
		       const struct stack *stack, uint32_t skip, struct buffer *ids)
{
	for (uint32_t i = stack ? stack->place_count : 0; i > skip; i--) {
		uint64_t iid = intern_frame(perfetto, sequence, stack->frames[i - 1],
					    stack->places[i - 1]);

		buffer_add(ids, &iid, sizeof(iid));
	}
}

/* Equal stacks are one struct stack, so its index is the key. */
static uint64_t stack_key(const struct stack *stack)
{
	return stack && stack->place_count ? (uint64_t)stack->index + 1 : 0;
}

uint64_t perfetto_intern_callstack(struct perfetto *perfetto, struct perfetto_sequence *sequence,
				   uint64_t user_stack, uint64_t kernel_stack, bool skip_scheduler)
{
	const struct stack *user = model_stack(perfetto->model, user_stack);
	const struct stack *kernel = model_stack(perfetto->model, kernel_stack);
	uint64_t key = stack_key(kernel) << 32 | stack_key(user);
	uint64_t iid;
	bool is_new;

	if (key == 0)
		return 0;
	iid = perfetto_iid(sequence, TABLE_CALLSTACKS, key, &is_new);
	if (is_new) {
		struct buffer *interned = &sequence->interned;
		struct buffer ids = {0};
		uint32_t skip = kernel && skip_scheduler ? model_stack_skip(kernel) : 0;
		size_t entry;

		/* A stack of nothing but skipped frames would be empty, which readers refuse. */
		if (kernel && !stack_key(user) && skip >= kernel->place_count)
			skip = kernel->place_count - 1;
		add_frames(perfetto, sequence, user, 0, &ids);
		add_frames(perfetto, sequence, kernel, skip, &ids);
		entry = proto_open(interned, TABLE_CALLSTACKS);
		proto_uint(interned, 1, iid);
		for (size_t i = 0; i < ids.size; i += sizeof(iid)) {
			uint64_t id;

			memcpy(&id, ids.data + i, sizeof(id));
			proto_uint(interned, 2, id); /* frame_ids, not packed */
		}
		proto_close(interned, entry);
		buffer_release(&ids);
	}
	return iid;
}
