# SPDX-License-Identifier: BSD-2-Clause
# Fuzzing the reader of recordings, and what explains them: tests/fuzz/fuzz_recording.c.

FUZZ_RECORDING := $(BUILD)/tests/fuzz_recording
FUZZ_RECORDING_OWN := $(BUILD)/tests/fuzz/fuzz_recording.o $(BUILD)/tests/fuzz/explain_input.o \
	$(BUILD)/tests/fuzz/calls_input.o \
	$(BUILD)/tests/support/recording_mend.o
FUZZ_RECORDING_SOURCES := tests/fuzz/fuzz_recording.c tests/fuzz/explain_input.c tests/fuzz/calls_input.c \
	tests/support/recording_mend.c $(wildcard src/view/explanation_*.c) src/view/wrap.c \
	$(foreach folder,base event recording model analysis,$(wildcard src/$(folder)/*.c))
FUZZ_RECORDING_CORPUS := tests/fuzz/corpus/recording
FUZZ_SECONDS ?= 60

CHECKS += check-fuzz-recording

check-fuzz-recording: $(FUZZ_RECORDING)
	$(FUZZ_RECORDING) $(FUZZ_RECORDING_CORPUS)/* tests/golden/*.dcam

$(FUZZ_RECORDING): $(FUZZ_RECORDING_OWN) $(BUILD)/libdashcam.a
	$(CC) $(ALL_LDFLAGS) -o $@ $(FUZZ_RECORDING_OWN) $(BUILD)/libdashcam.a $(LIBRARIES)

$(BUILD)/tests/fuzz/%.o: tests/fuzz/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Itests -MMD -MP -c -o $@ $<

# New inputs are kept in the build folder; move what is worth it to the corpus.
fuzz-recording: ## fuzz the reader of recordings for FUZZ_SECONDS (60), with clang's libFuzzer
	@mkdir -p $(BUILD)/fuzz/recording
	$(CLANG) $(ALL_CFLAGS) -Itests -DFUZZ_LIBFUZZER -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -o $(BUILD)/fuzz_recording \
		$(FUZZ_RECORDING_SOURCES) $(LIBRARIES)
	$(BUILD)/fuzz_recording -max_len=65536 -rss_limit_mb=2048 -timeout=20 \
		-max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(BUILD)/fuzz/ \
		$(BUILD)/fuzz/recording $(FUZZ_RECORDING_CORPUS)

.PHONY: check-fuzz-recording fuzz-recording
