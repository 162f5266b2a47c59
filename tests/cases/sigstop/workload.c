/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process named "stopper" stops the victim's process for STOP-MS with SIGSTOP, lets it run for
 * RUN-MS, and again. The victim computes.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

/* One long request: a stop between two measurements would be in none. */
static void request(struct requests *requests, void *context)
{
	(void)context;
	wait_begin(requests);
	while (now_ns() < requests->victim.until_ns)
		compute_here(2 * NS_PER_MS);
	wait_end(requests);
}

static void be_victim(void *argument)
{
	run_requests(argument);
}

static NAMED_FUNCTION void stop_for(pid_t pid, uint64_t duration_ns)
{
	kill(pid, SIGSTOP);
	sleep_ns(duration_ns);
	kill(pid, SIGCONT);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH STOP-MS RUN-MS");
	come_first();
	struct requests requests = {
		.truth = truth_open(argv[1]), .request = request, .blocked_key = "ns.stop"};
	uint64_t stop_ns = number_argument(argv[2], "STOP-MS") * NS_PER_MS;
	uint64_t run_ns = number_argument(argv[3], "RUN-MS") * NS_PER_MS;

	prctl(PR_SET_NAME, "stopper");
	pid_t pid = process_start("victim", be_victim, &requests);
	while (waitpid(pid, NULL, WNOHANG) != pid) {
		sleep_ns(run_ns);
		stop_for(pid, stop_ns);
	}
	return 0;
}
