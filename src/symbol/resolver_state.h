/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the resolver share: resolver.c keeps it, walk.c turns stacks into frames,
 * naming.c turns frames into names.
 */
#ifndef DASHCAM_SYMBOL_RESOLVER_STATE_H
#define DASHCAM_SYMBOL_RESOLVER_STATE_H

#include "symbol/module.h"
#include "symbol/process.h"
#include "symbol/resolver.h"
#include "symbol/symbols.h"

/* A frame that waits for its name. */
struct new_frame {
	uint64_t frame;
	struct module *module; /* NULL: the kernel, or unknown */
};

struct resolver {
	struct resolver_options options;
	struct helper *helper;
	struct modules *modules;
	struct processes processes;
	uint32_t next_module; /* the next id to give out */
	struct map64 stacks;  /* ids that the sink knows */
	struct map64 frames;  /* frames that the sink knows or that wait */
	struct new_frame *waiting;
	size_t waiting_count;
	size_t waiting_capacity;
	struct symbols kernel;
	bool has_kernel;
	struct resolver_statistics statistics;
};

/* Frames of one stack, as far as they are known. */
struct walk {
	uint64_t frames[EVENT_FRAMES_MAX];
	uint16_t count;
	uint16_t flags; /* enum event_stack_flag */
};

/* Gives the event to the sink, with the time of now. */
void resolver_emit(struct resolver *resolver, struct event_header *event);

/* Makes the frame of a module's address, tells the sink of the module and the mapping (NULL: none)
 * if it does not know them, and notes a new frame for naming. MODULE NULL: unknown. */
uint64_t resolver_frame(struct resolver *resolver, const struct process *process,
			struct mapping *mapping, struct module *module, uint64_t offset);

/* Notes a frame for naming if it is new. */
void resolver_note_frame(struct resolver *resolver, uint64_t frame, struct module *module);

/* The module of the binary that QUERY names, and a path that leads to the file (owned by the
 * caller). 0, or a negative errno with a sentence; *RET_PATH may be set then, too. */
int resolver_find_module(struct resolver *resolver, const struct resolver_query *query,
			 struct module **ret_module, char **ret_path);

/* Lists the functions of LISTING's module; its path is not touched. 0, or a negative errno without
 * a sentence; LISTING is to be released in any case. */
int resolver_list_module(struct resolver *resolver, struct resolver_listing *listing);

/* Unwinds a copied stack, or takes over the addresses of a frame-pointer walk. */
void walk_copy(struct resolver *resolver, const struct event_raw_user_stack *raw, struct walk *ret);
void walk_addresses(struct resolver *resolver, const struct event_raw_user_frames *raw,
		    struct walk *ret);

#endif
