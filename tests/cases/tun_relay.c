/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "talk.h"
#include "tun_relay.h"
#include "workload.h"

#define PACKET_BYTES  1500
#define QUEUE_PACKETS 1024

enum side {
	NEAR,
	FAR,
	SIDES
};

struct packet {
	uint64_t due_ns;
	enum side to;
	ssize_t size;
	unsigned char bytes[PACKET_BYTES];
};

/* Packets under way. All are delayed alike, so they leave in the order they came. */
struct carrier {
	const struct tun_relay *relay;
	int devices[SIDES];
	uint64_t segments;
	uint64_t dark_until_ns;
	uint64_t first, count;
	struct packet queue[QUEUE_PACKETS];
};

static void set_address(int control, struct ifreq *request, unsigned long what, const char *address)
{
	struct sockaddr_in internet = {.sin_family = AF_INET};

	inet_pton(AF_INET, address, &internet.sin_addr);
	memcpy(&request->ifr_addr, &internet, sizeof(internet));
	if (ioctl(control, what, request))
		give_up("setting an address");
}

static void bring_up(int control, struct ifreq *request)
{
	request->ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(control, SIOCSIFFLAGS, request))
		give_up("bringing a network device up");
}

/* A TUN device with ADDRESS in the current namespace. */
static int make_device(const char *address)
{
	struct ifreq device = {.ifr_name = "tun0", .ifr_flags = IFF_TUN | IFF_NO_PI};
	struct ifreq loopback = {.ifr_name = "lo"};
	int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (tun < 0 || control < 0 || ioctl(tun, TUNSETIFF, &device))
		give_up("making a TUN device");
	set_address(control, &device, SIOCSIFADDR, address);
	set_address(control, &device, SIOCSIFNETMASK, "255.255.255.0");
	bring_up(control, &device);
	bring_up(control, &loopback);
	close(control);
	return tun;
}

/* Whether a packet is a TCP segment that carries data. */
static bool carries_data(const struct packet *packet)
{
	const unsigned char *ip = packet->bytes;
	size_t ip_bytes = (ip[0] & 15) * 4;

	if (packet->size < 40 || ip[0] >> 4 != 4 || ip[9] != IPPROTO_TCP ||
	    ip_bytes + 20 > (size_t)packet->size)
		return false;
	return ip_bytes + (ip[ip_bytes + 12] >> 4) * 4 < (size_t)packet->size;
}

static bool is_lost(struct carrier *carrier, const struct packet *packet, uint64_t time_ns)
{
	const struct tun_relay *relay = carrier->relay;

	if (time_ns < carrier->dark_until_ns)
		return true;
	if (!relay->lose_every || packet->to != FAR || !carries_data(packet))
		return false;
	if (++carrier->segments % relay->lose_every)
		return false;
	carrier->dark_until_ns = time_ns + relay->blackout_ns;
	return true;
}

static void take(struct carrier *carrier, enum side from)
{
	while (carrier->count < QUEUE_PACKETS) {
		struct packet *packet =
			&carrier->queue[(carrier->first + carrier->count) % QUEUE_PACKETS];
		uint64_t time_ns;

		packet->size = read(carrier->devices[from], packet->bytes, PACKET_BYTES);
		if (packet->size <= 0)
			return;
		time_ns = now_ns();
		packet->to = from == NEAR ? FAR : NEAR;
		packet->due_ns = time_ns + carrier->relay->delay_ns;
		if (!is_lost(carrier, packet, time_ns))
			carrier->count++;
	}
}

/* Delivers what is due. Returns how long the next one has, -1 if there is none. */
static int64_t deliver(struct carrier *carrier)
{
	while (carrier->count) {
		struct packet *packet = &carrier->queue[carrier->first];
		uint64_t time_ns = now_ns();

		if (time_ns < packet->due_ns)
			return packet->due_ns - time_ns;
		/* A device that refuses a packet has lost it, as networks do. */
		if (write(carrier->devices[packet->to], packet->bytes, packet->size) < 0 &&
		    errno == EBADF)
			give_up("delivering a packet");
		carrier->first = (carrier->first + 1) % QUEUE_PACKETS;
		carrier->count--;
	}
	return -1;
}

static void carry(void *context)
{
	struct carrier *carrier = context;
	struct pollfd devices[SIDES] = {{carrier->devices[NEAR], POLLIN, 0},
					{carrier->devices[FAR], POLLIN, 0}};

	for (;;) {
		int64_t left_ns = deliver(carrier);
		struct timespec left = {left_ns / (int64_t)NS_PER_S, left_ns % (int64_t)NS_PER_S};

		if (ppoll(devices, SIDES, left_ns < 0 ? NULL : &left, NULL) < 0 && errno != EINTR)
			give_up("waiting for packets");
		take(carrier, NEAR);
		take(carrier, FAR);
	}
}

static int make_namespace(void)
{
	if (unshare(CLONE_NEWNET))
		give_up("making a network namespace");
	int namespace = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (namespace < 0)
		give_up("opening a network namespace");
	return namespace;
}

void relay_start(struct tun_relay *relay)
{
	static struct carrier carrier;

	carrier.relay = relay;
	relay->far_namespace = make_namespace();
	carrier.devices[FAR] = make_device(RELAY_FAR);
	relay->near_namespace = make_namespace();
	carrier.devices[NEAR] = make_device(RELAY_NEAR);
	relay->pid = start_child("relay", carry, &carrier);
	close(carrier.devices[NEAR]);
	close(carrier.devices[FAR]);
}

/*
 * A connection that is closed is gone at once: the namespaces would live on for minutes with one
 * that waits for the other side's farewell, which no relay carries any more.
 */
static void close_at_once(int peer)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	if (setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)))
		give_up("SO_LINGER");
}

struct far_server {
	const struct tun_relay *relay;
	void (*serve)(int peer);
	int address[2]; /* a pipe that tells it */
};

static void run_far_server(void *context)
{
	struct far_server *server = context;
	struct endpoint endpoint;

	if (setns(server->relay->far_namespace, CLONE_NEWNET))
		give_up("entering a network namespace");
	int listener = listen_on("tcp", RELAY_FAR, 1, &endpoint);
	if (write(server->address[1], &endpoint, sizeof(endpoint)) != sizeof(endpoint))
		give_up("telling the address");
	int peer = accept(listener, NULL, NULL);
	if (peer < 0)
		give_up("accepting");
	close_at_once(peer);
	server->serve(peer);
}

int relay_connect(const struct tun_relay *relay, void (*serve)(int peer))
{
	struct far_server server = {relay, serve, {0}};
	struct endpoint endpoint;

	if (pipe(server.address))
		give_up("making a pipe");
	start_child("server", run_far_server, &server);
	if (read(server.address[0], &endpoint, sizeof(endpoint)) != sizeof(endpoint))
		give_up("learning the address");
	close(server.address[0]);
	close(server.address[1]);

	int peer = connect_to(&endpoint);
	close_at_once(peer);
	return peer;
}
