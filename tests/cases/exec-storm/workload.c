/* SPDX-License-Identifier: BSD-2-Clause */
/* Each request of the victim starts several short programs, one after the other. */
#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>

#include "case.h"

extern char **environ;

struct scene {
	struct requests requests;
	char **command;
	uint64_t count; /* of programs in a request */
};

static NAMED_FUNCTION void run_helper(char **command)
{
	int status;
	pid_t child;

	errno = posix_spawnp(&child, command[0], NULL, NULL, command, environ);
	if (errno || waitpid(child, &status, 0) != child || status)
		give_up(command[0]);
}

static NAMED_FUNCTION void serve(struct requests *requests, void *context)
{
	struct scene *scene = context;

	for (uint64_t i = 0; i < scene->count; i++) {
		wait_begin(requests);
		run_helper(scene->command);
		wait_end(requests);
	}
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	if (argc < 4)
		usage("TRUTH COUNT COMMAND ARG...");
	struct scene scene = {
		.requests = {truth_open(argv[1]), serve, &scene, "ns.wait.child"},
		.count = number_argument(argv[2], "COUNT"),
		.command = argv + 3,
	};
	run_requests(&scene.requests);
	return 0;
}
