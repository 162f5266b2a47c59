/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payloads of chunks: events made small and back. One codec value serves one thread at a time.
 */
#ifndef DASHCAM_RECORDING_CODEC_H
#define DASHCAM_RECORDING_CODEC_H

#include <stdint.h>

#include "base/memory.h"
#include "recording/columns.h"
#include "recording/format.h"

/* Working memory. Zero-initialised is ready for use. */
struct codec {
	struct ZSTD_CCtx_s *compressor;
	struct ZSTD_DCtx_s *decompressor;
	struct buffer body;
	struct columns_cuts cuts;
};

void codec_release(struct codec *codec);

/* Appends the payload of SIZE bytes of events to OUT; returns the codec used. WITH_COLUMNS: turn
 * into columns first, if the events suit that. */
enum format_codec codec_encode(struct codec *codec, const void *events, size_t size,
			       bool with_columns, struct buffer *out);

/* Decodes a payload, hostile until checked, into exactly EVENTS_BYTES at EVENTS. Returns 0, or
 * -EBADMSG without a sentence. */
int codec_decode(struct codec *codec, unsigned int which, const void *payload, size_t size,
		 void *events, size_t events_bytes);

#endif
