/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for readers: locks of the kernel by who takes them, and which functions of a stack are only
 * the way to wait. Lists to extend, as category_table.c.
 */
#ifndef DASHCAM_ANALYSIS_CATEGORY_WORDS_H
#define DASHCAM_ANALYSIS_CATEGORY_WORDS_H

#include <stdbool.h>

#include "model/model.h"

/* Kernel functions that say only that something waits: schedule, mutex_lock, wait_for_completion.
 */
bool is_kernel_plumbing(const char *function);
/* Where the kernel was entered: do_syscall_64, asm_exc_page_fault, ret_from_fork. */
bool is_kernel_entry(const char *function);

/* The name of the lock that FUNCTION takes itself; NULL if it is not known to take one. Static. */
const char *lock_taken_by(const char *function);

/* The name of the lock that a function of a library takes; NULL if it is not known to take one.
 * Static. */
const char *user_lock_taken_by(const char *function);

/* What a user function around a futex says of it. */
enum futex_word {
	FUTEX_SAYS_NOTHING,
	FUTEX_SAYS_LOCK, /* never calls a program's functions: sure wherever it is on the stack */
	FUTEX_SAYS_CONDITION,
	FUTEX_SAYS_BOTH, /* a condition variable: at its end it takes its mutex again */
};

/* Looked up once for each place. */
enum futex_word futex_word_of(const struct place *place);

/* A function of a library that sends a question to a server and waits for the answer. */
bool asks_a_server(const char *function);

/* The file of a program that runs others, as people write it: bash, dash. */
bool is_shell_module(const char *module);

/* A function of the C library, the loader or a language's runtime. */
bool is_user_plumbing(const struct place *place);

#endif
