/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes on many functions at once: put in place and taken away.
 *
 * Since 6.6 the kernel takes the probes of a file as one link, and lets go of thousands in a tenth
 * of a second; since 6.13 entry and return can be one program, a session. Before, each probe is a
 * perf event, and to let go of one takes a tenth of a second.
 */
#ifndef DASHCAM_CAPTURE_FUNCTION_PROBES_H
#define DASHCAM_CAPTURE_FUNCTION_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_link;
struct bpf_object;

/* How many functions can be traced where each probe is a perf event. */
#define FUNCTION_EVENTS_MAX 500

enum function_engine {
	FUNCTION_ENGINE_EVENTS,
	FUNCTION_ENGINE_MULTI,
	FUNCTION_ENGINE_SESSION,
};

/* "uprobe session" */
const char *function_engine_name(enum function_engine engine);

/* Does this kernel have it? Not for FUNCTION_ENGINE_EVENTS. Returns 0 or a negative errno, without
 * a sentence. */
int function_engine_try(enum function_engine engine);

/* Of the object's programs for functions, has those loaded that ENGINE runs; all others not. Call
 * it after open and before load. IS_USED: is any to be loaded? */
void function_engine_prepare(enum function_engine engine, struct bpf_object *object, bool is_used);

struct function_probe {
	const char *path; /* borrowed; probes of one file are neighbours, and all private or none */
	uint64_t offset;  /* in the file */
	uint64_t cookie;
	bool is_entry_only;
	bool is_private;  /* put into the processes of pids only, not into all */
	bool is_left_out; /* the kernel refused it */
};

/* Zero-initialised is empty. */
struct function_probes {
	enum function_engine engine;
	struct function_probe *items; /* owned */
	size_t count;
	uint32_t *pids; /* that private probes are put into. Owned */
	size_t pid_count;
	struct bpf_link **events; /* of perf events; in the order of their making */
	size_t event_count;
	int *links; /* descriptors of the others */
	size_t link_count, link_capacity;
};

/* Puts all in place: returns first, so that no entry is without its return. A place that is refused
 * is marked, the others stay. Returns how many were refused; the sentence that is pending then says
 * why the last one was. */
size_t function_probes_attach(struct function_probes *probes, struct bpf_object *object);

void function_probes_detach(struct function_probes *probes);

/* Frees all; detaches first. */
void function_probes_release(struct function_probes *probes);

#endif
