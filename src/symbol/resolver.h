/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resolver: from copied stacks and raw addresses to frames, and from frames to names.
 *
 * ELF, DWARF and map files of recorded processes are hostile. They are opened by one child process
 * (regular files only, device and inode or build id checked; an open that blocks is given up) and
 * read by another, which has neither privileges nor files nor network (nobody, seccomp, limits). If
 * that one crashes or hangs on a file, it is started again, the file is left alone, and a warning
 * says so.
 *
 * Not thread-safe: one thread owns a resolver. Calls must come in the order of the events' time,
 * since they follow mappings as processes fork, exec and map.
 *
 * What is found out on the way is given to the sink as events: module, mapping, stack, frame. All
 * of them belong to STREAM_TABLE of a recording. The sink gets each definition once: modules and
 * mappings when a frame first falls into them, so those that no stack touches are never told of.
 */
#ifndef DASHCAM_SYMBOL_RESOLVER_H
#define DASHCAM_SYMBOL_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "event/event.h"

struct module;
struct resolver;

struct resolver_options {
	bool source_lines; /* source line and inlined calls from DWARF: slower */
	bool no_sandbox;   /* tests only: read files in this process */
	/* Receives a definition; the event is borrowed for the call. */
	void (*sink)(void *context, const struct event_header *event);
	void *context;
};

/* Starts the children: call it before anything is opened that they must not inherit, and while
 * there is one thread. Needs no privileges by itself; without root, less can be opened. */
int resolver_new(struct resolver **ret, const struct resolver_options *options);
void resolver_free(struct resolver *resolver); /* ends the children; NULL is fine */

/* A process mapped executable code (perf MMAP2). BUILD_ID may be NULL (size 0), then DEVICE (major
 * << 20 | minor) and INODE tell the file. */
struct resolver_mapping {
	uint32_t pid;
	uint64_t start;
	uint64_t end;
	uint64_t file_offset;
	uint32_t device;
	uint64_t inode;
	const uint8_t *build_id;
	uint32_t build_id_size;
	const char *path;
};
void resolver_map(struct resolver *resolver, const struct resolver_mapping *mapping);
void resolver_fork(struct resolver *resolver, uint32_t parent_pid,
		   uint32_t pid); /* processes only */
void resolver_exec(struct resolver *resolver, uint32_t pid);
void resolver_exit(struct resolver *resolver, uint32_t pid); /* the whole process */

/* A file whose code a process maps. */
struct resolver_mapped {
	const char *path; /* as /proc/PID/maps has it */
	uint64_t inode;
	uint32_t device; /* major << 20 | minor */
};

/* Calls TAKE with each file that a process maps now; with some more than once. TAKE must not call
 * the resolver. */
void resolver_mapped_files(struct resolver *resolver, uint32_t pid,
			   void (*take)(void *context, const struct resolver_mapped *file),
			   void *context);

/* Turn a raw stack of a log into a `stack` event with the same id. A process seen for the first
 * time has its mappings read from /proc/PID/maps. New frames are noted for resolver_name_frames. */
void resolver_user_stack(struct resolver *resolver, const struct event_raw_user_stack *raw);
void resolver_user_frames(struct resolver *resolver, const struct event_raw_user_frames *raw);
void resolver_kernel_stack(struct resolver *resolver, const struct event_raw_kernel_stack *raw);

/* Names up to LIMIT of the frames that are new since the last call (0: all), as `frame` events.
 * Returns how many still wait. */
uint64_t resolver_name_frames(struct resolver *resolver, uint64_t limit);

/* What a probe on the entry of a function costs. */
enum resolver_place {
	RESOLVER_PLACE_NONE,   /* it cannot or must not be probed */
	RESOLVER_PLACE_CHEAP,  /* the kernel emulates the instruction there: under 1 us */
	RESOLVER_PLACE_COSTLY, /* it is single-stepped: some 10 us */
};

/* A function to be found. BINARY is a path, or a name to be found among what the processes PIDS
 * map, in the usual directories of libraries, or in PATH. FUNCTION is a symbol, a readable name, or
 * 0x and an address as in the symbol table. */
struct resolver_query {
	const char *binary;
	const char *function;
	const uint32_t *pids;
	size_t pid_count;
	bool only_about; /* of a listing: what the file needs is enough, without its functions */
};

struct resolver_function {
	char *path;            /* leads to the file; owned by the caller */
	uint64_t file_offset;  /* of its first instruction */
	uint64_t probe_offset; /* in the file: where the probe on its entry goes */
	enum resolver_place place;
	bool may_unwind;   /* exceptions may go through it */
	bool moves_stacks; /* its program switches or moves stacks by itself */
};

/* Returns 0, or a negative errno with a sentence: no such file, no such function (with names like
 * it), more than one, a place that is not the begin of a function or cannot be probed. Only
 * addresses at which a return address lies on top of the stack are found. */
int resolver_find_function(struct resolver *resolver, const struct resolver_query *query,
			   struct resolver_function *ret);

/* Why a function's place is what it is. resolver_why_text says it in words. */
enum resolver_why {
	RESOLVER_WHY_OK,          /* cheap: nothing to say */
	RESOLVER_WHY_MOVED_STACK, /* costly: the stack moves before a cheap instruction */
	RESOLVER_WHY_JUMPED_TO,  /* costly: what is cheap can be reached again, or by another way */
	RESOLVER_WHY_NO_CHEAP,   /* costly: the first block has no cheap instruction */
	RESOLVER_WHY_MACHINE,    /* costly: places are not looked for on this machine */
	RESOLVER_WHY_PART,       /* none: part of another function (.cold), or inside of one */
	RESOLVER_WHY_START,      /* none: nothing calls it: the program begins there */
	RESOLVER_WHY_STUB,       /* none: a stub of the linker (.plt) or .init, .fini */
	RESOLVER_WHY_CHOSEN,     /* none: it only chooses a function (IFUNC) */
	RESOLVER_WHY_REFUSED,    /* none: the kernel refuses all instructions it could be put on */
	RESOLVER_WHY_UNREADABLE, /* none: its code cannot be read or decoded */
	RESOLVER_WHY_COUNT,
};

/* "the stack moves before a cheap instruction" and so on; "" for RESOLVER_WHY_OK. */
const char *resolver_why_text(enum resolver_why why);

/* Argument registers, as bits: the integer ones in the order of the ABI, then xmm0 to xmm7. */
enum resolver_argument {
	RESOLVER_ARGUMENT_RDI = 1,
	RESOLVER_ARGUMENT_RSI = 2,
	RESOLVER_ARGUMENT_RDX = 4,
	RESOLVER_ARGUMENT_RCX = 8,
	RESOLVER_ARGUMENT_R8 = 16,
	RESOLVER_ARGUMENT_R9 = 32,
	RESOLVER_ARGUMENT_XMM0 = 64, /* << N for xmmN */
};

/* One function of a file. The texts belong to the listing. */
struct resolver_listed {
	const char *name;    /* readable, without parameters; fn_0x1234 if it has no symbol */
	const char *symbol;  /* as in the file; the same as NAME if it has none */
	const char *aliases; /* further symbols and readable names: NUL behind each, "" ends them */
	uint64_t address;    /* as in the symbol table */
	uint64_t size_bytes; /* 0: not known */
	uint64_t entry_offset; /* in the file, of its first instruction */
	uint64_t probe_offset; /* in the file, of the place; ENTRY_OFFSET unless there is a better
				  one. [rsp] holds the return address there too. */
	uint16_t written;      /* argument registers that may not be what they were at the entry
				  (enum resolver_argument): who reads them probes the entry */
	uint8_t place;         /* enum resolver_place */
	uint8_t why;           /* enum resolver_why */
	bool entry_is_refused; /* the kernel refuses a probe on the very first instruction */
	bool has_symbol;
	const char *file; /* of the source; "" until resolver_add_source_lines, or unknown */
	uint32_t line;
};

/* The functions of a file, one for each address, by rising addresses. */
struct resolver_listing {
	char *path;          /* leads to the file */
	const char *soname;  /* "" if it has none */
	const char *runpath; /* directories with colons between where it wants libraries to be looked
				for, "" for none; $ORIGIN is its own */
	const char **needed; /* sonames of the libraries it is linked with */
	size_t needed_count;
	bool may_unwind;   /* exceptions may go through its functions */
	bool moves_stacks; /* the program switches or moves stacks by itself */
	uint32_t build_id_size;
	uint8_t build_id[EVENT_BUILD_ID_MAX];
	struct resolver_listed *items;
	size_t count;
	struct arena text;
	struct module *module; /* for resolver_add_source_lines */
};

/* Lists the functions of QUERY's binary (its function is not looked at): from its symbol tables,
 * its debug file, and where no symbol is, from the table for unwinding. Returns 0, or a negative
 * errno with a sentence: no such file, no ELF file, not readable. A file without functions gives an
 * empty list. */
int resolver_list_functions(struct resolver *resolver, const struct resolver_query *query,
			    struct resolver_listing *ret);

/* Fills in source file and line of COUNT functions of LISTING from the one numbered FIRST on, where
 * DWARF says them. The resolver must have been made with source_lines. */
void resolver_add_source_lines(struct resolver *resolver, struct resolver_listing *listing,
			       size_t first, size_t count);

void resolver_listing_release(struct resolver_listing *listing);

/* A parameter of a function as debug information has it, or what it returns. */
struct resolver_parameter {
	char name[32];
	enum {
		RESOLVER_PARAMETER_SIGNED = 1,
		RESOLVER_PARAMETER_UNSIGNED = 2,
		RESOLVER_PARAMETER_POINTER = 3,
		RESOLVER_PARAMETER_TEXT = 4, /* a pointer to char */
	} type;
	uint32_t size_bytes; /* of a number */
	uint32_t position;   /* among the arguments that are no floating-point numbers, from 1; 0:
				what is returned */
};

#define RESOLVER_PARAMETERS_MAX 12

/* Finds those of ITEM, a function of LISTING, that the x86-64 ABI passes in places of their own.
 * Returns how many; 0 if nothing is known. */
size_t resolver_parameters(struct resolver *resolver, struct resolver_listing *listing,
			   const struct resolver_listed *item,
			   struct resolver_parameter ret[RESOLVER_PARAMETERS_MAX]);

struct resolver_statistics {
	uint64_t stacks; /* user stacks turned into frames */
	uint64_t truncated;
	uint64_t broken;
	uint64_t frames_named;
	uint64_t frames_unnamed;
	uint64_t child_restarts;
};
void resolver_statistics(const struct resolver *resolver, struct resolver_statistics *ret);

#endif
