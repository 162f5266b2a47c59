/* SPDX-License-Identifier: BSD-2-Clause */
/* Who records (fact recorder_pid), and the threads a recording was made for: facts target_pids
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

/* The recorder and its helpers; but the command, though its child too, is not of it. */
static void mark_recorder(struct model *model, const char *recorder, const char *target_pids)
{
	struct map64 family = {0};

	for (size_t i = 0; i < model_process_count(model); i++) {
		struct process *process = model_process(model, i);
		bool is_child = map64_get(&family, process->ppid);

		process->is_command = is_child && is_listed(target_pids, process->pid);
		process->is_recorder =
			(is_child || is_listed(recorder, process->pid)) && !process->is_command;
		if (process->is_recorder)
			map64_put(&family, process->pid, 0);
	}
	map64_release(&family);
}

void targets_mark(struct model *model)
{
	const char *recorder = model_meta(model, "recorder_pid");
	const char *pids = model_meta(model, "target_pids");
	const char *comms = model_meta(model, "target_comms");
	const char *children = model_meta(model, "target_children");

	if (recorder)
		mark_recorder(model, recorder, pids ? pids : "");
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
