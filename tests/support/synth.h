/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Synthetic recordings for tests, written as a timeline that a person can read:
 *
 *	thread 10 10 main
 *	stack lock kernel schedule futex_wait_queue futex_wait do_syscall_64
 *	100 cpu0 switch 10:S > idle
 *	150 cpu1 waking 10 by 11
 *	155 cpu0 switch idle > 10
 *	155 cpu0 wait 10 pid=10 blocked=50 runnable=5 syscall=futex kernel_stack=lock
 *
 * One event a line; "#" begins a comment. Words are separated by blanks; 'a b' is one word.
 *
 * Times are in microseconds from SYNTH_ORIGIN_NS; a unit may be given: 100, 1.5ms, 250ns, 2s.
 *
 * Tables, in front or anywhere (they have no time):
 *	meta NAME VALUE
 *	thread TID PID COMM              start=TIME, ppid=, flags=1 for a kernel thread, cmdline='a
 *b' stack LABEL kernel FUNCTION...   innermost first. A function is "name", "name@file.c:12", stack
 *LABEL user FUNCTION...     "module!name", or "module+0x12" for one without a symbol; "leaf^caller"
 *is a call of leaf inlined into caller. Without a module: kernel, or "app". Modules and frames are
 *defined for you file LABEL PATH socket LABEL tcp 127.0.0.1:80 10.0.0.2:5000    or udp; "socket
 *LABEL unix PATH" hook NAME TEXT                   status=
 *
 * Events, as TIME cpuN KIND ... :
 *	switch PREV:STATE > NEXT         STATE: R (also if left out) S D T t X Z I or a number; idle
 *is tid 0 waking WAKEE by WAKER            flags=1 for a newborn resume TID ran TIME wait TID times
 *as blocked= and runnable= sample TID fork PARENT > TID                pid= of the child, comm=;
 *parent_pid is pid= unless given exec TID COMM                    old_tid= exit TID rename TID COMM
 *	loss TIME..TIME events=N         of the line's cpu and log 0, overwritten, unless given
 *	clock
 *	event KIND                       any other kind
 *
 * Behind that, on every line, FIELD=VALUE sets a field of the event table by its name:
 *	time and duration fields lose their "_ns" and are in microseconds; with "_ns" they are plain
 *ns tids, pids and numbers: decimal or 0x; idle; states and system calls by name stacks and
 *objects: a label, or a number arrays and frame tails: 1,2,3; text tails: 'text'; tails of two
 *texts: 'one|two'
 *
 * A line that cannot be read ends the test program with the line in the message: a test's own
 *mistake.
 */
#ifndef DASHCAM_TESTS_SYNTH_H
#define DASHCAM_TESTS_SYNTH_H

#include <stddef.h>
#include <stdint.h>

#include "event/event.h"
#include "model/model.h"
#include "recording/recording.h"

/* Time 0 of the text: not 0, so that times that went wrong are seen. */
#define SYNTH_ORIGIN_NS UINT64_C(1000000000)
#define SYNTH_US(us)    (SYNTH_ORIGIN_NS + (uint64_t)(us)*1000)

/* The id that a label of a stack, file or socket stands for. */
uint64_t synth_id(const char *label);

/* A recording in memory; the caller closes it. */
struct recording *synth_recording(const char *text);

/* The same as a file. Returns what the writer returns. */
int synth_file(const char *text, const char *path);

/* A model of a recording in memory that keeps every wait. Free it with synth_model_free, which
 * closes the recording too. */
struct model *synth_model(const char *text);
void synth_model_free(struct model *model);

/* For tests that make events by program: text may be added in pieces, events in between. */
struct synth;

struct synth *synth_new(void);
void synth_free(struct synth *synth);
void synth_text(struct synth *synth, const char *text);
void synth_printf(struct synth *synth, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Appends a copy to the stream that its kind belongs to. */
void synth_event(struct synth *synth, uint16_t cpu, const struct event_header *event);
struct recording *synth_to_memory(const struct synth *synth);
int synth_to_file(const struct synth *synth, const char *path);

#endif
