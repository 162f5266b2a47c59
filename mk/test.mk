# SPDX-License-Identifier: BSD-2-Clause
# Tests, measurements and the demo. Included by the Makefile.

# Workloads of the live tests. Built as a distribution would: optimised, no frame pointers.
PROGRAMS := $(BUILD)/programs
PROGRAM_NAMES := sleeper lock pingpong runqueue coldread socket storm renamer late_library \
	signal_handler burner instructions demo_lock jit tid_reuse descriptors compat_call diskio tcp feeder interrupted span timeouts waits hang calls functions_safe values contexts naps
PROGRAM_CFLAGS := -std=gnu11 -D_GNU_SOURCE -O2 -g -fomit-frame-pointer $(WARNINGS) $(if $(WERROR),-Werror)

programs: $(PROGRAM_NAMES:%=$(PROGRAMS)/%) $(PROGRAMS)/late_library.so $(PROGRAMS)/shapes $(PROGRAMS)/arguments $(BUILD)/bench/floor

$(PROGRAMS)/%: tests/programs/%.c tests/programs/workload.c tests/programs/workload.h
	@mkdir -p $(@D)
	$(CC) $(PROGRAM_CFLAGS) -o $@ $< tests/programs/workload.c -lpthread -ldl

$(PROGRAMS)/waits: tests/programs/waits.c tests/programs/waits_peers.c tests/programs/waits.h \
		tests/programs/workload.c tests/programs/workload.h
	@mkdir -p $(@D)
	$(CC) $(PROGRAM_CFLAGS) -o $@ $(filter %.c,$^) -lpthread -lrt

$(PROGRAMS)/late_library.so: tests/programs/late_library.c tests/programs/workload.c
	@mkdir -p $(@D)
	$(CC) $(PROGRAM_CFLAGS) -DLATE_LIBRARY -shared -fPIC -o $@ $^

$(PROGRAMS)/shapes: tests/programs/shapes.cc
	@mkdir -p $(@D)
	$(CXX) -O2 -g -Wall -Wextra $(if $(WERROR),-Werror) -o $@ $<

# -rdynamic: its backtraces name functions.
$(PROGRAMS)/unwinds: tests/programs/unwinds.cc
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O2 -g -rdynamic -Wall -Wextra $(if $(WERROR),-Werror) -o $@ $< -lpthread

# With an unwinder of its own.
$(PROGRAMS)/unwinds_static: tests/programs/unwinds.cc
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O2 -g -static -Wall -Wextra $(if $(WERROR),-Werror) -o $@ $< -lpthread

programs: $(PROGRAMS)/unwinds $(PROGRAMS)/unwinds_static

# Seed 001's examples: each is its own whole program, so that nothing else is in its listing.
SEED_PROGRAMS := $(addprefix $(PROGRAMS)/,seed_work seed_strings seed_threads seed_virtual)

programs: $(SEED_PROGRAMS)

$(PROGRAMS)/seed_%: tests/programs/seed_%.c
	@mkdir -p $(@D)
	$(CC) $(PROGRAM_CFLAGS) -fno-builtin -o $@ $< -lpthread

$(PROGRAMS)/seed_virtual: tests/programs/seed_virtual.cc
	@mkdir -p $(@D)
	$(CXX) -O0 -g -Wall -Wextra $(if $(WERROR),-Werror) -o $@ $<

$(PROGRAMS)/arguments: tests/programs/arguments.cc
	@mkdir -p $(@D)
	$(CXX) -O1 -g -Wall -Wextra $(if $(WERROR),-Werror) -o $@ $<

# The floor that measurements are compared with: empty BPF programs.
$(BUILD)/bench/floor.bpf.o: bench/floor.bpf.c
	@mkdir -p $(@D)
	$(CLANG) -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Wno-unused-parameter $(if $(WERROR),-Werror) \
		-I/usr/include/$(MULTIARCH) -c -o $@ $<

$(BUILD)/bench/floor: bench/floor.c $(BUILD)/bench/floor.bpf.o
	$(CC) $(PROGRAM_CFLAGS) -DFLOOR_OBJECT_PATH='"$(BUILD)/bench/floor.bpf.o"' -o $@ $< \
		$(shell $(PKG_CONFIG) --cflags --libs libbpf)

# Makes large recordings to measure reports with.
$(BUILD)/bench/many_calls: bench/many_calls.c $(BUILD)/libdashcam.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $< $(BUILD)/libdashcam.a $(LIBRARIES)

$(BUILD)/bench/busy_machine: bench/busy_machine.c $(SUPPORT) $(BUILD)/libdashcam.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Itests -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(SUPPORT) $(BUILD)/libdashcam.a $(LIBRARIES) -lcmocka

# A sub-make builds, so that it sees the packages that were just installed.
test: ## everything this machine can run, as root: installs what is missing, check, live tests, cases
	@[ "$$(id -u)" != 0 ] || tools/install-packages build test
	@$(MAKE) --no-print-directory programs case-programs degraded-programs all
	@status=0; \
	$(MAKE) --no-print-directory check || status=1; \
	BUILD=$(BUILD) tests/live/run -r $(TESTS) || status=1; \
	BUILD=$(BUILD) tests/functions/run || status=1; \
	BUILD=$(BUILD) tests/cases/run --want 95 || status=1; \
	exit $$status

live: programs degraded-programs all ## only the live tests; TESTS=word: those with the word in their name
	BUILD=$(BUILD) tests/live/run $(TESTS)

bench: $(BUILD)/bench/floor $(BUILD)/bench/busy_machine $(BUILD)/bench/many_calls $(PROGRAMS)/span all ## measure beside other tools (BENCH=--quick: under a minute)
	bench/run --build $(BUILD) $(BENCH)

demo: ## build, record a lock and a real program, show what is found (as root)
	BUILD=$(BUILD) tools/demo.sh

.PHONY: programs test live bench demo
