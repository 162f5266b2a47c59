/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One process under many names: STEPS times it renames itself (prctl), sleeps 20 ms, and executes
 * itself again through a symbolic link in DIR, which gives it the link's name. Known: pid and all
 * names.
 */
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "workload.h"

static NAMED_FUNCTION void nap_under_a_name(void)
{
	sleep_ns(20 * NS_PER_MS);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	char name[16], link_path[512], left[16];

	if (argc != 4 && argc != 5)
		usage("TRUTH DIR STEPS");
	int truth = truth_open(argv[1]);
	unsigned int steps = number_argument(argv[3], "STEPS");

	/* A fifth argument: this is not the first life. */
	if (argc == 4)
		truth_number(truth, "pid", getpid());
	nap_under_a_name();
	snprintf(name, sizeof(name), "renamed-%u", steps);
	prctl(PR_SET_NAME, name);
	truth_text(truth, "rename", name);
	nap_under_a_name();
	if (steps == 1)
		return 0;

	snprintf(name, sizeof(name), "life-%u", steps);
	snprintf(link_path, sizeof(link_path), "%s/%s", argv[2], name);
	if (symlink("/proc/self/exe", link_path))
		give_up(link_path);
	truth_text(truth, "exec", name);
	snprintf(left, sizeof(left), "%u", steps - 1);
	execl(link_path, name, argv[1], argv[2], left, "again", NULL);
	give_up(link_path);
}
