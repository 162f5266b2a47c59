# SPDX-License-Identifier: BSD-2-Clause
# The cases: faults made on purpose, see tests/cases/README.md. Included by the Makefile.

CASES := $(BUILD)/cases
CASE_NAMES := $(patsubst tests/cases/%/workload.c,%,$(wildcard tests/cases/*/workload.c))
CASE_HEADERS := $(wildcard tests/cases/*.h) tests/programs/workload.h
CASE_SHARED := $(patsubst tests/%.c,$(CASES)/shared/%.o,$(wildcard tests/cases/*.c) tests/programs/workload.c)
CASE_INCLUDES := -Itests/cases -Itests/programs

case-programs: $(CASE_NAMES:%=$(CASES)/%) $(BUILD)/bench/floor

$(CASES)/shared/%.o: tests/%.c $(CASE_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(PROGRAM_CFLAGS) $(CASE_INCLUDES) -c -o $@ $<

# A case's other sources lie beside its workload.c.
.SECONDEXPANSION:
$(CASES)/%: $$(wildcard tests/cases/$$*/*.[ch]) $(CASE_SHARED) $(CASE_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(PROGRAM_CFLAGS) $(CASE_INCLUDES) -o $@ $(filter %.c %.o,$^) -lpthread -ldl

# The same without libraries, at a fixed address: for other kernels, and for stripped ones.
$(BUILD)/static/cases/%: $$(wildcard tests/cases/$$*/*.[ch]) $(CASE_SHARED) $(CASE_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(PROGRAM_CFLAGS) $(CASE_INCLUDES) -static -o $@ $(filter %.c %.o,$^) -lpthread

# What tests/live/degraded.test runs.
DEGRADED_CASES := condition-computing cpu-quota disk-slow healthy-timer lock-busy lock-preempted mmap-smaps net-slow-peer \
	pool-exhausted priority-inversion quadratic softirq-flood
DEGRADED_STATIC := lock-busy quadratic

degraded-programs: $(DEGRADED_CASES:%=$(CASES)/%) $(DEGRADED_STATIC:%=$(BUILD)/static/cases/%)

CHECKS += check-cases

check-cases:
	@python3 tests/cases/test_expect.py --quiet

cases: case-programs all ## make each fault and ask explain for the cause, as root (CASES_OPTIONS="--rounds 5 lock")
	BUILD=$(BUILD) tests/cases/run $(CASES_OPTIONS)

.PHONY: case-programs degraded-programs check-cases cases
