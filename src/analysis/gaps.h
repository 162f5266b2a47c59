/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gaps: what a recording lacks that an explanation rests on, and how much less sure that makes it.
 * Hooks that were missing or left out, probes that were not asked for, stacks and samples that were
 * not taken, and events that were lost.
 *
 * A gap counts only where it matters: for the categories of a finding and of the way to its cause;
 * where there is no finding, for the categories that took time.
 */
#ifndef DASHCAM_ANALYSIS_GAPS_H
#define DASHCAM_ANALYSIS_GAPS_H

#include "analysis/explain.h"

/* What FINDING's confidence is to be multiplied with; 1: nothing that it rests on is missing. */
double gaps_confidence(const struct explanation *explanation, const struct finding *finding);

/* How many gaps there can be. */
size_t gaps_count(void);
/* Gap I in words: what is missing, what is not known therefore, what it would take. NULL if it is
 * not there, or does not matter here. The caller frees it. */
char *gap_sentence(const struct explanation *explanation, size_t i);

/* Events lost that the explanation may rest on: at its time, and of a kind that it uses. */
uint64_t gaps_lost_events(const struct explanation *explanation);

#endif
