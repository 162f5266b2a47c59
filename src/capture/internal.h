/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of a capture share: capture.c runs it, choice.c chooses hooks, load.c loads the
 * kernel side and maps its logs, statement.c tells the recording about the capture itself.
 */
#ifndef DASHCAM_CAPTURE_INTERNAL_H
#define DASHCAM_CAPTURE_INTERNAL_H

#include <bpf/libbpf.h>

#include "capture/capture.h"
#include "capture/drain.h"
#include "capture/functions.h"
#include "capture/hooks.h"
#include "capture/returns.h"

struct look_around {
	uint64_t at_ns;
	uint64_t took_ns;
	uint64_t lost_evidence; /* drain.lost_evidence then */
};

struct capture {
	struct capture_settings settings;
	struct capture_sink sink;
	uint32_t probes; /* those wanted */
	unsigned int cpu_count;
	struct bpf_object *object;
	struct hook_state states[HOOK_COUNT];
	bool has_prev_state_arg; /* of sched_switch, on this kernel */
	bool is_calibrated;      /* irq_hidden_ns was measured, not assumed */
	struct bpf_link *links[HOOK_COUNT];
	struct bpf_link **sample_links; /* one per CPU */
	int *kick_fds;
	void **kick_pages;
	void *maps[EVENT_LOG_KINDS]; /* the logs of all CPUs, as mapped here; NULL: no such log */
	size_t map_bytes[EVENT_LOG_KINDS];
	struct functions functions;
	struct returns *returns; /* NULL: no function is traced */
	struct drain drain;
	struct look_around look; /* of who is alive, the last one */
	bool is_stopped;
};

/* ---- choice.c ---- */

/* Tries all hooks but those of LEFT_OUT (HOOK_BIT). Fails with a sentence if one is missing that
 * every recording needs. */
int choice_try(struct capture *capture, uint64_t left_out);

/* Decides how evidence is taken (WANTED as in capture_options) and what the hooks there are can
 * tell; fills the settings. */
void choice_make(struct capture *capture, int wanted);

/* Does the recording have to say something about this hook? Not of what nobody asked for. */
bool choice_is_observed(const struct capture *capture, enum hook_id id);
/* Is its program to be loaded and attached? */
bool choice_is_used(const struct capture *capture, enum hook_id id);
enum event_hook_status choice_status(const struct capture *capture, enum hook_id id);
/* Why it is missing: a negative errno, 0 if it is not. */
int choice_error(const struct capture *capture, enum hook_id id);
/* How functions are probed. */
enum function_engine choice_function_engine(const struct capture *capture);
/* The hook that evidence is taken from. */
enum hook_id choice_evidence_hook(const struct capture *capture);

/* ---- load.c ---- */

/* Loads the kernel side. A program that this kernel refuses is left out, if it is not one that
 * every recording needs; its hook is then marked as missing. */
int load_object(struct capture *capture, int evidence_wanted);
/* Maps the logs and makes their readers. */
int load_logs(struct capture *capture);
/* Opens the perf events of the kick, if evidence is taken that way. */
int load_kicks(struct capture *capture);
int load_targets(struct capture *capture, const struct capture_options *options);
/* The descriptor of a map by its name in the BPF object. */
int load_map_fd(const struct capture *capture, const char *name);
void load_release(struct capture *capture);

/* ---- statement.c ---- */

/* At the start: the machine, the settings. */
void statement_machine(struct capture *capture);
/* Once all is attached: what works and what does not. */
void statement_hooks(struct capture *capture);
/* As well: which functions are traced, and how. Nothing without any. */
void statement_functions(struct capture *capture);
/* When all is detached: how return addresses were put back. */
void statement_returns(struct capture *capture, const struct returns_report *report);
/* When all is detached: what the kernel side counted, and what it lost. */
void statement_counts(struct capture *capture);
/* At the end: how unwinding and naming went. */
void statement_naming(struct capture *capture, const struct resolver_statistics *statistics,
		      uint64_t dropped_stacks);

#endif
