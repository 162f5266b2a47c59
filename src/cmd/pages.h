/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages that are made from the program's own tables, so that they cannot disagree with it: the
 * manual pages' OPTIONS, the shell completion, the page of events.
 */
#ifndef DASHCAM_CMD_PAGES_H
#define DASHCAM_CMD_PAGES_H

#include <stdio.h>

#include "cmd/command.h"

/*
 * Copies a manual page from IN to OUT. Of its lines, these are replaced by what COMMAND's row says:
 * @NAME@, @SYNOPSIS@, @DESCRIPTION@, @OPTIONS@, @EXAMPLES@; @TITLE@ by the .TH line. COMMAND may be
 * NULL for pages that are not of one. In every page @COMMANDS@, @PROBES@, @CATEGORIES@ (with how
 * much of each is worth a finding) and @EVENTS@ (with their fields) are lists of what there is.
 */
void page_print_manual(FILE *in, FILE *out, const struct command *command);

/* Writes TEXT so that roff takes nothing in it as a command. Each line break stays one. */
void page_write_roff(FILE *out, const char *text);

/* The kinds of events and their fields, for a manual page. */
void page_write_events(FILE *out);

/* The bash completion. */
void page_print_completion(FILE *out);

/* docs/events.md */
void page_print_events(FILE *out);

#endif
