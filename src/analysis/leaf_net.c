/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "analysis/ending.h"
#include "analysis/leaf.h"
#include "analysis/peer.h"
#include "base/units.h"

/* TCP_SYN_SENT of include/net/tcp_states.h. */
#define STATE_SYN_SENT 2

/* The state of the connection that was written beside the wait's evidence. */
static const struct event_tcp_state *state_of(const struct history *history,
					      const struct wait *wait)
{
	struct history_over over;

	history_over_begin(&over, history, EVENT_TCP_STATE, wait->thread->tid, wait->end_ns,
			   wait->end_ns + NS_PER_MS);
	return (const void *)history_over_next(&over);
}

/* How often something was sent again on the wait's connection, in either direction, while it
 * lasted. */
static unsigned int retransmits(const struct history *history, const struct wait *wait,
				const struct event_socket *socket)
{
	struct history_over over;
	unsigned int count = 0;

	history_over_begin(&over, history, EVENT_RETRANSMIT,
			   history_connection_key(socket->local_port, socket->remote_port),
			   wait->start_ns, wait->end_ns);
	while (history_over_next(&over))
		count++;
	return count;
}

static void add_text(struct leaf *leaf, const char *text)
{
	size_t length = strlen(leaf->object);

	snprintf(leaf->object + length, sizeof(leaf->object) - length, "%s", text);
}

static const char *send_trouble(const struct event_tcp_state *state)
{
	if (state->send_window_bytes <= state->unacked_bytes && state->unsent_bytes)
		return ", its peer takes no data (window full)";
	return state->unacked_bytes ? ", data sent and not acknowledged" : "";
}

/* It asked again when its time was up: the other end got the question, or not, and did not answer.
 */
static bool name_silence(struct leaf *leaf, const struct history *history,
			 const struct thread *thread, const struct piece *piece)
{
	const struct thread *silent = ending_of(history, thread, piece->turn).unanswered_by;
	const struct wait *wait = history_wait(history, piece->turn);
	char limit[UNITS_TEXT_SIZE];

	if (!silent || !wait)
		return false;
	leaf->culprit = silent;
	snprintf(leaf->object, sizeof(leaf->object), "no answer within %s",
		 format_ns(limit, wait_blocked_ns(wait)));
	return true;
}

void leaf_net(struct leaf *leaf, const struct history *history, const struct thread *thread,
	      const struct piece *piece)
{
	const struct wait *wait = history_wait(history, piece->turn);
	const struct event_tcp_state *state;
	const struct event_socket *socket;
	unsigned int again;
	char text[64];

	leaf->culprit = NULL;
	if (name_silence(leaf, history, thread, piece))
		return;
	if (!wait || !wait->evidence || wait->evidence->object_kind != EVENT_OBJECT_SOCKET)
		return;
	socket = model_socket(history_model(history), wait->evidence->object);
	if (!socket)
		return;
	again = retransmits(history, wait, socket);
	if (again) {
		snprintf(text, sizeof(text), ", %u retransmission%s", again, again == 1 ? "" : "s");
		add_text(leaf, text);
	}
	state = state_of(history, wait);
	if (!state)
		return;
	if (state->state == STATE_SYN_SENT)
		add_text(leaf, ", no answer to the connection request");
	else if (leaf->category == CATEGORY_NET_SEND)
		add_text(leaf, send_trouble(state));
	if (state->min_rtt_us >= 1000) {
		snprintf(text, sizeof(text), ", round trip %u ms", state->min_rtt_us / 1000);
		add_text(leaf, text);
	}
}

/* ---- the other end, on this machine ---- */

/* Linux acknowledges within 40 ms if it has no data to send along. */
#define DELAYED_ACK_NS (30 * NS_PER_MS)
/*
 * The target waits for an answer from one that waits for the target's own question, over the same
 * connection on this machine, some 40 ms long: the question is in two parts, and the kernel holds
 * the second back until the first is acknowledged (Nagle), which the other end puts off (delayed
 * acknowledgement).
 */
bool leaf_net_is_held_back(struct leaf *leaf, const struct history *history,
			   const struct blame_hop *first, const struct wait *wait)
{
	const struct event_socket *asked = peer_socket(history, first->wait);

	if (leaf->category != CATEGORY_NET_RECV || leaf->ns < DELAYED_ACK_NS ||
	    !peer_is_mirror(asked, peer_socket(history, wait)) || retransmits(history, wait, asked))
		return false;
	leaf->culprit = first->thread;
	model_object_text(history_model(history), first->wait->evidence, leaf->object,
			  sizeof(leaf->object));
	add_text(leaf, ", its own data is held back: Nagle and delayed acknowledgement");
	return true;
}
