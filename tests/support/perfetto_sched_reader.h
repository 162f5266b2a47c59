/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of the Perfetto reader that understands ftrace bundles. See perfetto_reader.h.
 */
#ifndef DASHCAM_TESTS_PERFETTO_SCHED_READER_H
#define DASHCAM_TESTS_PERFETTO_SCHED_READER_H

#include <stdint.h>

#include "base/memory.h"
#include "support/perfetto_reader.h"
#include "support/protodec.h"

struct sched_reader;

/* SYMBOL gives the text of an iid of InternedData.kernel_symbols. */
struct sched_reader *sched_reader_new(struct perfetto_reading *out,
				      const char *(*symbol)(void *context, uint64_t sequence,
							    uint64_t iid),
				      void *context);
void sched_reader_bundle(struct sched_reader *reader, uint64_t sequence, struct protodec bundle);
/* Sorts, understands, fills the reading's sched and slices, and frees the reader. */
void sched_reader_finish(struct sched_reader *reader);

/* Microseconds since SYNTH_ORIGIN_NS, with the nanoseconds only where there are some. */
void sched_reader_time(struct buffer *out, uint64_t time_ns);

#endif
