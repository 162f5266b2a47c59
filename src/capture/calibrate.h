/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an interrupt costs besides its handler.
 *
 * Tracepoints see the handler; to get there and back takes the CPU time too: a fraction of a
 * microsecond on bare metal, 5 to 9 us under some hypervisors. It looks like slow user code unless
 * it is charged to the interrupt.
 */
#ifndef DASHCAM_CAPTURE_CALIBRATE_H
#define DASHCAM_CAPTURE_CALIBRATE_H

#include <stdbool.h>
#include <stdint.h>

#define CALIBRATE_MOST_NS 20000 /* more is not believed */

/*
 * Has one thread watch the clock while another interrupts its CPU (membarrier), some dozens of
 * times: a few ms, at most 100. Needs two CPUs and a chance to run on both at once. False: it could
 * not be measured, and *RET_NS is assumed, by whether there is a hypervisor.
 */
bool calibrate_irq_hidden(uint64_t *ret_ns);

/*
 * What to believe of COUNT gaps without and with an interrupt: the medians' difference but for the
 * handler itself, at most CALIBRATE_MOST_NS. Sorts both.
 */
uint64_t calibrate_hidden_of(uint64_t *quiet_ns, uint64_t *interrupted_ns, unsigned int count);

#endif
