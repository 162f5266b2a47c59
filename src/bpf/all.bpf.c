/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The kernel side is one object, so that the probes share their maps. A probe is a line here.
 */
#include "bpf/sched.bpf.c"
#include "bpf/evidence.bpf.c"
#include "bpf/lock.bpf.c"
#include "bpf/life.bpf.c"
#include "bpf/sample.bpf.c"
#include "bpf/signal.bpf.c"
#include "bpf/disk.bpf.c"
#include "bpf/reclaim.bpf.c"
#include "bpf/tcp.bpf.c"
#include "bpf/function.bpf.c"
#include "bpf/unwind.bpf.c"
#include "bpf/irq.bpf.c"
#include "bpf/open.bpf.c"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
