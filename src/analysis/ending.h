/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a wait ended: by whose work, and on which way it came.
 *
 * The way is read from the waker's kernel stack: the functions of its innermost part say what was
 * signalled, those further out whether the waker did it itself or was only interrupted while a
 * packet from elsewhere came in. Programs that wait with a time limit and go on waiting (event
 * loops, libpq, redis-benchmark) are looked past: the wait that brought the message counts.
 */
#ifndef DASHCAM_ANALYSIS_ENDING_H
#define DASHCAM_ANALYSIS_ENDING_H

#include "analysis/category.h"
#include "analysis/history.h"

enum ending_way {
	ENDING_UNKNOWN,
	ENDING_TIME, /* its time limit, or the time it asked for */
	ENDING_SIGNAL,
	ENDING_EXIT,    /* another thread ended the process, or made it another program */
	ENDING_LOCAL,   /* TCP or UDP, sent or read by a thread of this machine */
	ENDING_OUTSIDE, /* a packet from elsewhere */
	ENDING_UNIX,    /* a unix socket, pipe or eventfd */
	ENDING_CHILD,   /* a process ended */
	ENDING_OTHER,   /* by a thread, in another way: locks, conditions, kernel work */
};

struct ending {
	enum ending_way way;
	const struct turn *turn;    /* whose waker it was: the one asked about, or a later one */
	const struct thread *waker; /* whose work ended it; NULL: nobody's that is known */
	/* Its time was up, and it asked this one again, which had not answered; NULL: not so. */
	const struct thread *unanswered_by;
	enum ending_way asked_way; /* on which way it had asked that one */
};

/* How the wait of TURN, a turn of THREAD, ended. */
struct ending ending_of(const struct history *history, const struct thread *thread,
			const struct turn *turn);

/* It waited in a call that takes many descriptors (epoll, poll, select): whose work it waits for,
 * it may not know. */
bool ending_is_of_loop(const struct wait *wait);

/*
 * Why a thread waited that seems idle, inside poll and the like: net.recv or wait.ipc if it waited
 * for one peer, or for the answer to what it had just sent; else wait.idle. A server that waits for
 * the next request is idle.
 */
enum category ending_category(const struct history *history, const struct thread *thread,
			      const struct turn *turn);

#endif
