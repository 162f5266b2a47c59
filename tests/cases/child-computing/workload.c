/* SPDX-License-Identifier: BSD-2-Clause */
/* The victim starts a program and waits for it; the program computes. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"

extern char **environ;

struct scene {
	struct requests requests;
	const char *child_ms;
	bool forks; /* fork and exec, else posix_spawn */
};

static NAMED_FUNCTION int render_pages(uint64_t cpu_ns)
{
	compute_here(cpu_ns);
	KEEP_FRAME();
	return 0;
}

static pid_t start_child(struct scene *scene)
{
	char *arguments[] = {"renderer", "--child", (char *)scene->child_ms, NULL};
	pid_t child = -1;

	if (!scene->forks) {
		errno = posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ);
		return errno ? -1 : child;
	}
	child = fork();
	if (!child) {
		execv("/proc/self/exe", arguments);
		_exit(127);
	}
	return child;
}

static NAMED_FUNCTION void run_renderer(struct requests *requests, void *context)
{
	int status;

	wait_begin(requests);
	pid_t child = start_child(context);
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		give_up("running the child");
	wait_end(requests);
	compute_here(NS_PER_MS);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--child")) {
		pthread_setname_np(pthread_self(), "renderer");
		return render_pages(number_argument(argv[2], "CHILD-MS") * NS_PER_MS);
	}
	if (argc != 4 || (strcmp(argv[2], "spawn") && strcmp(argv[2], "fork")))
		usage("TRUTH spawn|fork CHILD-MS");
	struct scene scene = {
		.requests = {truth_open(argv[1]), run_renderer, &scene, "ns.wait.child"},
		.forks = !strcmp(argv[2], "fork"),
		.child_ms = argv[3],
	};
	run_requests(&scene.requests);
	return 0;
}
