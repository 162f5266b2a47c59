/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process on CPU 1 sends packets of PACKET-BYTES through a veth pair, in a network namespace of
 * its own; the receiving end's softirq work is steered to CPU 0, where the victim computes. Nobody
 * listens: the kernel checks each packet's checksum and drops it.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

#define SENDER       "flood0"
#define RECEIVER     "flood1"
#define RECEIVER_MAC "02:00:00:00:00:01"

struct flood {
	int fd;
	struct sockaddr_ll to;
	size_t size_bytes;
	uint64_t burst; /* packets */
	uint64_t pause_ns;
};

struct packet {
	struct ether_header ether;
	struct iphdr ip;
	struct udphdr udp;
	char payload[65536 - sizeof(struct iphdr) - sizeof(struct udphdr)];
} __attribute__((packed));

static uint16_t checksum(const void *header, size_t size)
{
	const uint8_t *bytes = header;
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* To UDP port 9 of the receiver, with a checksum that is not right: it takes the whole packet to
 * see it. */
static void fill_packet(struct packet *packet, size_t payload_bytes)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};

	memcpy(packet->ether.ether_dhost, mac, sizeof(mac));
	packet->ether.ether_type = htons(ETHERTYPE_IP);
	packet->ip = (struct iphdr){.version = 4,
				    .ihl = 5,
				    .ttl = 64,
				    .protocol = IPPROTO_UDP,
				    .tot_len = htons(28 + payload_bytes),
				    .saddr = inet_addr("10.0.0.2"),
				    .daddr = inet_addr("10.0.0.1")};
	packet->ip.check = checksum(&packet->ip, sizeof(packet->ip));
	packet->udp = (struct udphdr){
		.source = htons(9), .dest = htons(9), .len = htons(8 + payload_bytes), .check = 1};
}

static NAMED_FUNCTION void send_packets(const struct flood *flood, const struct packet *packet)
{
	for (uint64_t i = 0; i < flood->burst; i++)
		sendto(flood->fd, packet, sizeof(packet->ether) + 28 + flood->size_bytes, 0,
		       (const struct sockaddr *)&flood->to, sizeof(flood->to));
}

/* Not as fast as it could: what the softirq does not manage at once is a thread's work. */
static void send_without_end(void *argument)
{
	static struct packet packet;
	const struct flood *flood = argument;

	pin_to_cpu(1);
	fill_packet(&packet, flood->size_bytes);
	for (;;) {
		send_packets(flood, &packet);
		spin_ns(flood->pause_ns);
	}
}

static void make_pair(void)
{
	command_words("ip link add " SENDER " mtu 65535 type veth peer name " RECEIVER
		      " mtu 65535 address " RECEIVER_MAC);
	command_words("ip addr add 10.0.0.1/24 dev " RECEIVER);
	command_words("ip link set " SENDER " up");
	command_words("ip link set " RECEIVER " up");
	/* Another mount of sysfs shows this network namespace. */
	if (mount("sysfs", "/sys", "sysfs", 0, NULL))
		give_up("mounting sysfs");
}

static void steer_to(const char *cpu_mask)
{
	file_set("/sys/class/net/" RECEIVER "/queues/rx-0/rps_cpus", cpu_mask);
}

/* The same work each time. Gives the CPU time it took, or so the kernel says: it counts what
 * interrupts take. */
static NAMED_FUNCTION uint64_t do_work(void)
{
	uint64_t before_ns = thread_cpu_ns();

	for (unsigned int i = 0; i < 1000000; i++)
		__asm__ volatile("" : "+r"(i));
	return thread_cpu_ns() - before_ns;
}

struct work {
	uint64_t undisturbed_ns; /* one do_work() */
	uint64_t stolen_ns;
};

static int compare_numbers(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* The flood runs as it will, but takes another CPU. */
static uint64_t undisturbed_work_ns(void)
{
	uint64_t taken_ns[101];

	steer_to("2");
	sleep_ns(20 * NS_PER_MS);
	for (int i = 0; i < 101; i++)
		taken_ns[i] = do_work();
	qsort(taken_ns, 101, sizeof(taken_ns[0]), compare_numbers);
	return taken_ns[50];
}

static void request(struct requests *requests, void *context)
{
	struct work *work = context;
	uint64_t taken_ns = do_work();

	(void)requests;
	work->stolen_ns += taken_ns > work->undisturbed_ns ? taken_ns - work->undisturbed_ns : 0;
}

int main(int argc, char **argv)
{
	struct work work = {0};

	if (argc != 5)
		usage("TRUTH PACKET-BYTES BURST PAUSE-US");
	int truth = truth_open(argv[1]);
	struct flood flood = {.size_bytes = number_argument(argv[2], "PACKET-BYTES"),
			      .burst = number_argument(argv[3], "BURST"),
			      .pause_ns = number_argument(argv[4], "PAUSE-US") * NS_PER_US};
	struct requests requests = {.truth = truth, .request = request, .context = &work};

	namespaces_begin(CLONE_NEWNS | CLONE_NEWNET);
	make_pair();
	flood.fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (flood.fd < 0)
		give_up("a packet socket");
	flood.to = (struct sockaddr_ll){.sll_family = AF_PACKET,
					.sll_ifindex = if_nametoindex(SENDER),
					.sll_protocol = htons(ETHERTYPE_IP)};
	come_first();
	pid_t process = process_start("flood", send_without_end, &flood);

	pin_to_cpu(0);
	work.undisturbed_ns = undisturbed_work_ns();
	steer_to("1");
	run_requests(&requests);
	process_end(process);
	truth_number(truth, "about.cpu.irq", work.stolen_ns);
	truth_number(truth, "undisturbed_ns", work.undisturbed_ns);
	return 0;
}
