/* SPDX-License-Identifier: BSD-2-Clause */
/* What an explanation could not see, and what it would take to see it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "analysis/explain.h"
#include "analysis/gaps.h"
#include "base/memory.h"
#include "base/units.h"

/* Shares below this are not worth a note. */
#define WORTH_A_NOTE 0.02

__attribute__((format(printf, 2, 3))) static void note(struct explanation *explanation,
						       const char *format, ...)
{
	va_list args;

	array_reserve((void **)&explanation->notes, &explanation->note_capacity,
		      explanation->note_count + 1, sizeof(*explanation->notes));
	va_start(args, format);
	explanation->notes[explanation->note_count++] = xvasprintf(format, args);
	va_end(args);
}

static double share_of(const struct explanation *explanation, uint64_t ns)
{
	return explanation->total_ns ? (double)ns / (double)explanation->total_ns : 0;
}

static void note_waits(struct explanation *explanation)
{
	const struct account *account = &explanation->account;
	char limit[UNITS_TEXT_SIZE];
	uint64_t known_ns = account->inferred_ns + account->hung_ns;
	double share = share_of(explanation, account->hung_ns);

	if (share >= WORTH_A_NOTE)
		note(explanation,
		     "%.1f %% of the time went into waits that had not ended, of threads that did nothing while "
		     "the whole machine was recorded: record with --pid or --comm to see what they wait for",
		     100 * share);
	share = share_of(explanation, account->no_evidence_ns > known_ns
					      ? account->no_evidence_ns - known_ns
					      : 0);
	if (share >= WORTH_A_NOTE)
		note(explanation,
		     "%.1f %% of the time went into waits without evidence (shorter than %s, or lost): "
		     "record with a smaller --min-wait to see them",
		     100 * share, format_ns(limit, model_min_wait_ns(explanation->model)));
	share = share_of(explanation, account->inferred_ns);
	if (share >= WORTH_A_NOTE)
		note(explanation,
		     "%.1f %% of the time went into waits too short for evidence; their category is that "
		     "of their system call, or of the thread's longer waits in it",
		     100 * share);
}

static void note_samples(struct explanation *explanation)
{
	double share = share_of(explanation, explanation->account.unsplit_ns);

	if (share >= WORTH_A_NOTE && model_sample_period_ns(explanation->model))
		note(explanation,
		     "no sample fell into its %.1f %% on a CPU: user and kernel are not told apart, all "
		     "counts as cpu.user; record longer or with a higher --rate",
		     100 * share);
}

static void note_unknown(struct explanation *explanation)
{
	const struct account *account = &explanation->account;
	uint64_t ns = account->ns[CATEGORY_UNKNOWN];
	uint64_t no_evidence_ns = account->no_evidence_ns - account->inferred_ns;
	double share = share_of(explanation, ns > no_evidence_ns ? ns - no_evidence_ns : 0);

	if (share >= WORTH_A_NOTE)
		note(explanation,
		     "%.1f %% of the time is unknown: events were lost, or waits had kernel stacks that "
		     "no rule knows ('dashcam report waits' shows them)",
		     100 * share);
}

static void note_loss(struct explanation *explanation)
{
	uint64_t lost = gaps_lost_events(explanation);
	char count[UNITS_TEXT_SIZE];

	if (lost)
		note(explanation,
		     "%s event%s of that time %s lost ('dashcam info' says when and why): what happened "
		     "in the gaps is unknown, and findings near them may be incomplete; record with larger "
		     "logs (--switch-log, --evidence-log)",
		     format_count(count, lost), lost == 1 ? "" : "s", lost == 1 ? "was" : "were");
}

static void note_draw(struct explanation *explanation)
{
	if (explanation->blame && blame_is_drawn(explanation->blame))
		note(explanation,
		     "there is too much to follow each short wait: some stand for others like them, so the "
		     "times of causes, and how often they came, are estimates (a narrower --from and --to, or "
		     "a single --tid, gives all)");
}

static void note_gaps(struct explanation *explanation)
{
	for (size_t i = 0; i < gaps_count(); i++) {
		_cleanup_free_ char *sentence = gap_sentence(explanation, i);

		if (sentence)
			note(explanation, "%s", sentence);
	}
}

static const struct place *first_place(const struct finding *finding)
{
	return finding->cause && finding->cause->where.count ? finding->cause->where.places[0].place
							     : NULL;
}

static void note_names(struct explanation *explanation)
{
	for (size_t i = 0; i < explanation->finding_count; i++) {
		const struct place *place = first_place(&explanation->findings[i]);

		if (place && place->is_unnamed) {
			note(explanation,
			     "%s has no name: install the debug symbols of %s before recording",
			     place->function, place->module[0] ? place->module : "the program");
			return;
		}
	}
}

static void note_broken_stacks(struct explanation *explanation)
{
	for (size_t i = 0; i < explanation->finding_count; i++) {
		const struct finding *finding = &explanation->findings[i];
		const struct place *place = first_place(finding);

		if (!place || finding->cause->where.broken < WORTH_A_NOTE)
			continue;
		note(explanation,
		     "%.0f %% of the stacks around %s end before their beginning: callers could not be "
		     "found, as where %s was built without unwind tables (.eh_frame)",
		     100 * finding->cause->where.broken, place->function,
		     place->module[0] ? place->module : "the program");
		return;
	}
}

static void note_interrupts(struct explanation *explanation)
{
	const struct account *account = &explanation->account;
	const char *hidden = model_meta(explanation->model, "irq_hidden_ns");

	if (share_of(explanation, account->ns[CATEGORY_CPU_IRQ]) >= WORTH_A_NOTE && hidden)
		note(explanation,
		     "interrupts are charged with %s ns each on top of what was measured: what entering "
		     "and leaving them cost when the recorder started",
		     hidden);
}

void notes_make(struct explanation *explanation)
{
	note_waits(explanation);
	note_samples(explanation);
	note_unknown(explanation);
	note_interrupts(explanation);
	note_names(explanation);
	note_broken_stacks(explanation);
	note_loss(explanation);
	note_draw(explanation);
	note_gaps(explanation);
}
