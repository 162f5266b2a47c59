# SPDX-License-Identifier: BSD-2-Clause
# dashcam: plain Make, distribution packages only. `make help` lists the targets.
# mk/*.mk holds what belongs to tests, benchmarks and the demonstration.

BUILD ?= build
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang
PKG_CONFIG ?= pkg-config
VERSION := 0.1.0

# Where `make install` puts things; DESTDIR is in front of all of it.
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions

PACKAGES := capstone libbpf libdw libelf liblzma libzstd sqlite3 jansson
LIBRARIES := $(shell $(PKG_CONFIG) $(if $(STATIC),--static) --libs $(PACKAGES)) -liberty -lpthread -lm
INCLUDES := -Isrc -I$(BUILD)/include $(shell $(PKG_CONFIG) --cflags $(PACKAGES))
WARNINGS := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wno-missing-field-initializers
OPTIMISE ?= -O2 -g
SANITIZERS := $(if $(ASAN),-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE -DDASHCAM_VERSION='"$(VERSION)"' $(WARNINGS) \
	$(if $(WERROR),-Werror) $(OPTIMISE) $(SANITIZERS) $(INCLUDES) $(CFLAGS)
ALL_LDFLAGS := $(if $(STATIC),-static) $(SANITIZERS) $(LDFLAGS)

ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)

SOURCES := $(filter-out src/bpf/%,$(wildcard src/*/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
SUPPORT := $(patsubst tests/support/%.c,$(BUILD)/tests/support/%.o,$(wildcard tests/support/*.c))
MANUALS := $(patsubst man/%.in,$(BUILD)/man/%,$(wildcard man/*.in)) $(wildcard man/*.[1-8])

all: $(BUILD)/dashcam ## build the program at build/dashcam

$(BUILD)/dashcam: $(BUILD)/src/main.o $(BUILD)/libdashcam.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBRARIES)

$(BUILD)/libdashcam.a: $(OBJECTS)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The one-file program: no library is needed where it runs.
static: ## build the program without shared libraries at build/static/dashcam
	$(MAKE) STATIC=1 BUILD=$(BUILD)/static all

# The kernel side: one object, carried inside the program.
BPF_OBJECT := $(BUILD)/bpf/dashcam.bpf.o

$(BPF_OBJECT): src/bpf/all.bpf.c
	@mkdir -p $(@D)
	$(CLANG) -target bpf -mcpu=v3 -O2 -g -D__TARGET_ARCH_$(ARCH) -Wall -Wextra \
		-Wno-unused-parameter -Wno-missing-field-initializers -Wno-sign-compare $(if $(WERROR),-Werror) \
		-Isrc -I/usr/include/$(MULTIARCH) -MMD -MP -MF $(BUILD)/bpf/dashcam.bpf.d -c -o $@ $<

$(BUILD)/src/capture/object.o: $(BPF_OBJECT)
$(BUILD)/src/capture/object.o: ALL_CFLAGS += -DBPF_OBJECT_PATH='"$(BPF_OBJECT)"'

# The views: all files of views/ in one text, each behind a line with its name.
VIEWS := $(BUILD)/views.sql

$(VIEWS): $(wildcard views/*.sql) views
	@mkdir -p $(@D)
	awk 'FNR == 1 { name = FILENAME; gsub(/.*\/|\.sql$$/, "", name); print "-- view: " name } { print }' \
		views/*.sql >$@

$(BUILD)/src/query/views.o: $(VIEWS)
$(BUILD)/src/query/views.o: ALL_CFLAGS += -DVIEWS_PATH='"$(VIEWS)"'

# What a flame graph carries to work in a browser.
FLAMEGRAPH := src/export/flamegraph

$(BUILD)/src/export/flamegraph_assets.o: $(FLAMEGRAPH).js $(FLAMEGRAPH).css
$(BUILD)/src/export/flamegraph_assets.o: ALL_CFLAGS += \
	-DFLAMEGRAPH_SCRIPT_PATH='"$(FLAMEGRAPH).js"' -DFLAMEGRAPH_STYLE_PATH='"$(FLAMEGRAPH).css"'

# ---- tests: CHECKS is what `make check` runs; mk/*.mk adds to it ----

CHECKS := check-unit check-layers check-docs check-manuals

-include $(sort $(wildcard mk/*.mk))

$(BUILD)/tests/support/%.o: tests/support/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Itests -MMD -MP -c -o $@ $<

$(BUILD)/tests/%: tests/unit/%.c $(SUPPORT) $(BUILD)/libdashcam.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Itests -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(SUPPORT) $(BUILD)/libdashcam.a $(LIBRARIES) -lcmocka

unit: $(UNIT_TESTS) ## build the unit tests

# Several at a time, and all of them even if one fails.
check: ## run what needs neither root nor 10 seconds: unit, golden, layers, docs
	@$(MAKE) --no-print-directory -k $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc)) \
		--output-sync=target $(CHECKS)

UNIT_CHECKS := $(UNIT_TESTS:$(BUILD)/tests/%=check-unit-%)

check-unit: $(UNIT_CHECKS)

$(UNIT_CHECKS): check-unit-%: $(BUILD)/tests/%
	@if $< >$<.log 2>&1; then echo "ok      $*"; else echo "FAILED  $*"; cat $<.log; exit 1; fi

check-layers:
	tools/check-layers

# Pages and lists made from the program's tables are what the program makes now.
check-docs: $(BUILD)/dashcam
	$(BUILD)/dashcam help --events | diff -u docs/events.md -
	tools/readme-update --check $(BUILD)/dashcam README.md README.zh-CN.md

# Every field of explain's JSON is in its page, no list was left out, and groff has nothing to say.
check-manuals: $(MANUALS)
	@sed -n 's/.*set_new(.*"\([a-z0-9_]*\)".*/\1/p' src/view/explanation_json.c | sort -u | while read -r field; do \
		grep -qw "$$field" man/dashcam-explain.1.in || echo "dashcam-explain(1) lacks the field $$field"; \
	done | if grep .; then exit 1; fi
	@if grep '^@[A-Z]*@$$' $(MANUALS); then exit 1; fi
	@if ! command -v groff >/dev/null; then echo "skipped: no groff to check the manual with"; exit 0; fi; \
	for page in $(MANUALS); do \
		groff -man -ww -z -Kutf8 $$page 2>&1 | sed "s,^,$$page: ,"; \
	done | if grep .; then exit 1; fi

# ---- documents ----

docs: $(BUILD)/dashcam ## write docs/events.md and what README shows (after sudo make demo)
	$(BUILD)/dashcam help --events >docs/events.md
	$(BUILD)/dashcam export flamegraph demo/demo.dcam --comm producer -o docs/images/offcpu.svg
	tools/readme-update $(BUILD)/dashcam README.md README.zh-CN.md

manuals: $(MANUALS) ## fill in the manual pages

$(BUILD)/man/%: man/%.in $(BUILD)/dashcam
	@mkdir -p $(@D)
	@$(BUILD)/dashcam help --man $(if $(filter %.1,$*),$(patsubst dashcam-%,%,$(basename $*)),dashcam) <$< >$@

$(BUILD)/dashcam.bash: $(BUILD)/dashcam
	$(BUILD)/dashcam help --completion >$@

# ---- installing ----

install: all $(MANUALS) $(BUILD)/dashcam.bash ## install program, manual, completion (PREFIX, DESTDIR)
	install -D -m 755 $(BUILD)/dashcam $(DESTDIR)$(BINDIR)/dashcam
	install -D -m 644 $(BUILD)/dashcam.bash $(DESTDIR)$(COMPLETIONDIR)/dashcam
	for page in $(MANUALS); do \
		install -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; \
	done

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(BINDIR)/dashcam $(DESTDIR)$(COMPLETIONDIR)/dashcam
	for page in $(notdir $(MANUALS)); do \
		rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$$page; \
	done

format: ## bring C files into the form of .clang-format
	find src tests bench -name '*.[ch]' -exec clang-format -i {} +

clean: ## remove what was built
	rm -rf $(BUILD)

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: all static unit check check-unit $(UNIT_CHECKS) check-layers check-docs check-manuals docs manuals install \
	uninstall format clean help
.DELETE_ON_ERROR:
.SECONDARY:
