/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The victim touches pages of a mapped file that are not in memory: one after the other on a disk
 * (read-ahead does part of the work), or here and there in a file whose user-space server needs
 * MILLISECONDS for each.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"
#include "slow_file.h"

#define DISK_BYTES   (64UL << 20)
#define SERVED_BYTES (4UL << 20)

struct mapped_file {
	int fd;
	size_t size_bytes;
	bool is_scattered;
	const volatile char *bytes;
	uint64_t next;
	uint64_t cpu_ns; /* spent in faults */
};

static NAMED_FUNCTION unsigned int touch_page(const volatile char *page)
{
	return *page;
}

static uint64_t next_page(struct mapped_file *file)
{
	uint64_t next = file->is_scattered ? random_next(&file->next) : file->next++;

	return next % (file->size_bytes / PAGE_BYTES);
}

static void forget_pages(struct mapped_file *file)
{
	madvise((void *)file->bytes, file->size_bytes, MADV_DONTNEED);
	posix_fadvise(file->fd, 0, 0, POSIX_FADV_DONTNEED);
}

static void request(struct requests *requests, void *context)
{
	struct mapped_file *file = context;
	uint64_t before_ns = thread_cpu_ns();

	wait_begin(requests);
	for (int i = 0; i < 16; i++)
		touch_page(file->bytes + next_page(file) * PAGE_BYTES);
	wait_end(requests);
	file->cpu_ns += thread_cpu_ns() - before_ns;
	if (requests->victim.requests % 64 == 0)
		forget_pages(file);
}

static void map_file(struct mapped_file *file)
{
	char *bytes = mmap(NULL, file->size_bytes, PROT_READ, MAP_SHARED, file->fd, 0);

	if (bytes == MAP_FAILED ||
	    madvise(bytes, file->size_bytes, file->is_scattered ? MADV_RANDOM : MADV_NORMAL))
		give_up("mapping a file");
	file->bytes = bytes;
}

static void run(struct mapped_file *file, int truth)
{
	struct requests requests = {.truth = truth, .request = request, .context = file};

	map_file(file);
	run_requests(&requests);
	truth_number(truth, "about.mem.fault", requests.blocked_ns + file->cpu_ns);
	munmap((void *)file->bytes, file->size_bytes);
	close(file->fd);
}

static void run_on_disk(int truth)
{
	struct mapped_file file = {.fd = scratch_file(DISK_BYTES, 0), .size_bytes = DISK_BYTES};

	pin_to_cpu(disk_cpu(file.fd));
	run(&file, truth);
}

static void run_with_server(int truth, uint64_t delay_ns)
{
	struct mapped_file file = {.size_bytes = SERVED_BYTES, .is_scattered = true, .next = 1};
	struct slow_file served;

	namespaces_begin(CLONE_NEWNS);
	slow_file_begin(&served, "slow-server", SERVED_BYTES);
	file.fd = open(served.path, O_RDONLY | O_CLOEXEC);
	if (file.fd < 0)
		give_up(served.path);
	slow_file_delay(&served, delay_ns, false);
	run(&file, truth);
	slow_file_end(&served);
}

int main(int argc, char **argv)
{
	if (argc != 3 && argc != 4)
		usage("TRUTH disk|server [MILLISECONDS]");
	int truth = truth_open(argv[1]);

	run_in_real_time(1);
	if (argc == 3)
		run_on_disk(truth);
	else
		run_with_server(truth, number_argument(argv[3], "MILLISECONDS") * NS_PER_MS);
	return 0;
}
