/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The floor: programs that do nothing on the hooks every recorder of context switches must have. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tp_btf/sched_switch")
int on_switch(void *context)
{
	return 0;
}

SEC("tp_btf/sched_waking")
int on_waking(void *context)
{
	return 0;
}

SEC("?tp_btf/sched_exit_tp")
int on_exit(void *context)
{
	return 0;
}

char floor_license[] SEC("license") = "GPL";
