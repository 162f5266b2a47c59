/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the workload waits: those that wait for somebody to send or take something are in
 * waits_peers.c. */
#ifndef DASHCAM_TESTS_WAITS_H
#define DASHCAM_TESTS_WAITS_H

#include <pthread.h>

#include "workload.h"

#define NAP_NS (60 * NS_PER_MS)
#define NAP_MS 60

/* Another thread calls ACT after the nap. */
pthread_t later(void (*act)(void *), void *object);
/* A signal ends the caller's wait after the nap; the call is not begun again. */
void signal_later(void);
/* A name for a file in the directory of the workload; static. */
const char *path_of(const char *name);

void way_pipe_read(void);
void way_pipe_write(void);
void way_fifo_open(void);
void way_unix_stream(void);
void way_unix_datagram(void);
void way_unix_packet(void);
void way_unix_send(void);
void way_unix_send_dgram(void);
void way_eventfd(void);
void way_message(void);
void way_mqueue(void);
void way_tcp_receive(void);
void way_tcp_send(void);
void way_udp_receive(void);
void way_accept(void);
void way_unix_accept(void);
void way_connect(void);

#endif
