/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/function_probes.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/error.h"
#include "base/memory.h"

/* Of the kernel's bpf.h, which distributions' copies are older than. */
#define TRACE_UPROBE_MULTI   48 /* 6.6 */
#define TRACE_UPROBE_SESSION 57 /* 6.13 */
#define UPROBE_MULTI_RETURN  1

/* The kernel's own errno for an instruction that it cannot probe; it should not come out, but does.
 */
#define KERNEL_ENOTSUPP 524

/* A file where so many places are refused one by one is left out as a whole. */
#define REFUSED_MAX 100

/* What BPF_LINK_CREATE reads for the probes of a file. */
struct multi_attr {
	__u32 program_fd;
	__u32 target_fd;
	__u32 attach_type;
	__u32 flags;
	__u64 path;
	__u64 offsets;
	__u64 reference_offsets;
	__u64 cookies;
	__u32 count;
	__u32 multi_flags;
	__u32 pid;
	__u32 reserved;
};

const char *function_engine_name(enum function_engine engine)
{
	static const char *const names[] = {
		[FUNCTION_ENGINE_EVENTS] = "perf events",
		[FUNCTION_ENGINE_MULTI] = "uprobe multi",
		[FUNCTION_ENGINE_SESSION] = "uprobe session",
	};

	return names[engine];
}

static int create_link(const struct multi_attr *attr)
{
	int fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, attr, sizeof(*attr));

	return fd < 0 ? -errno : fd;
}

static const __u32 attach_types[] = {
	[FUNCTION_ENGINE_EVENTS] = 0,
	[FUNCTION_ENGINE_MULTI] = TRACE_UPROBE_MULTI,
	[FUNCTION_ENGINE_SESSION] = TRACE_UPROBE_SESSION,
};

/* A kernel that knows the type finds that a directory is no program. */
int function_engine_try(enum function_engine engine)
{
	const struct bpf_insn empty[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options,
		    .expected_attach_type = (enum bpf_attach_type)attach_types[engine]);
	const __u64 offset = 0;
	_cleanup_close_ int program = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "function_try", "GPL",
						    empty, ARRAY_SIZE(empty), &options);
	const struct multi_attr attr = {
		.program_fd = (__u32)program,
		.attach_type = attach_types[engine],
		.path = (uintptr_t) "/",
		.offsets = (uintptr_t)&offset,
		.count = 1,
	};
	int err = program < 0 ? -errno : create_link(&attr);

	return err == -EBADF ? 0 : err < 0 ? err : -EINVAL;
}

static const struct {
	const char *program;
	bool is_of_session;
} programs[] = {
	{"on_function_entry", false},
	{"on_function_return", false},
	{"on_function_session", true},
};

void function_engine_prepare(enum function_engine engine, struct bpf_object *object, bool is_used)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(object, programs[i].program);
		bool is_session = engine == FUNCTION_ENGINE_SESSION;

		bpf_program__set_autoload(program,
					  is_used && programs[i].is_of_session == is_session);
		bpf_program__set_expected_attach_type(program,
						      (enum bpf_attach_type)attach_types[engine]);
	}
}

/* ---- one link for many ---- */

/* One link to be made, for a file and perhaps a process. */
struct batch {
	struct function_probes *probes;
	int program_fd;
	__u32 attach_type;
	__u32 multi_flags;
	__u32 pid;
	size_t refused; /* of this file, so far */
};

/* Wants FROM to TO, without those that are left out or have no return. */
static int try_link(const struct batch *batch, size_t from, size_t to)
{
	const struct function_probe *items = batch->probes->items;
	_cleanup_free_ __u64 *offsets = xcalloc(to - from, sizeof(*offsets));
	_cleanup_free_ __u64 *cookies = xcalloc(to - from, sizeof(*cookies));
	struct multi_attr attr = {
		.program_fd = (__u32)batch->program_fd,
		.attach_type = batch->attach_type,
		.path = (uintptr_t)items[from].path,
		.offsets = (uintptr_t)offsets,
		.cookies = (uintptr_t)cookies,
		.multi_flags = batch->multi_flags,
		.pid = batch->pid,
	};

	for (size_t i = from; i < to; i++) {
		if (items[i].is_left_out ||
		    (items[i].is_entry_only && batch->multi_flags & UPROBE_MULTI_RETURN))
			continue;
		offsets[attr.count] = items[i].offset;
		cookies[attr.count++] = items[i].cookie;
	}
	return attr.count > 0 ? create_link(&attr) : -ECHILD;
}

static void add_link(struct function_probes *probes, int fd)
{
	array_reserve((void **)&probes->links, &probes->link_capacity, probes->link_count + 1,
		      sizeof(*probes->links));
	probes->links[probes->link_count++] = fd;
}

static void leave_out(struct batch *batch, size_t from, size_t to, int err)
{
	fail_clear();
	fail_errno(err, "probing %s at 0x%llx", batch->probes->items[from].path,
		   (unsigned long long)batch->probes->items[from].offset);
	for (size_t i = from; i < to; i++)
		batch->probes->items[i].is_left_out = true;
	batch->refused += to - from;
}

/* Of the file itself, not of a place in it. */
static bool is_of_file(int err)
{
	return err != -EINVAL && err != -EOPNOTSUPP && err != -EIO && err != -ENOTSUP &&
	       err != -KERNEL_ENOTSUPP && err != -ENOEXEC;
}

/* If the kernel refuses them, halves them until it is known which one it is. */
static void link_range(struct batch *batch, size_t from, size_t to)
{
	size_t middle = from + (to - from) / 2;
	int fd = try_link(batch, from, to);

	if (fd >= 0) {
		add_link(batch->probes, fd);
		return;
	}
	if (fd == -ECHILD || fd == -ESRCH) /* nothing to probe; or the process is gone */
		return;
	if (to - from == 1 || is_of_file(fd) || batch->refused > REFUSED_MAX) {
		leave_out(batch, from, to, fd);
		return;
	}
	link_range(batch, from, middle);
	link_range(batch, middle, to);
}

static size_t end_of_file(const struct function_probes *probes, size_t from)
{
	size_t to = from + 1;

	while (to < probes->count && !strcmp(probes->items[to].path, probes->items[from].path))
		to++;
	return to;
}

static void link_all(struct function_probes *probes, struct bpf_object *object, const char *program,
		     __u32 attach_type, __u32 multi_flags)
{
	struct batch batch = {
		.probes = probes,
		.program_fd = bpf_program__fd(bpf_object__find_program_by_name(object, program)),
		.attach_type = attach_type,
		.multi_flags = multi_flags,
	};

	for (size_t from = 0, to; from < probes->count; from = to) {
		to = end_of_file(probes, from);
		batch.refused = 0;
		batch.pid = 0;
		if (!probes->items[from].is_private)
			link_range(&batch, from, to);
		for (size_t p = 0; probes->items[from].is_private && p < probes->pid_count; p++) {
			batch.pid = probes->pids[p];
			link_range(&batch, from, to);
		}
	}
}

/* ---- a perf event for each ---- */

static void make_event(struct function_probes *probes, struct function_probe *probe, uint32_t pid,
		       struct bpf_program *program, bool is_return)
{
	LIBBPF_OPTS(bpf_uprobe_opts, options, .bpf_cookie = probe->cookie, .retprobe = is_return);
	struct bpf_link *link;

	if (probe->is_left_out || (is_return && probe->is_entry_only))
		return;
	link = bpf_program__attach_uprobe_opts(program, pid ? (int)pid : -1, probe->path,
					       probe->offset, &options);
	if (link) {
		probes->events[probes->event_count++] = link;
	} else if (errno != ESRCH) {
		fail_clear();
		fail_errno(-errno, "probing %s at 0x%llx", probe->path,
			   (unsigned long long)probe->offset);
		probe->is_left_out = true;
	}
}

static void make_events(struct function_probes *probes, struct bpf_object *object,
			const char *program_name, bool is_return)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, program_name);

	for (size_t i = 0; i < probes->count; i++) {
		struct function_probe *probe = &probes->items[i];

		if (!probe->is_private)
			make_event(probes, probe, 0, program, is_return);
		for (size_t p = 0; probe->is_private && p < probes->pid_count; p++)
			make_event(probes, probe, probes->pids[p], program, is_return);
	}
}

/* ---- all ---- */

size_t function_probes_attach(struct function_probes *probes, struct bpf_object *object)
{
	size_t places = probes->pid_count > 0 ? probes->pid_count : 1, refused = 0;

	switch (probes->engine) {
	case FUNCTION_ENGINE_SESSION:
		link_all(probes, object, "on_function_session", TRACE_UPROBE_SESSION, 0);
		break;
	case FUNCTION_ENGINE_MULTI:
		link_all(probes, object, "on_function_return", TRACE_UPROBE_MULTI,
			 UPROBE_MULTI_RETURN);
		link_all(probes, object, "on_function_entry", TRACE_UPROBE_MULTI, 0);
		break;
	case FUNCTION_ENGINE_EVENTS:
		probes->events = xcalloc(2 * probes->count * places + 1, sizeof(*probes->events));
		make_events(probes, object, "on_function_return", true);
		make_events(probes, object, "on_function_entry", false);
		break;
	}
	for (size_t i = 0; i < probes->count; i++)
		refused += probes->items[i].is_left_out;
	return refused;
}

void function_probes_detach(struct function_probes *probes)
{
	while (probes->link_count > 0)
		close(probes->links[--probes->link_count]);
	while (probes->event_count > 0)
		bpf_link__destroy(probes->events[--probes->event_count]);
}

void function_probes_release(struct function_probes *probes)
{
	function_probes_detach(probes);
	free(probes->items);
	free(probes->pids);
	free(probes->events);
	free(probes->links);
}
