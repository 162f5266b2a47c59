# SPDX-License-Identifier: BSD-2-Clause
# Fuzzing the reader of function patterns: tests/fuzz/fuzz_pattern.c.

FUZZ_PATTERN := $(BUILD)/tests/fuzz_pattern
FUZZ_PATTERN_SOURCES := tests/fuzz/fuzz_pattern.c src/capture/function_pattern.c src/capture/function_harm.c \
	$(wildcard src/base/*.c)
FUZZ_PATTERN_CORPUS := tests/fuzz/corpus/pattern

CHECKS += check-fuzz-pattern

check-fuzz-pattern: $(FUZZ_PATTERN)
	$(FUZZ_PATTERN) $(FUZZ_PATTERN_CORPUS)/*

$(FUZZ_PATTERN): $(BUILD)/tests/fuzz/fuzz_pattern.o $(BUILD)/libdashcam.a
	$(CC) $(ALL_LDFLAGS) -o $@ $< $(BUILD)/libdashcam.a $(LIBRARIES)

# New inputs are kept in the build folder; move what is worth it to the corpus.
fuzz-pattern: ## fuzz the reader of function patterns for FUZZ_SECONDS (60), with clang's libFuzzer
	@mkdir -p $(BUILD)/fuzz/pattern
	$(CLANG) $(ALL_CFLAGS) -DFUZZ_LIBFUZZER -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -o $(BUILD)/fuzz_pattern $(FUZZ_PATTERN_SOURCES) $(LIBRARIES)
	$(BUILD)/fuzz_pattern -max_len=4200 -rss_limit_mb=2048 -timeout=20 \
		-max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(BUILD)/fuzz/ \
		$(BUILD)/fuzz/pattern $(FUZZ_PATTERN_CORPUS)

.PHONY: check-fuzz-pattern fuzz-pattern
