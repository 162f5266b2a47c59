/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread forks its process of MEGABYTES again and again, with PAUSE-MS between: each fork copies
 * the page tables with mmap_lock held for writing. The victim, a thread of the same process,
 * touches a page of new memory.
 */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

struct scene {
	uint64_t pause_ns;
	char *page;
	struct requests requests;
};

/* Taking the copy down is work too, and not what this is about: it is done when nobody else wants
 * to run. */
__attribute__((noreturn)) static void end_aside(void)
{
	struct sched_param param = {0};

	sched_setscheduler(0, SCHED_IDLE, &param);
	_exit(0);
}

static NAMED_FUNCTION void copy_the_process(void)
{
	pid_t pid = fork();

	if (pid < 0)
		give_up("fork");
	if (pid == 0)
		end_aside();
}

static void *fork_often(void *argument)
{
	struct scene *scene = argument;

	while (!atomic_load(&scene->requests.is_over)) {
		copy_the_process();
		sleep_ns(scene->pause_ns);
	}
	return NULL;
}

static NAMED_FUNCTION void fault_a_page(char *page)
{
	if (madvise(page, PAGE_BYTES, MADV_DONTNEED))
		give_up("madvise");
	*(volatile char *)page = 1;
	KEEP_FRAME();
}

/* One long request: a page of the stack is copied as well, at any moment, and waited for. */
static void request(struct requests *requests, void *context)
{
	struct scene *scene = context;

	wait_begin(requests);
	while (now_ns() < requests->victim.until_ns) {
		spin_ns(100 * NS_PER_US);
		fault_a_page(scene->page);
	}
	wait_end(requests);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH MEGABYTES PAUSE-MS");
	come_first();
	struct scene scene = {
		.pause_ns = number_argument(argv[3], "PAUSE-MS") * NS_PER_MS,
		/* Of the large mapping, which fork keeps locked until it has done with all. */
		.page = small_pages(number_argument(argv[2], "MEGABYTES") << 20),
		.requests = {.truth = truth_open(argv[1]),
			     .request = request,
			     .context = &scene,
			     .blocked_key = "ns.lock.kernel"},
	};
	signal(SIGCHLD, SIG_IGN);
	pthread_t forker = start_thread("forker", fork_often, &scene);

	run_requests(&scene.requests);
	join_thread(forker);
	return 0;
}
