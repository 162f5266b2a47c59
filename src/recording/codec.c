/* SPDX-License-Identifier: BSD-2-Clause */
#include "recording/codec.h"

#include <errno.h>
#include <string.h>
#include <zstd.h>

#include "base/error.h"

#define LEVEL          3
/* What ending a block early may cost: its header and the tables of its codes. */
#define BLOCK_OVERHEAD 512

void codec_release(struct codec *codec)
{
	ZSTD_freeCCtx(codec->compressor);
	ZSTD_freeDCtx(codec->decompressor);
	buffer_release(&codec->body);
	columns_cuts_release(&codec->cuts);
	*codec = (struct codec){0};
}

/* The contexts fail to be made only when memory is out. */
static void *or_die(void *context)
{
	return context ? context : xmalloc(SIZE_MAX);
}

/*
 * Compresses the parts between CUTS as blocks of one frame: each then gets codes made for its own
 * bytes, which for columns is 5 to 15 % smaller than blocks across them. Returns false if it does
 * not fit.
 */
static bool compress(struct codec *codec, const void *bytes, const struct columns_cuts *cuts,
		     void *to, size_t capacity, size_t *ret_size)
{
	ZSTD_outBuffer out = {.dst = to, .size = capacity};
	ZSTD_inBuffer in = {.src = bytes};

	if (!codec->compressor)
		codec->compressor = or_die(ZSTD_createCCtx());
	ZSTD_CCtx_reset(codec->compressor, ZSTD_reset_session_only);
	ZSTD_CCtx_setParameter(codec->compressor, ZSTD_c_compressionLevel, LEVEL);
	for (size_t i = 0; i < cuts->count; i++) {
		bool is_last = i + 1 == cuts->count;

		in.size = cuts->offsets[i];
		if (ZSTD_compressStream2(codec->compressor, &out, &in,
					 is_last ? ZSTD_e_end : ZSTD_e_flush) != 0)
			return false;
	}
	*ret_size = out.pos;
	return true;
}

enum format_codec codec_encode(struct codec *codec, const void *events, size_t size,
			       bool with_columns, struct buffer *out)
{
	bool is_columns = with_columns && columns_encode(events, size, &codec->body, &codec->cuts);
	struct columns_cuts whole = {.offsets = &size, .count = 1};
	const struct columns_cuts *cuts = is_columns ? &codec->cuts : &whole;
	size_t capacity =
		ZSTD_compressBound(cuts->offsets[cuts->count - 1]) + cuts->count * BLOCK_OVERHEAD;
	size_t before = out->size;
	void *to = buffer_extend(out, capacity);
	size_t compressed;

	if (compress(codec, is_columns ? codec->body.data : events, cuts, to, capacity,
		     &compressed) &&
	    compressed < size) {
		out->size = before + compressed;
		return is_columns ? FORMAT_CODEC_COLUMNS_ZSTD : FORMAT_CODEC_ZSTD;
	}
	out->size = before;
	buffer_add(out, events, size);
	return FORMAT_CODEC_NONE;
}

/* Decompresses in one call, so that the only memory zstd may fill is ours. */
static int decompress(struct codec *codec, const void *payload, size_t size, void *to,
		      size_t capacity, size_t *ret_size)
{
	if (!codec->decompressor)
		codec->decompressor = or_die(ZSTD_createDCtx());
	*ret_size = ZSTD_decompressDCtx(codec->decompressor, to, capacity, payload, size);
	return ZSTD_isError(*ret_size) ? -EBADMSG : 0;
}

int codec_decode(struct codec *codec, unsigned int which, const void *payload, size_t size,
		 void *events, size_t events_bytes)
{
	size_t got;

	switch (which) {
	case FORMAT_CODEC_NONE:
		if (size != events_bytes)
			return -EBADMSG;
		memcpy(events, payload, size);
		return 0;
	case FORMAT_CODEC_ZSTD:
		return decompress(codec, payload, size, events, events_bytes, &got) ||
				       got != events_bytes
			       ? -EBADMSG
			       : 0;
	case FORMAT_CODEC_COLUMNS_ZSTD:
		buffer_clear(&codec->body);
		buffer_extend(&codec->body, columns_body_max(events_bytes));
		if (decompress(codec, payload, size, codec->body.data, codec->body.size, &got) ||
		    !columns_decode(codec->body.data, got, events, events_bytes))
			return -EBADMSG;
		return 0;
	default:
		return -EBADMSG;
	}
}
