# SPDX-License-Identifier: BSD-2-Clause
# Function tracing: programs whose every call is known, see tests/functions/README.md. Included by the Makefile.

CHECKS += check-functions

check-functions:
	@python3 tests/functions/test_check.py --quiet

functions: all ## trace programs whose every call is known, as root (FUNCTIONS=--all: in every variant)
	BUILD=$(BUILD) tests/functions/run $(FUNCTIONS)

.PHONY: check-functions functions
