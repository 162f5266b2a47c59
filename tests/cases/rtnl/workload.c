/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process changes COUNT network devices with one request, again and again, in a network namespace
 * of its own: the kernel holds rtnl meanwhile. The victim sets the MTU of a device, which takes
 * rtnl too.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

#define GROUP 77 /* of the devices that are changed together */

struct message {
	struct nlmsghdr header;
	struct ifinfomsg link;
	char attributes[128];
};

static struct rtattr *add_attribute(struct message *message, int type, const void *value, int size)
{
	struct rtattr *attribute =
		(struct rtattr *)((char *)message + NLMSG_ALIGN(message->header.nlmsg_len));

	attribute->rta_type = type;
	attribute->rta_len = RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attribute), value, size);
	message->header.nlmsg_len =
		NLMSG_ALIGN(message->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
	return attribute;
}

static void ask_kernel(int netlink, struct message *message)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[1024];
	} reply;

	message->header.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (send(netlink, message, message->header.nlmsg_len, 0) < 0 ||
	    recv(netlink, &reply, sizeof(reply), 0) < 0)
		give_up("rtnetlink");
	errno = -reply.error.error;
	if (errno)
		give_up("rtnetlink request");
}

static void make_pair(int netlink)
{
	struct message message = {
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(message.link)),
			   .nlmsg_type = RTM_NEWLINK,
			   .nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL},
	};
	unsigned int group = GROUP;

	add_attribute(&message, IFLA_GROUP, &group, sizeof(group));
	struct rtattr *info = add_attribute(&message, IFLA_LINKINFO, NULL, 0);
	add_attribute(&message, IFLA_INFO_KIND, "veth", 4);
	info->rta_len = (char *)&message + message.header.nlmsg_len - (char *)info;
	ask_kernel(netlink, &message);
}

/* A request to change all devices of the group. */
static struct message change_of_all(void)
{
	struct message message = {
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(message.link)),
			   .nlmsg_type = RTM_NEWLINK},
	};
	unsigned int group = GROUP;

	add_attribute(&message, IFLA_GROUP, &group, sizeof(group));
	return message;
}

static void set_all_up(int netlink)
{
	struct message message = change_of_all();

	message.link.ifi_flags = message.link.ifi_change = IFF_UP;
	ask_kernel(netlink, &message);
}

/* The kernel stops each device for it, and waits until nobody sends any more. */
static NAMED_FUNCTION void set_queues(int netlink, unsigned int length)
{
	struct message message = change_of_all();

	add_attribute(&message, IFLA_TXQLEN, &length, sizeof(length));
	ask_kernel(netlink, &message);
}

static void change_devices(void *argument)
{
	int netlink = *(int *)argument;

	for (unsigned int length = 1000;; length ^= 1)
		set_queues(netlink, length);
}

static NAMED_FUNCTION void set_mtu(int socket_fd, int mtu)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_mtu = mtu};

	if (ioctl(socket_fd, SIOCSIFMTU, &request))
		give_up("SIOCSIFMTU");
}

static void request(struct requests *requests, void *context)
{
	sleep_ns(NS_PER_MS);
	wait_begin(requests);
	set_mtu(*(int *)context, 60000 + requests->victim.requests % 2);
	wait_end(requests);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		usage("TRUTH COUNT");
	come_first();
	uint64_t count = number_argument(argv[2], "COUNT");
	int truth = truth_open(argv[1]);
	namespaces_begin(CLONE_NEWNET);
	int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (socket_fd < 0 || netlink < 0)
		give_up("a socket");
	struct requests requests = {.truth = truth,
				    .request = request,
				    .context = &socket_fd,
				    .blocked_key = "ns.lock.kernel"};
	/* No addresses, whose work would hold rtnl in kernel threads. */
	file_set("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	for (uint64_t i = 0; i < count; i++)
		make_pair(netlink);
	set_all_up(netlink);
	pid_t changer = process_start("net-changer", change_devices, &netlink);

	run_requests(&requests);
	process_end(changer);
	return 0;
}
