/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each request makes COUNT system calls that do not wait but cost: stat of a deep path, or connect
 * to a unix socket that is not there.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

#define DEPTH 20

struct storm {
	bool is_connect;
	uint64_t count;
	uint64_t kernel_cpu_ns;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static NAMED_FUNCTION void look_for_file(const struct storm *storm)
{
	struct stat status;

	for (uint64_t i = 0; i < storm->count; i++)
		if (stat(storm->path, &status))
			give_up(storm->path);
}

static NAMED_FUNCTION void look_for_service(const struct storm *storm)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, storm->path, sizeof(address.sun_path) - 1);
	for (uint64_t i = 0; i < storm->count; i++)
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			give_up("somebody is there");
	close(fd);
}

static void request(struct requests *requests, void *context)
{
	struct storm *storm = context;
	uint64_t before_ns = thread_cpu_ns();

	(void)requests;
	if (storm->is_connect)
		look_for_service(storm);
	else
		look_for_file(storm);
	storm->kernel_cpu_ns += thread_cpu_ns() - before_ns;
	spin_ns(200 * NS_PER_US);
}

/* "deep/deep/..." below the working directory; the last name is not made for connect. */
static void make_deep_path(struct storm *storm)
{
	for (int depth = 0; depth < DEPTH; depth++) {
		if (depth)
			mkdir(storm->path, 0700);
		strcat(storm->path, depth ? "/deep" : "deep");
	}
	if (!storm->is_connect)
		mkdir(storm->path, 0700);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH stat|connect COUNT");
	come_first();
	int truth = truth_open(argv[1]);
	struct storm storm = {.is_connect = !strcmp(argv[2], "connect"),
			      .count = number_argument(argv[3], "COUNT")};
	struct requests requests = {.truth = truth, .request = request, .context = &storm};

	make_deep_path(&storm);
	run_requests(&requests);
	truth_number(truth, "about.cpu.kernel", storm.kernel_cpu_ns);
	return 0;
}
