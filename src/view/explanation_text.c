/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/rules.h"
#include "base/memory.h"
#include "base/units.h"
#include "base/utf8.h"
#include "view/explanation.h"
#include "view/wrap.h"

#define BAR_COLUMNS   30
#define WORDS_COLUMNS 54 /* what categories mean, behind two blanks */
#define BAR_WORTH     8  /* a shorter bar shows less than the words in its place */
#define STACK_LINES   6
#define FILE_WIDTH    100
#define OTHERS_SHOWN  3
#define WORTH_SHOWING 0.0005 /* a smaller share would be 0.0 % */

struct page {
	FILE *out;
	const struct explanation *explanation;
	const struct explanation_style *style;
};

static const char *bold(const struct page *page)
{
	return page->style->colour ? "\033[1m" : "";
}

static const char *plain(const struct page *page)
{
	return page->style->colour ? "\033[0m" : "";
}

static unsigned int width(const struct page *page)
{
	return page->style->width ? page->style->width : FILE_WIDTH;
}

static void print_escaped(FILE *out, const char *text)
{
	struct buffer escaped = {.data = NULL};

	utf8_add_escaped(&escaped, text);
	fputs(escaped.data ? escaped.data : "", out);
	buffer_release(&escaped);
}

/* Wrapped text behind LABEL, all of it indented. */
static void paragraph(const struct page *page, unsigned int indent, const char *label,
		      const char *text)
{
	struct buffer escaped = {.data = NULL};

	utf8_add_escaped(&escaped, text);
	fprintf(page->out, "%*s%s", (int)indent, "", label);
	wrap_print(escaped.data ? escaped.data : "", indent + (unsigned int)strlen(label),
		   width(page), page->out);
	buffer_release(&escaped);
}

/* The same for a text with names from anywhere in it. */
__attribute__((format(printf, 3, 4))) static void wrapped(const struct page *page,
							  unsigned int indent, const char *format,
							  ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	paragraph(page, indent, "", text);
	free(text);
}

static void heading(const struct page *page, const char *text)
{
	fprintf(page->out, "\n%s%s%s\n", bold(page), text, plain(page));
}

/* ---- the breakdown ---- */

/* Columns that are left for a bar behind what is printed and two blanks. */
static unsigned int room_for_bar(const struct page *page, int printed)
{
	int room = (int)width(page) - printed - 2;

	return room < 0 ? 0 : room < BAR_COLUMNS ? (unsigned int)room : BAR_COLUMNS;
}

static void print_bar(FILE *out, unsigned int columns)
{
	if (columns)
		fputs("  ", out);
	for (unsigned int i = 0; i < columns; i++)
		fputs("█", out);
}

/* The category's line: its numbers, what it means where there is room, and a bar in what is left. */
static void print_share(const struct page *page, enum category category, double share)
{
	char time[UNITS_TEXT_SIZE];
	int printed = fprintf(page->out, "  %-15s %9s %6.1f %%", category_name(category),
			      format_ns(time, page->explanation->account.ns[category]), 100 * share);
	bool has_words = room_for_bar(page, printed + WORDS_COLUMNS) >= BAR_WORTH;
	unsigned int room = room_for_bar(page, printed + (has_words ? WORDS_COLUMNS : 0));
	unsigned int bar = (unsigned int)(share * room + 0.5);

	if (has_words)
		fprintf(page->out, "  %-*s", bar ? WORDS_COLUMNS - 2 : 0, category_says(category));
	print_bar(page->out, bar);
	fputc('\n', page->out);
}

static void print_breakdown(const struct page *page)
{
	const struct explanation *explanation = page->explanation;
	const uint64_t *ns = explanation->account.ns;
	enum category order[CATEGORY_COUNT];
	size_t count = account_order(&explanation->account, order);

	for (size_t i = 0; i < count; i++) {
		double share = (double)ns[order[i]] / (double)explanation->total_ns;

		/* what is too little to see is in the sum all the same */
		if (share < WORTH_SHOWING && i >= 3)
			break;
		print_share(page, order[i], share);
	}
}

static void print_target(const struct page *page)
{
	const struct explanation *explanation = page->explanation;
	uint64_t origin_ns = model_start_ns(explanation->model);
	char time[UNITS_TEXT_SIZE];

	fputs("\n", page->out);
	print_escaped(page->out, explanation->target);
	fprintf(page->out, ": %s", format_ns(time, explanation->total_ns));
	fprintf(page->out, ", from %.6f to %.6f s\n",
		(double)(explanation->from_ns - origin_ns) / 1e9,
		(double)(explanation->to_ns - origin_ns) / 1e9);
}

/* ---- stacks ---- */

/* A function's name stays in one piece, however long it is. */
static void print_place(const struct page *page, const struct place *place)
{
	fputs("       ", page->out);
	print_escaped(page->out, place->function);
	if (place->file[0]) {
		fputs(" (", page->out);
		print_escaped(page->out, place->file);
		fprintf(page->out, ":%u)", place->line);
	} else if (place->module[0] && !place->is_unnamed && !place->is_kernel) {
		fputs(" (", page->out);
		print_escaped(page->out, place->module);
		fputc(')', page->out);
	}
	fputc('\n', page->out);
}

static void print_stack(const struct page *page, const char *title, uint64_t id)
{
	const struct stack *stack = id ? model_stack(page->explanation->model, id) : NULL;
	uint32_t first, shown;

	if (!stack || !stack->place_count)
		return;
	first = model_stack_skip(stack);
	if (first >= stack->place_count)
		return;
	paragraph(page, 5, "", title);
	shown = stack->place_count - first;
	if (shown > STACK_LINES)
		shown = STACK_LINES;
	for (uint32_t i = 0; i < shown; i++)
		print_place(page, stack->places[first + i]);
	if (shown < stack->place_count - first)
		fprintf(page->out, "       ... %u more\n", stack->place_count - first - shown);
}

static void print_evidence(const struct page *page, const struct blame_cause *cause)
{
	const struct event_wait *evidence;
	char title[128], time[UNITS_TEXT_SIZE];
	const struct thread *waker;

	if (!cause->hop_count || !cause->hops[0].wait || !cause->hops[0].wait->evidence)
		return;
	evidence = cause->hops[0].wait->evidence;
	snprintf(title, sizeof(title), "the longest, %s at %.6f s, was here:",
		 format_ns(time, cause->hops[0].to_ns - cause->hops[0].from_ns),
		 (double)(cause->hops[0].from_ns - model_start_ns(page->explanation->model)) / 1e9);
	print_stack(page, title,
		    evidence->user_stack ? evidence->user_stack : evidence->kernel_stack);
	waker = cause->hops[0].wait->waker;
	if (!waker || cause->hops[0].wait->waker_is_irq)
		return;
	snprintf(title, sizeof(title), "%s (%u) ended it from here:", waker->comm, waker->tid);
	print_stack(page, title,
		    evidence->waker_user_stack ? evidence->waker_user_stack
					       : evidence->waker_kernel_stack);
}

static void print_places(const struct page *page, const struct blame_cause *cause)
{
	struct buffer text = {.data = NULL};

	if (cause->where.count < 2)
		return;
	for (size_t i = 0; i < cause->where.count; i++)
		buffer_printf(&text, "%s%s %.0f %%", i ? ", " : "",
			      cause->where.places[i].place->function,
			      100 * cause->where.places[i].share);
	paragraph(page, 5, "functions: ", text.data);
	buffer_release(&text);
}

/* ---- the way of blame ---- */

static const char *link_says(enum blame_link link)
{
	static const char *const words[] = {[LINK_NONE] = "",
					    [LINK_HELD_BY] = ", held by",
					    [LINK_WOKE] = ", ended by",
					    [LINK_RAN] = ", while on its CPU"};

	return words[link];
}

static void print_hops(const struct page *page, const struct blame_cause *cause)
{
	struct buffer text = {.data = NULL};
	char time[UNITS_TEXT_SIZE];

	for (size_t i = 0; i < cause->hop_count; i++) {
		const struct blame_hop *hop = &cause->hops[i];

		wrapped(page, 7 + 2 * (unsigned int)i, "%s (%u) %s, %s%s", hop->thread->comm,
			hop->thread->tid, rule_of(hop->category)->did,
			format_ns(time, hop->to_ns - hop->from_ns), link_says(hop->link));
	}
	if (cause->culprit)
		buffer_printf(&text, "%s (%u) ", cause->culprit->comm, cause->culprit->tid);
	buffer_printf(&text, "%s", category_name(cause->leaf));
	if (cause->where.count)
		buffer_printf(&text, " in %s", cause->where.places[0].place->function);
	if (cause->object[0])
		buffer_printf(&text, ", %s", cause->object);
	paragraph(page, 7 + 2 * (unsigned int)cause->hop_count, "=> ", text.data);
	buffer_release(&text);
}

static void print_part(const struct page *page, const struct finding_part *part)
{
	const struct blame_cause *cause = part->cause;
	struct buffer text = {.data = NULL};
	char total[UNITS_TEXT_SIZE], longest[UNITS_TEXT_SIZE], label[64];

	snprintf(label, sizeof(label), "%5.1f %%  %9s  ", 100 * part->share,
		 format_ns(total, cause->ns));
	if (cause->culprit) {
		buffer_printf(&text, "%s (%u)", cause->culprit->comm, cause->culprit->tid);
		if (cause->culprit_count > 1)
			buffer_printf(&text, " and %u more", cause->culprit_count - 1);
		buffer_printf(&text, ": ");
	}
	buffer_printf(&text, "%s", rule_of(cause->leaf)->did);
	if (cause->where.count)
		buffer_printf(&text, " in %s", cause->where.places[0].place->function);
	if (cause->waits > 1)
		buffer_printf(&text, "; %" PRIu64 " times, longest %s", cause->waits,
			      format_ns(longest, cause->longest_ns));
	paragraph(page, 5, label, text.data);
	buffer_release(&text);
	if (page->style->chain)
		print_hops(page, cause);
}

/* ---- findings ---- */

static void print_finding(const struct page *page, const struct finding *finding)
{
	char label[16];

	snprintf(label, sizeof(label), "%2u. ", finding->rank);
	paragraph(page, 1, label, finding->sentence);
	paragraph(page, 5, "> ", finding->advice);
	if (finding->part_count > 1 || page->style->chain) {
		for (size_t i = 0; i < finding->part_count; i++) {
			if (i == 0 || finding->parts[i].share >= WORTH_SHOWING)
				print_part(page, &finding->parts[i]);
		}
	}
	if (finding->cause) {
		print_places(page, finding->cause);
		print_evidence(page, finding->cause);
	}
	if (finding->confidence < 0.7)
		fprintf(page->out, "     confidence %.0f %%\n", 100 * finding->confidence);
}

static void print_findings(const struct page *page)
{
	const struct explanation *explanation = page->explanation;

	if (!explanation->finding_count)
		return;
	heading(page, "Findings");
	for (size_t i = 0; i < explanation->finding_count; i++)
		print_finding(page, &explanation->findings[i]);
}

/* ---- spans ---- */

static double share_of(const struct account *account, uint64_t total_ns, int category)
{
	return total_ns ? (double)account->ns[category] / (double)total_ns : 0;
}

/* What the slow ones have that the others don't: time per span, by category. */
static void print_difference(const struct page *page)
{
	const struct explanation *explanation = page->explanation;
	const struct explain_spans *spans = &explanation->spans;
	size_t normal_count = spans->normal_count;
	char slow[UNITS_TEXT_SIZE], normal[UNITS_TEXT_SIZE];

	if (!normal_count)
		return;
	fprintf(page->out, "\n  %-15s %12s %12s\n", "time per span", "slow", "normal");
	for (int i = 0; i < CATEGORY_COUNT; i++) {
		if (share_of(&explanation->account, explanation->total_ns, i) < 0.005 &&
		    share_of(&spans->normal, spans->normal_ns, i) < 0.005)
			continue;
		fprintf(page->out, "  %-15s %12s %12s\n", category_name((enum category)i),
			format_ns(slow, explanation->account.ns[i] / spans->slow_count),
			format_ns(normal, spans->normal.ns[i] / normal_count));
	}
}

static void print_spans(const struct page *page)
{
	const struct explain_spans *spans = &page->explanation->spans;
	char median[UNITS_TEXT_SIZE], p90[UNITS_TEXT_SIZE], p99[UNITS_TEXT_SIZE],
		max[UNITS_TEXT_SIZE], from[UNITS_TEXT_SIZE];

	fputc('\n', page->out);
	wrapped(page, 0, "%zu spans: median %s, 90 %% within %s, 99 %% within %s, longest %s",
		spans->count, format_ns(median, spans->median_ns), format_ns(p90, spans->p90_ns),
		format_ns(p99, spans->p99_ns), format_ns(max, spans->max_ns));
	if (spans->slow_count < spans->count)
		fprintf(page->out, "explained are the %zu slow ones, from %s on\n",
			spans->slow_count, format_ns(from, spans->slow_from_ns));
	print_difference(page);
}

/* ---- the rest ---- */

static void print_others(const struct page *page)
{
	const struct explanation *explanation = page->explanation;
	size_t shown = 0;

	for (size_t i = 0; i < explanation->other_count && shown < OTHERS_SHOWN; i++) {
		const struct explanation *other = &explanation->others[i];
		char label[32];

		if (!other->finding_count)
			continue;
		if (!shown++)
			heading(page, "Other threads with problems (--tid explains one)");
		snprintf(label, sizeof(label), "%7u  ", other->thread->tid);
		paragraph(page, 0, label, other->verdict);
	}
}

static void print_notes(const struct page *page)
{
	if (!page->explanation->note_count)
		return;
	heading(page, "What could not be seen");
	for (size_t i = 0; i < page->explanation->note_count; i++)
		paragraph(page, 1, "- ", page->explanation->notes[i]);
}

void explanation_print_text(FILE *out, const struct explanation *explanation,
			    const struct explanation_style *style)
{
	struct page page = {.out = out, .explanation = explanation, .style = style};

	fputs(bold(&page), out);
	paragraph(&page, 0, "", explanation->verdict);
	fputs(plain(&page), out);
	if (explanation->has_spans)
		print_spans(&page);
	print_target(&page);
	print_breakdown(&page);
	print_findings(&page);
	print_others(&page);
	print_notes(&page);
}
