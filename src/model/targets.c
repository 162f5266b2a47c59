/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads a recording was made for, from what the recorder was asked: facts target_pids
 * (numbers with blanks between), target_children ("1": their children too) and target_comms (globs,
 * a line each). */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/internal.h"

static bool is_listed(const char *pids, uint32_t pid)
{
	char *rest;

	for (; *pids; pids = rest) {
		unsigned long listed = strtoul(pids, &rest, 10);

		if (rest == pids)
			return false;
		if (listed == pid)
			return true;
	}
	return false;
}

/* Processes stand in the order in which they were met: parents before children that were born here.
 */
static void mark_processes(struct model *model, const char *pids, bool with_children)
{
	struct map64 targets = {0};

	for (size_t i = 0; i < model_process_count(model); i++) {
		struct process *process = model_process(model, i);

		process->is_target = !*pids || is_listed(pids, process->pid) ||
				     (with_children && map64_get(&targets, process->ppid));
		if (process->is_target)
			map64_put(&targets, process->pid, 0);
	}
	map64_release(&targets);
}

static bool matches_a_glob(const char *globs, const char *comm)
{
	char glob[64];

	for (const char *at = globs; *at; at += *at == '\t') {
		size_t length = strcspn(at, "\t");

		snprintf(glob, sizeof(glob), "%.*s", (int)length, at);
		if (!fnmatch(glob, comm, 0))
			return true;
		at += length;
	}
	return false;
}

void targets_mark(struct model *model)
{
	const char *pids = model_meta(model, "target_pids");
	const char *comms = model_meta(model, "target_comms");
	const char *children = model_meta(model, "target_children");

	if (!model_has_targets(model))
		return;
	mark_processes(model, pids ? pids : "", children && !strcmp(children, "1"));
	for (size_t i = 1; i < model_thread_count(model); i++) {
		struct thread *thread = model_thread(model, i);

		thread->is_target = thread->process->is_target &&
				    (!comms || !*comms || matches_a_glob(comms, thread->comm));
	}
}

bool model_has_targets(const struct model *model)
{
	const char *pids = model_meta(model, "target_pids");
	const char *comms = model_meta(model, "target_comms");

	return (pids && *pids) || (comms && *comms);
}
