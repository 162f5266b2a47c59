/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/perfetto.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

enum {
	CLOCK_ID_BOOTTIME = 6,         /* BuiltinClock */
	INCREMENTAL_STATE_CLEARED = 1, /* TracePacket.SequenceFlags */
	NEEDS_INCREMENTAL_STATE = 2,
};

void perfetto_sequence_init(struct perfetto_sequence *sequence, uint32_t id)
{
	*sequence = (struct perfetto_sequence){.id = id};
	proto_uint(&sequence->defaults, 58, CLOCK_ID_BOOTTIME); /* timestamp_clock_id */
}

void perfetto_sequence_release(struct perfetto_sequence *sequence)
{
	buffer_release(&sequence->defaults);
	buffer_release(&sequence->interned);
	for (unsigned int i = 0; i < PERFETTO_TABLE_LIMIT; i++)
		map64_release(&sequence->iids[i]);
}

struct buffer *perfetto_packet_begin(struct perfetto *perfetto, struct perfetto_sequence *sequence,
				     uint64_t time_ns)
{
	struct buffer *packet = &perfetto->packet;

	buffer_clear(packet);
	proto_uint(packet, 8, time_ns);       /* timestamp */
	proto_uint(packet, 10, sequence->id); /* trusted_packet_sequence_id */
	if (sequence->has_begun) {
		proto_uint(packet, 13, NEEDS_INCREMENTAL_STATE); /* sequence_flags */
	} else {
		proto_uint(packet, 13, INCREMENTAL_STATE_CLEARED);
		proto_uint(packet, 87, 1); /* first_packet_on_sequence */
		proto_bytes(packet, 59, sequence->defaults.data, sequence->defaults.size);
		sequence->has_begun = true;
	}
	return packet;
}

void perfetto_packet_end(struct perfetto *perfetto, struct perfetto_sequence *sequence)
{
	struct buffer *packet = &perfetto->packet;
	uint8_t head[1 + PROTO_VARINT_MAX] = {0x0a}; /* Trace.packet = 1 */
	size_t head_size;

	if (sequence->interned.size > 0) {
		proto_bytes(packet, 12, sequence->interned.data, sequence->interned.size);
		buffer_clear(&sequence->interned);
	}
	if (perfetto->err)
		return;
	head_size = (size_t)(proto_put_varint(head + 1, packet->size) - head);
	errno = EIO;
	if (fwrite(head, 1, head_size, perfetto->out) != head_size ||
	    fwrite(packet->data, 1, packet->size, perfetto->out) != packet->size)
		perfetto->err = fail_errno(-errno, "writing the trace");
}

uint64_t perfetto_iid(struct perfetto_sequence *sequence, enum perfetto_table table, uint64_t key,
		      bool *ret_is_new)
{
	struct map64 *iids = &sequence->iids[table];
	uint64_t *known = map64_get(iids, key);

	*ret_is_new = !known;
	return known ? *known : *map64_put(iids, key, iids->count + 1);
}

static size_t entry_begin(struct perfetto_sequence *sequence, enum perfetto_table table,
			  uint64_t iid)
{
	size_t entry = proto_open(&sequence->interned, table);

	proto_uint(&sequence->interned, 1, iid); /* iid */
	return entry;
}

uint64_t perfetto_intern_bytes(struct perfetto_sequence *sequence, enum perfetto_table table,
			       const void *bytes, size_t size)
{
	uint64_t iid;
	bool is_new;

	if (size == 0)
		return 0;
	iid = perfetto_iid(sequence, table, hash_bytes(bytes, size), &is_new);
	if (is_new) {
		size_t entry = entry_begin(sequence, table, iid);

		proto_bytes(&sequence->interned, 2, bytes, size);
		proto_close(&sequence->interned, entry);
	}
	return iid;
}

uint64_t perfetto_intern_text(struct perfetto_sequence *sequence, enum perfetto_table table,
			      const char *text)
{
	uint64_t iid;
	bool is_new;

	if (!text[0])
		return 0;
	iid = perfetto_iid(sequence, table, hash_text(text), &is_new);
	if (is_new) {
		size_t entry = entry_begin(sequence, table, iid);

		proto_text(&sequence->interned, 2, text);
		proto_close(&sequence->interned, entry);
	}
	return iid;
}
