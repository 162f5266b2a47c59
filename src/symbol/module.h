/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Modules: files with code, the vdso, and code without a file. A module is found for a mapping when
 * a frame first falls into it; its file is opened then, given to the reader, and what the reader
 * says is kept here.
 */
#ifndef DASHCAM_SYMBOL_MODULE_H
#define DASHCAM_SYMBOL_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/memory.h"
#include "symbol/helper.h"
#include "symbol/process.h"
#include "symbol/unwind.h"

/* A range of addresses and its row. */
struct row_range {
	uint64_t start;
	uint64_t end;
	const struct unwind_row *row;
};

/* Where a module's file was found mapped. */
struct module_place {
	uint32_t pid;
	uint32_t parent_pid;
	uint64_t start;
	uint64_t end;
	uint32_t device; /* major << 20 | minor */
	uint64_t inode;
	const char *path;
};

struct module {
	uint32_t index; /* between resolver and reader; never used again */
	uint32_t id;    /* in frames; 0 until the first frame, or when ids have run out */
	uint32_t kind;  /* enum event_module_kind */
	bool has_id;
	bool is_unreadable; /* the file cannot be had, or the reader failed on it */
	bool is_missing;    /* the file cannot be had: another process may have it */
	bool is_no_elf;     /* its code belongs to the JIT module of each process that maps it */
	bool has_debug;     /* debug files have been offered to the reader */
	uint32_t build_id_size;
	uint8_t build_id[EVENT_BUILD_ID_MAX];
	struct module_place place; /* how to open it again; path is owned */
	uint64_t entry; /* where a process begins that this is the program (or loader) of; or 0 */
	uint32_t segment_count;
	struct message_segment segments[MESSAGE_SEGMENTS_MAX];
	uint32_t link_checksum;
	char *link;             /* name of the debug file; NULL if none */
	struct row_range *rows; /* sorted, disjoint */
	size_t row_count;
	size_t row_capacity;
	struct map64 call_sites; /* address -> 1 a call ends there, 0 not */
	/* JIT: */
	uint32_t ns_pid;
	uint32_t uid;
	uint64_t map_size; /* of perf-PID.map when it was read last */
};

#define ROW_CACHE_SIZE 8192 /* a power of two */

struct modules {
	struct helper *helper;
	bool source_lines;
	struct module **items; /* by index - 1 */
	size_t count;
	size_t capacity;
	struct map64 by_build_id; /* hash -> struct module * */
	struct map64 by_file;  /* hash of device, inode, size, time of change -> struct module * */
	struct map64 by_inode; /* hash of device, inode -> the latest such module */
	struct module *vdso;
	struct arena rows;
	struct row_cache {
		uint64_t key;
		const struct unwind_row *row;
	} cache[ROW_CACHE_SIZE];
};

/* The helper is borrowed. */
struct modules *modules_new(struct helper *helper, bool source_lines);
void modules_free(struct modules *modules); /* NULL is fine */

/* The module that a mapping of PROCESS maps; never NULL. */
struct module *modules_of(struct modules *modules, struct process *process,
			  struct mapping *mapping);

/* A module for the file at an absolute PATH, as we see it, whoever maps it. 0, or a negative errno
 * without a sentence: -ENOEXEC, -ENOTSUP as image_open. */
int modules_open(struct modules *modules, const char *path, struct module **ret);

/* The module's own address (as in its symbol table) of a runtime address inside MAPPING. */
uint64_t module_address(const struct module *module, const struct mapping *mapping,
			uint64_t address);

/* Where in the file the code of a module's own address lies. False: no code is there. */
bool module_file_offset(const struct module *module, uint64_t address, uint64_t *ret);

/* How to unwind at an address of the module; never NULL, but perhaps UNWIND_ROW_NONE. */
const struct unwind_row *module_row(struct modules *modules, struct module *module,
				    uint64_t address);

/* Whether a call instruction ends at an address of the module. */
bool module_is_call_site(struct modules *modules, struct module *module, uint64_t address);

/*
 * Asks the reader about a module: as helper_ask, but a module that the reader does not have (any
 * more) is given to it first. When the reader does not answer, the module is marked unreadable and
 * a warning names it.
 */
int module_ask(struct modules *modules, struct module *module, const struct message *request,
	       size_t size, unsigned int limit_ms, const struct message **ret_reply,
	       size_t *ret_size);

/* Offers the reader the module's debug files, once. */
void module_offer_debug(struct modules *modules, struct module *module);

/* Gives the reader the JIT map if it has grown since. True if it has a new one. */
bool module_refresh_map(struct modules *modules, struct module *module);

#endif
