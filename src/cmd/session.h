/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session: a capture that runs until its time is over, its target ends, or somebody says stop.
 * What `record` and `live` share.
 */
#ifndef DASHCAM_CMD_SESSION_H
#define DASHCAM_CMD_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/option.h"
#include "capture/capture.h"
#include "capture/target.h"

struct session_values {
	uint64_t duration_ns; /* 0: until stopped */
	struct option_list pids;
	struct option_list comms;
	struct option_list probes; /* names, or several with commas */
	struct option_list without; /* names of hooks, or several with commas */
	struct option_list spans;
	bool spans_anyway;
	struct option_series functions; /* of --function and --no-function */
	bool cheap_only;
	uint64_t min_call_ns;
	uint64_t max_call_rate;
	uint64_t max_call_depth;
	uint64_t call_log_bytes;
	uint64_t min_wait_ns;
	uint64_t waker_stack_ns; /* UINT64_MAX: as min_wait_ns, but not below WAKER_STACK_MIN_NS */
	uint64_t rate_hz;
	unsigned int user_stack; /* enum user_stack_mode */
	bool source_lines;
	uint64_t switch_log_bytes;
	uint64_t evidence_log_bytes;
	unsigned int hook; /* index in session_hook_names: 0 is automatic */
};

#define SESSION_DEFAULTS                                                                           \
	{                                                                                          \
		.min_wait_ns = 1000000, .waker_stack_ns = UINT64_MAX, .rate_hz = 99                \
	}

extern const char *const session_stack_names[];
extern const char *const session_hook_names[];

/* clang-format off */
#define SESSION_OPTIONS(struct_, member_)                                                          \
	OPTION("duration", 'd', OPTION_TIME, struct_, member_.duration_ns, "TIME",                 \
	       "stop after TIME, such as 10s (default: when the command ends, or Ctrl-C)"),        \
	OPTION("pid", 'p', OPTION_LIST, struct_, member_.pids, "PID",                              \
	       "take evidence of process PID only, not of its children; may be repeated"),                              \
	OPTION("comm", 0, OPTION_LIST, struct_, member_.comms, "GLOB",                             \
	       "take evidence only of threads whose name matches, such as 'redis*'; may be repeated"), \
	OPTION("min-wait", 0, OPTION_TIME, struct_, member_.min_wait_ns, "TIME",                   \
	       "take evidence of waits from this length on (default 1ms; 0: of every wait)"),      \
	OPTION("waker-stack", 0, OPTION_TIME, struct_, member_.waker_stack_ns, "TIME",             \
	       "take the waker's stacks too, for waits from this length on (default: that of "     \
	       "--min-wait, but at least 100us; 0: for every wait)"),                              \
	OPTION("rate", 0, OPTION_NUMBER, struct_, member_.rate_hz, "HZ",                           \
	       "sample what runs on each CPU so many times a second (default 99; 0: do not)"),     \
	OPTION("probe", 0, OPTION_LIST, struct_, member_.probes, "NAME,...",                       \
	       "only these probes, see dashcam probes (default: sched,sample,irq,disk,memory,tcp)"),                   \
	OPTION("without", 0, OPTION_LIST, struct_, member_.without, "HOOK,...",                    \
	       "leave out these hooks, or all of a probe, see dashcam doctor; what is not known then is " \
	       "said in the recording"),                                                           \
	OPTION("span", 0, OPTION_LIST, struct_, member_.spans, "NAME=BINARY:FUNCTION",             \
	       "record each call of a function, from entry to return, as NAME; BINARY is a path, " \
	       "or a library or program by its name, FUNCTION a symbol, or 0x and its address; "   \
	       "may be repeated"),                                                                 \
	OPTION("span-anyway", 0, OPTION_FLAG, struct_, member_.spans_anyway, NULL,                 \
	       "allow --span where a switch of stacks (Go, coroutines) inside FUNCTION ends the "  \
	       "program"),                                                                         \
	OPTION("function", 'F', OPTION_SERIES, struct_, member_.functions, "FUNCTIONS",            \
	       "record each call of these functions of the program: a glob ('leveldb::*', '*' for " \
	       "all), /a regular expression/, or with @ those of a library ('*@libc.so.6') or "    \
	       "file; may be repeated"),                                                           \
	OPTION("no-function", 'N', OPTION_SERIES, struct_, member_.functions, "FUNCTIONS",         \
	       "but not these; -F and -N are applied in their order, the last that matches a "     \
	       "function counts; with -N first, all others of the program are recorded"),          \
	OPTION("cheap-only", 0, OPTION_FLAG, struct_, member_.cheap_only, NULL,                    \
	       "of -F leave out functions where a probe costs 10 us a call instead of less than 1 " \
	       "(dashcam probes --functions says which)"),                                         \
	OPTION("min-time", 0, OPTION_TIME, struct_, member_.min_call_ns, "TIME",                   \
	       "write calls of -F that took this long or longer, count the shorter ones "          \
	       "(default 0: write all)"),                                                          \
	OPTION("max-rate", 0, OPTION_NUMBER, struct_, member_.max_call_rate, "N",                  \
	       "a function of -F that is called more than N times in a second on one CPU is only " \
	       "counted and timed in sum from then on (default 0: write all)"),                    \
	OPTION("depth", 0, OPTION_NUMBER, struct_, member_.max_call_depth, "N",                    \
	       "follow calls of -F at most N inside each other; those inside of these are neither "\
	       "written nor counted, their time is their caller's (default 0: up to 256)"),        \
	OPTION_OF("user-stack", 0, struct_, member_.user_stack, session_stack_names, "HOW",        \
		  "user stacks: auto, fp (frame pointers), dwarf (copied and unwound), none"),     \
	OPTION("lines", 0, OPTION_FLAG, struct_, member_.source_lines, NULL,                       \
	       "look up source lines and inlined calls as well (slower; needs debug information)"), \
	OPTION("switch-log", 0, OPTION_SIZE, struct_, member_.switch_log_bytes, "SIZE",            \
	       "memory for switches, per CPU (default: 128M divided by the CPUs, 2M to 32M)"),     \
	OPTION("evidence-log", 0, OPTION_SIZE, struct_, member_.evidence_log_bytes, "SIZE",        \
	       "memory for evidence, per CPU (default: 64M divided by the CPUs, 1M to 16M)"),      \
	OPTION("call-log", 0, OPTION_SIZE, struct_, member_.call_log_bytes, "SIZE",                \
	       "memory for calls of functions, per CPU, taken only if some are traced (default: "  \
	       "256M divided by the CPUs, 2M to 16M)"),                                            \
	OPTION_OF("evidence-hook", 0, struct_, member_.hook, session_hook_names, "HOOK",           \
		  "how evidence is taken: auto, kick, exit, kprobe, degraded (see dashcam doctor)")
/* clang-format on */

struct session {
	struct capture *capture;
	struct target target; /* pid 0: no command */
	int signal_fd;
	int *watched; /* pidfds of --pid */
	size_t watched_count;
	uint64_t start_ns; /* on the clock of the sink's events */
	uint64_t deadline_ns;
	unsigned int signals; /* how many came that were meant for us */
	bool command_failed;  /* session_start failed because the command cannot be run */
};

/* Why a session ended. */
enum session_end {
	SESSION_TIME,
	SESSION_TARGET,
	SESSION_SIGNAL,
	SESSION_ERROR
};

/* Starts the command (held), loads and attaches the kernel side, lets the command go. SINK as in
 * capture_options. On failure everything is undone. */
int session_start(struct session *session, const struct session_values *values,
		  const struct capture_sink *sink, int command_count, char **command);

/* Drains until the end, calling TICK (may be NULL; an error ends the session) after each round, at
 * least every TICK_NS. Returns 0 or the error of the sink, the drain, or TICK. */
int session_run(struct session *session, uint64_t tick_ns, int (*tick)(void *context),
		void *context, enum session_end *ret_end);

/* Detaches, drains what is left, waits for the names; frees all but the target. PROGRESS as in
 * capture_close. *RET_TOTALS (may be NULL): all that was handed over, and lost. */
int session_stop(struct session *session, void (*progress)(void *context, uint64_t waiting),
		 void *context, struct capture_totals *ret_totals);

/* After session_stop: waits for the command and gives its exit status; 0 without a command. */
int session_wait_command(struct session *session);

#endif
