/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the resolver and its reader say to each other, over a socket that keeps message boundaries.
 * Each request gets one reply of the same type and module. File descriptors ride along with
 * requests.
 *
 * The reader works on hostile files and may have been taken over by one: the resolver checks each
 * size, count, index and string in a reply before it uses it.
 */
#ifndef DASHCAM_SYMBOL_MESSAGE_H
#define DASHCAM_SYMBOL_MESSAGE_H

#include <stdint.h>

#include "event/event.h"

#define MESSAGE_SIZE_MAX (64 * 1024)

enum message_type {
	MESSAGE_OPEN_ELF = 1, /* with a file: an ELF module; message_open -> message_opened */
	MESSAGE_OPEN_MAP =
		2,         /* with a file: perf-PID.map of a JIT module; replaces an earlier one */
	MESSAGE_DEBUG = 3, /* with a file: a candidate for the module's debug file */
	MESSAGE_ROW = 4,   /* message_address -> count unwind_row: that one, then the next ones */
	MESSAGE_CALL_SITE = 5, /* message_address -> count is 1 if a call ends there, else 0 */
	MESSAGE_NAMES = 6,    /* count addresses -> message_place..., for the first COUNT of them */
	MESSAGE_FUNCTION = 7, /* message_find -> message_function: a function by its name */
	MESSAGE_ABOUT = 8,    /* -> message_about: what the file is called and needs */
	MESSAGE_LIST = 9,     /* message_list -> count message_listed: its functions from one on */
	MESSAGE_PARAMETERS = 10, /* message_address -> count message_parameter: of the function there */
};

/* The head of each message. In replies ERROR is zero or a negative errno; -ENOENT: the reader does
 * not have that module (any more) and wants it opened again. */
struct message {
	uint32_t type;
	uint32_t module;
	int32_t error;
	uint32_t count;
};

struct message_address {
	struct message message;
	uint64_t address;
};

struct message_open {
	struct message message;
	uint32_t source_lines;  /* names come with source lines and inlined calls */
	uint32_t build_id_size; /* the file must have this build id; 0: any */
	uint8_t build_id[24];
};

/* A loadable part of the file. */
struct message_segment {
	uint64_t file_offset;
	uint64_t file_bytes;
	uint64_t address;
	uint64_t is_code;
};

#define MESSAGE_SEGMENTS_MAX 32

struct message_opened {
	struct message message;
	uint32_t segment_count;
	uint32_t build_id_size;
	uint64_t entry; /* address of the first instruction that a process runs; 0 if it has none */
	uint8_t build_id[24];
	uint32_t link_checksum; /* of the debug file named by .gnu_debuglink */
	char link[260];         /* its name without a directory; "" if there is none */
	struct message_segment segments[MESSAGE_SEGMENTS_MAX];
};

/* A function at the address numbered INDEX in the request. Behind it NAME_SIZE and FILE_SIZE bytes
 * of text, each with its NUL, then padding to a multiple of 8. Of one address the innermost comes
 * first; an address without a name has no place at all. */
struct message_place {
	uint64_t offset; /* from the function's start */
	uint32_t index;
	uint32_t line;
	uint16_t flags; /* enum event_frame_flag */
	uint16_t name_size;
	uint16_t file_size;
	uint16_t reserved;
};

#define MESSAGE_NAMES_MAX 256 /* addresses in one request */

#define MESSAGE_FUNCTION_NAME 512 /* its NUL included */

struct message_find {
	struct message message;
	uint64_t address;                 /* the module's own, if there is no name */
	char name[MESSAGE_FUNCTION_NAME]; /* "": by address */
};

enum message_function_flag {
	FUNCTION_NOT_ENTRY = 1,    /* the return address is not on top of the stack there */
	FUNCTION_CHOSEN_LATER = 2, /* not the function: what chooses it when a program starts */
	FUNCTION_MAY_UNWIND = 4,   /* exceptions may go through it */
	FUNCTION_MOVES_STACKS = 8, /* its program switches or moves stacks by itself */
};

#define MESSAGE_MATCHES_MAX     4
#define MESSAGE_SUGGESTIONS_MAX 3

/* Functions of that name: COUNT of them, the first few with their addresses. If there is none,
 * names like it; "" where there are no more. */
struct message_function {
	struct message message;
	uint32_t flags; /* enum message_function_flag, of the first */
	uint32_t reserved;
	uint64_t addresses[MESSAGE_MATCHES_MAX];
	char suggestions[MESSAGE_SUGGESTIONS_MAX][MESSAGE_FUNCTION_NAME];
};

/* Behind it TEXT_SIZE bytes, texts with a NUL behind each: the file's soname, its DT_RUNPATH or
 * DT_RPATH, and COUNT sonames of libraries it needs. */
struct message_about {
	struct message message;
	uint32_t flags; /* FUNCTION_MAY_UNWIND, FUNCTION_MOVES_STACKS */
	uint32_t text_size;
};

enum message_list_flag {
	LIST_LONG_NOPS = 1, /* the kernel emulates nops of more than two bytes (from 6.16 on) */
};

struct message_list {
	struct message message;
	uint32_t first; /* functions before it have been told of */
	uint32_t flags; /* enum message_list_flag */
};

/* One function. Behind it NAME_SIZE, SYMBOL_SIZE and ALIASES_SIZE bytes of text, each with its NUL
 * (aliases have one behind each), then padding to a multiple of 8. A page without functions ends
 * the list. */
struct message_listed {
	uint64_t address;
	uint64_t size_bytes;
	uint16_t probe_bytes; /* from the address to the place of the probe */
	uint16_t written;     /* enum resolver_argument */
	uint8_t place;        /* enum resolver_place */
	uint8_t why;          /* enum resolver_why */
	uint8_t flags;        /* enum message_listed_flag */
	uint8_t reserved;
	uint16_t name_size;
	uint16_t symbol_size;
	uint16_t aliases_size; /* may be 0 */
	uint16_t reserved2;
};

enum message_listed_flag {
	LISTED_ENTRY_REFUSED = 1,
	LISTED_HAS_SYMBOL = 2,
};

#define MESSAGE_PARAMETERS_MAX 12
#define MESSAGE_PARAMETER_NAME 28 /* its NUL included; longer ones are cut */

enum message_parameter_type {
	PARAMETER_SIGNED = 1,
	PARAMETER_UNSIGNED = 2,
	PARAMETER_POINTER = 3,
	PARAMETER_TEXT = 4, /* a pointer to char */
};

struct message_parameter {
	char name[MESSAGE_PARAMETER_NAME];
	uint8_t type;       /* enum message_parameter_type */
	uint8_t size_bytes; /* of a number */
	uint8_t position;   /* among the arguments that are no floating-point numbers, from 1; 0: what
			       is returned */
	uint8_t reserved;
};

/* Longer symbols and lists of aliases are cut. */
#define MESSAGE_SYMBOL_MAX  4096
#define MESSAGE_ALIASES_MAX 8192

#endif
