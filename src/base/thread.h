/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that stay out of the way of signals: those are for the thread that runs main.
 */
#ifndef DASHCAM_BASE_THREAD_H
#define DASHCAM_BASE_THREAD_H

#include <pthread.h>

/* As pthread_create, but the new thread has all signals blocked. Returns 0 or a negative errno. */
int thread_start(pthread_t *ret, void *(*run)(void *argument), void *argument);

#endif
