/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Built twice: as a library (with LATE_LIBRARY defined) whose one function sleeps, and as a program
 * that loads the library after 200 ms, calls the function COUNT times, and unloads it. A recorder
 * that reads mappings only at the start does not know the function's name.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "workload.h"

void late_function(uint64_t duration_ns);

#ifdef LATE_LIBRARY

NAMED_FUNCTION void late_function(uint64_t duration_ns)
{
	sleep_ns(duration_ns);
	KEEP_FRAME();
}

#else

int main(int argc, char **argv)
{
	uint64_t born_ns = now_ns();
	void (*function)(uint64_t);

	if (argc != 4)
		usage("TRUTH LIBRARY COUNT");
	int truth = truth_open(argv[1]);
	uint64_t count = number_argument(argv[3], "COUNT");

	sleep_ns(200 * NS_PER_MS);
	void *library = dlopen(argv[2], RTLD_NOW);
	function = library ? (void (*)(uint64_t))dlsym(library, "late_function") : NULL;
	if (!function) {
		fprintf(stderr, "late_library: %s\n", dlerror());
		exit(1);
	}
	for (uint64_t i = 0; i < count; i++)
		function(10 * NS_PER_MS);
	dlclose(library);
	truth_number(truth, "calls", count);
	truth_thread(truth, "caller", born_ns);
	return 0;
}

#endif
