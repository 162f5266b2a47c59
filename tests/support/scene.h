/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of the analysis: a recording written as a scene, and what is made of it as text.
 *
 * A scene is the text of synth.h in any order of time, with two more kinds of lines:
 *
 *	on cpu1 11 10 worker
 *	1ms..5ms 10 lock by 11 futex_owner_tid=11
 *
 * The first is a thread (tid, pid, name) that has a CPU for itself and runs there from time 0.
 * The second is one of its waits as the recorder would have written it, from the switch-out to
 * the evidence:
 *
 *	FROM..TO TID KIND by WAKER FIELD=VALUE...
 *	FROM..WAKE..TO TID ...               woken before it got its CPU again
 *	FROM.. TID KIND FIELD=VALUE...       it had not ended when the recording did
 *
 * WAKER is a thread with a CPU, or idle: an interrupt. In the first form a thread wakes it a
 * nanosecond before TO, so that the order is clear; times are shown in whole microseconds, and
 * less is not shown. KIND gives the system call, its arguments and both stacks (see scene.c);
 * FIELDs are those of the wait event. KIND "short" has no evidence: FIELDs are of its switch-out.
 */
#ifndef DASHCAM_TESTS_SCENE_H
#define DASHCAM_TESTS_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/blame.h"
#include "analysis/explain.h"
#include "analysis/history.h"

struct scene {
	struct recording *recording;
	struct model *model; /* of the history */
	struct history *history;
};

/* Waits are kept as the text's meta min_wait_ns says. */
struct scene scene_open(const char *text);
/* Takes the recording over. */
struct scene scene_of(struct recording *recording);
void scene_close(struct scene *scene);

/* The only thread that has the tid. */
const struct thread *scene_thread(const struct scene *scene, uint32_t tid);
/* Its N-th turn, from 0; there must be one. */
const struct turn *scene_turn(const struct scene *scene, uint32_t tid, size_t n);

/* The account of a thread between two times (us) as "cpu.user 4000 lock.futex 6000", in the order
 * of enum category, in us. Fails the test if it does not sum to TO - FROM, or is not WANT. */
void scene_check_account(const struct scene *scene, uint32_t tid, uint64_t from_us, uint64_t to_us,
			 const char *want);

/*
 * The causes of all that a thread did between two times, a line each, the longest first:
 *
 *	4000 lock.futex 10 held by 11 behind = cpu.user hog in burn (real-time priority 50),
 *deadlock
 *
 * that is: us, the category of its own time, the threads on the way and how they lead on, what the
 *culprit did, who it was, where, the object, and why it was not followed further if that is not the
 *cause itself.
 */
void scene_check_blame(const struct scene *scene, uint32_t tid, uint64_t from_us, uint64_t to_us,
		       bool idle_counts, const char *want);

/* Explains a thread (0: the biggest problem) or the spans of a name. The caller releases it. */
struct explanation scene_explain(const struct scene *scene, uint32_t tid);
struct explanation scene_explain_span(const struct scene *scene, const char *span);

#endif
