/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/uprobe.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/memory.h"

/* The part of the kernel's union bpf_attr for BPF_LINK_CREATE that Debian 12's headers lack. */
struct link_create_many {
	uint32_t program_fd;
	uint32_t target_fd;
	uint32_t attach_type;
	uint32_t flags;
	uint64_t path;
	uint64_t offsets;
	uint64_t ref_counter_offsets;
	uint64_t cookies;
	uint32_t count;
	uint32_t probe_flags;
	uint32_t pid;
	uint32_t reserved;
};

int uprobe_attach_many(int program_fd, const char *path, const uint64_t *offsets, uint32_t count)
{
	struct link_create_many request = {
		.program_fd = (uint32_t)program_fd,
		.attach_type = UPROBE_MULTI_TYPE,
		.path = (uintptr_t)path,
		.offsets = (uintptr_t)offsets,
		.count = count,
	};
	/* without the padding at the end: the kernel wants what it does not know to be zero */
	int fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &request,
			      offsetof(struct link_create_many, reserved));

	return fd < 0 ? -errno : fd;
}

bool uprobe_has_multi(void)
{
	const struct bpf_insn empty[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options,
		    .expected_attach_type = (enum bpf_attach_type)UPROBE_MULTI_TYPE);
	const uint64_t offset = 0;
	_cleanup_close_ int program = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "multi_try", "GPL", empty,
						    ARRAY_SIZE(empty), &options);
	int link;

	if (program < 0)
		return false;
	/* a directory is refused by those that know the request */
	link = uprobe_attach_many(program, "/", &offset, 1);
	if (link >= 0)
		close(link);
	return link == -EBADF;
}

static int uprobe_event_type(void)
{
	FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	int type, got;

	if (!file)
		return -ENOENT;
	got = fscanf(file, "%d", &type);
	fclose(file);
	return got == 1 ? type : -ENOENT;
}

int uprobe_attach_one(int program_fd, const char *path, uint64_t offset, int *ret_event_fd)
{
	struct perf_event_attr attr = {.size = sizeof(attr)};
	int type = uprobe_event_type(), link;

	if (type < 0)
		return type;
	attr.type = (uint32_t)type;
	attr.config1 = (uintptr_t)path;
	attr.config2 = offset;
	*ret_event_fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (*ret_event_fd < 0)
		return -errno;
	link = bpf_link_create(program_fd, *ret_event_fd, BPF_PERF_EVENT, NULL);
	if (link < 0) {
		close(*ret_event_fd);
		return link;
	}
	return link;
}
