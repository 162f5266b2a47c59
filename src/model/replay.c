/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/timeline.h"

struct replay {
	const struct model *model;
	const struct model_listener *listener;
	uint64_t from_ns;
	uint64_t to_ns;
};

struct model_player {
	struct replay replay;
	struct model_listener listener;
	struct timeline_sink sink;
	struct timeline timeline;
};

static bool is_inside(const struct replay *replay, uint64_t time_ns)
{
	return time_ns >= replay->from_ns && time_ns <= replay->to_ns;
}

static void on_run(void *context, const struct run *run)
{
	const struct replay *replay = context;
	uint64_t from_ns = run->from_ns, to_ns = run->to_ns;
	bool starts_before = from_ns<replay->from_ns, ends_behind = to_ns> replay->to_ns;
	bool is_cut = !run->start_seen || !run->end_seen || starts_before || ends_behind;

	if (!replay->listener->run || to_ns < replay->from_ns || from_ns > replay->to_ns)
		return;
	from_ns = starts_before ? replay->from_ns : from_ns;
	to_ns = ends_behind ? replay->to_ns : to_ns;
	/* it was there, for all that is known, for no time */
	if (is_cut && from_ns == to_ns)
		return;
	replay->listener->run(replay->listener->context, run->thread, run->cpu, from_ns, to_ns,
			      ends_behind ? 0 : run->end_state, ends_behind ? 0 : run->flags,
			      is_cut);
}

static void on_wait(void *context, const struct wait *wait)
{
	const struct replay *replay = context;
	const struct wait *kept;

	if (!replay->listener->wait || wait->end_ns < replay->from_ns ||
	    wait->start_ns > replay->to_ns)
		return;
	kept = collect_find_wait(replay->model, wait);
	replay->listener->wait(replay->listener->context, kept ? kept : wait);
}

static void on_waking(void *context, const struct event_waking *event, struct thread *waker,
		      struct thread *wakee)
{
	const struct replay *replay = context;

	if (replay->listener->waking && is_inside(replay, event->header.time_ns))
		replay->listener->waking(replay->listener->context, event, waker, wakee);
}

static void on_sample(void *context, const struct sample *sample)
{
	const struct replay *replay = context;

	if (replay->listener->sample && is_inside(replay, sample->time_ns))
		replay->listener->sample(replay->listener->context, sample);
}

/* All are kept: who wants them asks the model. */
static void on_span(void *context, const struct event_span *event, struct thread *thread)
{
	(void)context;
	(void)event;
	(void)thread;
}

static void on_event(void *context, const struct event_header *event)
{
	const struct replay *replay = context;

	if (replay->listener->event && is_inside(replay, event->time_ns))
		replay->listener->event(replay->listener->context, event);
}

/* Raw events need no state: only the chunks of the range are read. */
static int replay_events(const struct replay *replay)
{
	struct recording_range range = {
		.streams = STREAM_BIT(STREAM_SWITCH) | STREAM_BIT(STREAM_EVIDENCE),
		.from_ns = replay->from_ns,
		.to_ns = replay->to_ns,
	};
	struct recording_cursor *cursor;
	const struct event_header *event;
	int more;

	more = recording_cursor_new(&cursor, replay->model->recording, &range);
	if (more)
		return more;
	while ((more = recording_cursor_next(cursor, &event)) > 0)
		replay->listener->event(replay->listener->context, event);
	recording_cursor_free(cursor);
	return more;
}

static const struct timeline_sink replay_sink = {
	.run = on_run,
	.wait = on_wait,
	.waking = on_waking,
	.sample = on_sample,
	.span = on_span,
	.event = on_event,
};

int model_player_new(struct model_player **ret, struct model *model, uint64_t from_ns,
		     uint64_t to_ns, const struct model_listener *listener)
{
	struct model_player *player = xcalloc(1, sizeof(*player));
	int err;

	player->listener = *listener;
	player->replay = (struct replay){
		.model = model,
		.listener = &player->listener,
		.from_ns = from_ns,
		.to_ns = to_ns,
	};
	player->sink = replay_sink;
	player->sink.context = &player->replay;
	err = timeline_open(&player->timeline, model, &player->sink, false);
	if (err) {
		model_player_free(player);
		return err;
	}
	*ret = player;
	return 0;
}

int model_player_step(struct model_player *player)
{
	return timeline_step(&player->timeline);
}

void model_player_free(struct model_player *player)
{
	if (!player)
		return;
	timeline_close(&player->timeline);
	free(player);
}

int model_replay(struct model *model, uint64_t from_ns, uint64_t to_ns,
		 const struct model_listener *listener)
{
	struct replay replay = {
		.model = model,
		.listener = listener,
		.from_ns = from_ns,
		.to_ns = to_ns,
	};
	struct timeline_sink sink = replay_sink;

	sink.context = &replay;
	if (!listener->run && !listener->wait && !listener->waking && !listener->sample)
		return listener->event ? replay_events(&replay) : 0;
	return timeline_read(model, &sink, false);
}
