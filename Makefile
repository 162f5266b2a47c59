# SPDX-License-Identifier: BSD-2-Clause
# dashcam: plain Make, distribution packages only. `make help` lists the targets.

BUILD ?= build
CC ?= gcc
CLANG ?= clang
PKG_CONFIG ?= pkg-config
VERSION := 0.1.0

PACKAGES := libbpf libdw libelf libzstd sqlite3 jansson
LIBRARIES := $(shell $(PKG_CONFIG) $(if $(STATIC),--static) --libs $(PACKAGES)) -liberty -lpthread -lm
INCLUDES := -Isrc -I$(BUILD)/include $(shell $(PKG_CONFIG) --cflags $(PACKAGES))
WARNINGS := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wno-missing-field-initializers
OPTIMISE ?= -O2 -g
SANITIZERS := $(if $(ASAN),-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE -DDASHCAM_VERSION='"$(VERSION)"' $(WARNINGS) \
	$(if $(WERROR),-Werror) $(OPTIMISE) $(SANITIZERS) $(INCLUDES) $(CFLAGS)
ALL_LDFLAGS := $(if $(STATIC),-static) $(SANITIZERS) $(LDFLAGS)

ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)

SOURCES := $(filter-out src/main.c,$(wildcard src/*/*.c))
SOURCES := $(filter-out src/bpf/%,$(SOURCES))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
SUPPORT := $(patsubst tests/support/%.c,$(BUILD)/tests/support/%.o,$(wildcard tests/support/*.c))

all: $(BUILD)/dashcam

$(BUILD)/dashcam: $(BUILD)/src/main.o $(BUILD)/libdashcam.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBRARIES)

$(BUILD)/libdashcam.a: $(OBJECTS)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The kernel side: one object, carried inside the program.
BPF_OBJECT := $(BUILD)/bpf/dashcam.bpf.o

$(BPF_OBJECT): src/bpf/all.bpf.c
	@mkdir -p $(@D)
	$(CLANG) -target bpf -mcpu=v3 -O2 -g -D__TARGET_ARCH_$(ARCH) -Wall -Wextra \
		-Wno-unused-parameter -Wno-missing-field-initializers $(if $(WERROR),-Werror) \
		-Isrc -I/usr/include/$(MULTIARCH) -MMD -MP -MF $(BUILD)/bpf/dashcam.bpf.d -c -o $@ $<

$(BUILD)/src/capture/object.o: $(BPF_OBJECT)
$(BUILD)/src/capture/object.o: INCLUDES += -DBPF_OBJECT_PATH='"$(BPF_OBJECT)"'

$(BUILD)/tests/support/%.o: tests/support/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Itests -MMD -MP -c -o $@ $<

$(BUILD)/tests/%: tests/unit/%.c $(SUPPORT) $(BUILD)/libdashcam.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Itests -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(SUPPORT) $(BUILD)/libdashcam.a $(LIBRARIES) -lcmocka

unit: $(UNIT_TESTS)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

clean:
	rm -rf $(BUILD)

.PHONY: all unit clean
.DELETE_ON_ERROR:
.SECONDARY:
