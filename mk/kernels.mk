# SPDX-License-Identifier: BSD-2-Clause
# Other kernels than this machine's: Debian's, under QEMU. See tests/kernels/run.

# Workloads that need no library where they run.
KERNEL_PROGRAMS := $(addprefix $(BUILD)/static/programs/,lock sleeper burner)

$(BUILD)/static/programs/%: tests/programs/%.c tests/programs/workload.c tests/programs/workload.h
	@mkdir -p $(@D)
	$(CC) $(PROGRAM_CFLAGS) -static -o $@ $< tests/programs/workload.c -lpthread

# Cases that need nothing but a kernel: explain must find their cause there too. As tests/kernels/run lists them.
KERNEL_CASES := lock-busy lock-preempted condition-computing pool-exhausted quadratic child-computing net-slow-peer preempted-fifo

test-kernels: static $(KERNEL_PROGRAMS) $(KERNEL_CASES:%=$(BUILD)/static/cases/%) ## record under Debian's kernels in QEMU (K=6.1: only there)
	BUILD=$(BUILD) tests/kernels/run $(K)

.PHONY: test-kernels
