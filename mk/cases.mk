# SPDX-License-Identifier: BSD-2-Clause
# The cases: faults made on purpose, see tests/cases/README.md. Included by the Makefile.

CASES := $(BUILD)/cases
CASE_NAMES := $(patsubst tests/cases/%/workload.c,%,$(wildcard tests/cases/*/workload.c))
CASE_SHARED := tests/cases/case.c tests/programs/workload.c
CASE_HEADERS := tests/cases/case.h tests/programs/workload.h

case-programs: $(CASE_NAMES:%=$(CASES)/%) $(BUILD)/bench/floor

# A case's other sources lie beside its workload.c.
.SECONDEXPANSION:
$(CASES)/%: $$(wildcard tests/cases/$$*/*.[ch]) $(CASE_SHARED) $(CASE_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(PROGRAM_CFLAGS) -Itests/cases -Itests/programs -o $@ $(filter %.c,$^) -lpthread -ldl

cases: case-programs all ## make each fault and ask explain for the cause, as root (CASES_OPTIONS="--rounds 5 lock")
	BUILD=$(BUILD) tests/cases/run $(CASES_OPTIONS)

.PHONY: case-programs cases
