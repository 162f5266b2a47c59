/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is written behind -F and -N: which functions, and which of their values.
 *
 *	NAME[@PLACE][(VALUES)][ ret:TYPE]     or NAME[(VALUES)][ ret:TYPE][@PLACE]
 *
 *	main                           a function of the program itself
 *	leveldb::*                     all whose name matches the glob
 *	/^sqlite3_(step|bind)/         all whose name matches the extended regular expression
 *	*@libc.so.6                    of the library of that name, which may be a glob
 *	sqlite3_*@/opt/db/libdb.so     of that file
 *	parse(arg1:str, arg3:u64) ret:int
 *	parse(path:str, size:u64)      the first two arguments, by names of one's own
 *	parse(*)                       names and types of all arguments from debug information
 *
 * A name is matched as people write it, without parameters, and as the symbol is.
 */
#ifndef DASHCAM_CAPTURE_FUNCTION_PATTERN_H
#define DASHCAM_CAPTURE_FUNCTION_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "event/event.h"

#define FUNCTION_ARGUMENT_MAX 12 /* the last argument that can be asked for */
#define FUNCTION_VALUE_NAME   32 /* with its NUL */

enum function_value_type {
	FUNCTION_VALUE_SIGNED,
	FUNCTION_VALUE_UNSIGNED,
	FUNCTION_VALUE_POINTER, /* shown as an address */
	FUNCTION_VALUE_TEXT,    /* the address of a text that ends with a NUL */
	FUNCTION_VALUE_BYTES,   /* the address of so many bytes */
};

/* One argument, or what is returned. */
struct function_value {
	char name[FUNCTION_VALUE_NAME]; /* "arg1", "ret", or as debug information has it */
	enum function_value_type type;
	uint32_t size_bytes; /* of the number, or of the bytes behind the address */
	uint32_t position;   /* among the arguments that are no floating-point numbers, from 1; 0:
				the result */
};

struct function_values {
	struct function_value items[EVENT_VALUES_MAX];
	uint32_t count;
	bool from_debug_information; /* "(*)": arguments are to be found out for each function */
};

struct function_pattern {
	bool is_excluded; /* -N */
	bool is_exact;    /* no glob and no expression: it names one function */
	char *name;       /* glob, or the text of the expression */
	void *regex;      /* compiled (regex_t); NULL: a glob */
	char *place;      /* what is behind the @; NULL: the program itself */
	struct function_values values;
};

/* Reads TEXT into RET, which function_pattern_release frees. 0, or -EINVAL with a sentence that
 * does not repeat TEXT. */
int function_pattern_parse(const char *text, bool is_excluded, struct function_pattern *ret);

/* Does a function's name, readable or symbol, match? */
bool function_pattern_matches(const struct function_pattern *pattern, const char *name);

/* Does the pattern's place mean that file? SONAME may be "" (it has none). False without a place. A
 * library's name may be cut at a dot: libssl, libssl.so. */
bool function_pattern_is_at(const struct function_pattern *pattern, const char *path,
			    const char *soname);

/* Does the place name one file, rather than all that a glob matches? */
bool function_pattern_names_file(const struct function_pattern *pattern);

void function_pattern_release(struct function_pattern *pattern);

#endif
