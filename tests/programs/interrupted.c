/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A victim watches the clock on CPU 0 while another thread of the process, on CPU 1, interrupts it
 * COUNT times: by membarrier, or by datagrams over loopback (which reach CPU 0 if the device is
 * told so, see tests/live/interrupts.test). Known: how many gaps of an interrupt's size the victim
 * found, and how long they were together.
 */
#include <arpa/inet.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workload.h"

#define PAUSE_NS    (100 * NS_PER_US)
#define SHORTEST_NS UINT64_C(800) /* an interrupt's gap; less is a slow loop */
#define BURST       20            /* datagrams at once */

struct scene {
	int truth;
	atomic_bool is_ready;
	atomic_bool is_over;
};

/* How often this thread has lost its CPU to another. */
static long turns_lost(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw + usage.ru_nvcsw;
}

static NAMED_FUNCTION void watch_the_clock(struct scene *scene)
{
	uint64_t last_ns, gaps = 0, gaps_ns = 0;
	long lost = turns_lost();

	scene->is_ready = true;
	last_ns = now_ns();
	while (!scene->is_over) {
		uint64_t time_ns = now_ns(), gap_ns = time_ns - last_ns;

		last_ns = time_ns;
		if (gap_ns < SHORTEST_NS)
			continue;
		if (turns_lost() == lost) {
			gaps++;
			gaps_ns += gap_ns;
		}
		lost = turns_lost();
		last_ns = now_ns();
	}
	truth_number(scene->truth, "gaps", gaps);
	truth_number(scene->truth, "gaps_ns", gaps_ns);
}

static void *victim(void *argument)
{
	struct scene *scene = argument;
	uint64_t born_ns = now_ns();

	pin_to_cpu(0);
	watch_the_clock(scene);
	truth_thread(scene->truth, "victim", born_ns);
	return NULL;
}

static void send_barriers(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
		spin_ns(PAUSE_NS);
	}
}

/* To a socket that nobody reads: what does not fit is dropped, behind all of the work. */
static void send_datagrams(uint64_t count)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	int sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char data[512] = {0};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(receiver, (struct sockaddr *)&address, size) ||
	    getsockname(receiver, (struct sockaddr *)&address, &size) ||
	    connect(sender, (struct sockaddr *)&address, size))
		give_up("a socket");
	for (uint64_t i = 0; i < count; i++) {
		for (int n = 0; n < BURST; n++) {
			if (send(sender, data, sizeof(data), 0) < 0)
				give_up("sending");
		}
		spin_ns(PAUSE_NS);
	}
	close(sender);
	close(receiver);
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 4 || (strcmp(argv[2], "membarrier") && strcmp(argv[2], "datagrams")))
		usage("TRUTH membarrier|datagrams COUNT");
	struct scene scene = {.truth = truth_open(argv[1])};
	uint64_t count = number_argument(argv[3], "COUNT");

	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0))
		give_up("membarrier");
	if (pthread_create(&thread, NULL, victim, &scene))
		give_up("starting a thread");
	pin_to_cpu(1);
	while (!scene.is_ready)
		sleep_ns(NS_PER_MS);
	if (strcmp(argv[2], "membarrier") == 0)
		send_barriers(count);
	else
		send_datagrams(count);
	scene.is_over = true;
	pthread_join(thread, NULL);
	return 0;
}
