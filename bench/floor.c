/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaches the three empty programs of floor.bpf.c and waits to be ended: what any recorder pays at
 * least. With --check it only says whether this machine loads BPF programs at all (status 0), or
 * why not (one line, status 1).
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* The BPF object, carried in this program. */
__asm__(".section .rodata\n"
	".balign 16\n"
	"floor_object: .incbin \"" FLOOR_OBJECT_PATH "\"\n"
	"floor_object_end:\n"
	".previous\n");
extern const char floor_object[], floor_object_end[];

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level, (void)format, (void)arguments;
	return 0;
}

static int refuse(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return 1;
}

/* Loads and attaches everything. Returns how many programs are attached, or -1 with a line printed.
 */
static int attach_all(void)
{
	struct bpf_object *object;
	struct bpf_program *program;
	int count = 0;

	object = bpf_object__open_mem(floor_object, floor_object_end - floor_object, NULL);
	if (!object) {
		refuse("opening the BPF object");
		return -1;
	}
	bool has_exit = libbpf_find_vmlinux_btf_id("sched_exit_tp", BPF_TRACE_RAW_TP) > 0;
	bpf_program__set_autoload(bpf_object__find_program_by_name(object, "on_exit"), has_exit);
	if (bpf_object__load(object)) {
		refuse("this machine does not load BPF programs");
		return -1;
	}
	bpf_object__for_each_program(program, object)
	{
		if (!bpf_program__autoload(program))
			continue;
		if (!bpf_program__attach(program)) {
			refuse("attaching a BPF program");
			return -1;
		}
		count++;
	}
	return count;
}

int main(int argc, char **argv)
{
	sigset_t ends;
	int signal;

	libbpf_set_print(quiet);
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	int count = attach_all();
	if (count < 0)
		return 1;
	if (argc > 1 && strcmp(argv[1], "--check") == 0)
		return 0;
	printf("%d empty programs are attached\n", count);
	fflush(stdout);
	sigwait(&ends, &signal);
	return 0;
}
