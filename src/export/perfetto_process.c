/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/perfetto.h"

#include <string.h>

#define TREE_ENTRIES_MAX 256 /* in one packet */

/* A ProcessTree under way: packets are cut when they are full. */
struct tree {
	struct perfetto *perfetto;
	uint64_t time_ns;
	struct buffer *packet; /* NULL: none is open */
	size_t at;
	unsigned int entries;
};

static void tree_end(struct tree *tree)
{
	if (!tree->packet)
		return;
	proto_close(tree->packet, tree->at);
	perfetto_packet_end(tree->perfetto, &tree->perfetto->system);
	tree->packet = NULL;
	tree->entries = 0;
}

static struct buffer *tree_entry(struct tree *tree)
{
	if (tree->entries == TREE_ENTRIES_MAX)
		tree_end(tree);
	if (!tree->packet) {
		tree->packet = perfetto_packet_begin(tree->perfetto, &tree->perfetto->system,
						     tree->time_ns);
		tree->at = proto_open(tree->packet, 2); /* process_tree */
	}
	tree->entries++;
	return tree->packet;
}

/* The recording has the arguments with spaces between; the first one becomes the process's name. */
static void add_cmdline(struct buffer *packet, const char *cmdline)
{
	while (*cmdline) {
		size_t size = strcspn(cmdline, " ");
		_cleanup_free_ char *argument = strndup(cmdline, size);

		proto_text(packet, 3, argument); /* cmdline */
		cmdline += size + (cmdline[size] == ' ');
	}
}

/* A process without a command line would be ignored: it is called by its name then. */
static void add_process(struct tree *tree, const struct event_thread *leader, const char *comm,
			const char *cmdline)
{
	struct buffer *packet = tree_entry(tree);
	size_t process = proto_open(packet, 1);

	proto_uint(packet, 1, leader->tid);
	proto_uint(packet, 2, leader->ppid);
	if (cmdline[0])
		add_cmdline(packet, cmdline);
	else
		proto_text(packet, 3, comm[0] ? comm : "?");
	if (leader->uid != UINT32_MAX)
		proto_int(packet, 5, (int32_t)leader->uid);
	if (leader->ns_tid && leader->ns_tid != leader->tid)
		proto_uint(packet, 6, leader->ns_tid); /* nspid */
	if (leader->start_ns)
		proto_uint(packet, 7, leader->start_ns); /* process_start_from_boot */
	if (leader->flags & EVENT_THREAD_KERNEL)
		proto_uint(packet, 8, 1); /* is_kthread */
	if (!cmdline[0])
		proto_uint(packet, 9, 1); /* cmdline_is_comm */
	proto_close(packet, process);
}

static void add_thread(struct tree *tree, uint32_t tid, const char *comm, uint32_t pid,
		       uint32_t ns_tid)
{
	struct buffer *packet = tree_entry(tree);
	size_t thread = proto_open(packet, 2);

	proto_uint(packet, 1, tid);
	if (comm[0])
		proto_text(packet, 2, comm);
	proto_uint(packet, 3, pid); /* tgid */
	if (ns_tid && ns_tid != tid)
		proto_uint(packet, 4, ns_tid); /* nstid */
	proto_close(packet, thread);
}

/* Stands for all who ran where it is not known who did. */
static void add_not_recorded(struct tree *tree)
{
	struct event_thread nobody = {.tid = PERFETTO_NOT_RECORDED_TID, .uid = UINT32_MAX};

	add_process(tree, &nobody, PERFETTO_NOT_RECORDED_NAME, "");
	add_thread(tree, PERFETTO_NOT_RECORDED_TID, PERFETTO_NOT_RECORDED_NAME,
		   PERFETTO_NOT_RECORDED_TID, 0);
}

static void add_alive(struct tree *tree, const struct event_thread *thread)
{
	const struct selection *selection = &tree->perfetto->selection;
	struct perfetto_name name = perfetto_name(thread->comm);

	if (thread->tid == thread->pid && selection_takes_pid(selection, thread->pid))
		add_process(tree, thread, name.text, thread->cmdline);
	if (selection_takes_tid(selection, thread->tid, tree->time_ns))
		add_thread(tree, thread->tid, name.text, thread->pid, thread->ns_tid);
}

/* Threads the recording names without a thread event, such as one only seen in a switch. */
static void add_unannounced(struct tree *tree, const struct map64 *announced)
{
	const struct perfetto *perfetto = tree->perfetto;

	for (size_t i = 1; i < model_thread_count(perfetto->model); i++) {
		const struct thread *thread = model_thread(perfetto->model, i);

		if (thread->was_born_here || map64_get(announced, thread->tid) ||
		    (thread->has_ended && thread->end_ns < tree->time_ns) || !thread->process ||
		    thread->process->pid == MODEL_NONE ||
		    !selection_takes_thread(&perfetto->selection, thread))
			continue;
		add_thread(tree, thread->tid, thread->comm, thread->process->pid, 0);
	}
}

void perfetto_write_processes(struct perfetto *perfetto)
{
	struct tree tree = {.perfetto = perfetto, .time_ns = perfetto->begin_ns};
	struct map64 announced = {0};

	for (size_t i = 0; i < perfetto->roster_count; i++) {
		if (!perfetto->roster[i])
			continue;
		map64_put(&announced, perfetto->roster[i]->tid, 0);
		add_alive(&tree, perfetto->roster[i]);
	}
	add_unannounced(&tree, &announced);
	add_not_recorded(&tree);
	tree_end(&tree);
	map64_release(&announced);
}

void perfetto_write_exec(struct perfetto *perfetto, const struct event_exec *exec)
{
	struct tree tree = {.perfetto = perfetto, .time_ns = exec->header.time_ns};
	const struct thread *thread =
		model_thread_at(perfetto->model, exec->pid, exec->header.time_ns);
	struct perfetto_name name = perfetto_name(exec->comm);
	struct event_thread leader = {
		.tid = exec->pid,
		.ppid = thread && thread->process ? thread->process->ppid : 0,
		.uid = thread && thread->process ? thread->process->uid : UINT32_MAX,
	};

	add_process(&tree, &leader, name.text, exec->cmdline);
	tree_end(&tree);
}
