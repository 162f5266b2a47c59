/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bad network between two network namespaces of our own: a TUN device in each, and a process
 * called "relay" that carries packets from one to the other, late or not at all. It does what netem
 * does on kernels that have it. All of it is gone when the last process that uses it ends.
 *
 * The relay runs in both directions alike. Nothing else is in the namespaces but their loopback.
 */
#ifndef DASHCAM_TESTS_TUN_RELAY_H
#define DASHCAM_TESTS_TUN_RELAY_H

#include <stdint.h>
#include <sys/types.h>

/* IPv4 addresses of the two sides. */
#define RELAY_NEAR "10.77.0.1"
#define RELAY_FAR  "10.77.0.2"

struct tun_relay {
	/* what to do; set before relay_start */
	uint64_t delay_ns;    /* each way */
	uint64_t lose_every;  /* TCP segments with data from near to far: one in so many is lost; 0:
				 none */
	uint64_t blackout_ns; /* everything is lost for so long after such a loss */

	int near_namespace;
	int far_namespace;
	pid_t pid;
};

/* Makes the namespaces and starts the relay; the caller is in the near one afterwards. */
void relay_start(struct tun_relay *relay);

/*
 * Starts a process called "server" on the far side that listens there on TCP, accepts one
 * connection and calls SERVE with it. Returns a connection to it.
 */
int relay_connect(const struct tun_relay *relay, void (*serve)(int peer));

#endif
