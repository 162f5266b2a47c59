/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks like a fault: two threads make and remove files in one directory. The kernel lets one at a
 * time change a directory, but that takes so little that the other one spins for it and hardly ever
 * sleeps.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

struct scene {
	uint64_t think_ns;
	struct requests requests;
};

static NAMED_FUNCTION void make_and_remove(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || close(fd) || unlink(path))
		give_up(path);
}

static void *neighbour(void *argument)
{
	struct scene *scene = argument;

	pin_to_cpu(1);
	while (!atomic_load(&scene->requests.is_over))
		make_and_remove("shared/neighbour");
	return NULL;
}

static void request(struct requests *requests, void *context)
{
	const struct scene *scene = context;

	if (scene->think_ns)
		compute_here(scene->think_ns);
	wait_begin(requests);
	for (int i = 0; i < 20; i++)
		make_and_remove("shared/victim");
	wait_end(requests);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		usage("TRUTH THINK-US");
	struct scene scene = {
		.think_ns = number_argument(argv[2], "THINK-US") * NS_PER_US,
		.requests = {.truth = truth_open(argv[1]),
			     .request = request,
			     .context = &scene,
			     .blocked_key = "ns.lock.kernel"},
	};
	if (mkdir("shared", 0700))
		give_up("shared");
	come_first();
	pthread_t thread = start_thread("neighbour", neighbour, &scene);

	pin_to_cpu(0);
	run_requests(&scene.requests);
	join_thread(thread);
	return 0;
}
