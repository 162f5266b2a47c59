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
 * NULL for dashcam(1), where @COMMANDS@ is the list of commands.
 */
void page_print_manual(FILE *in, FILE *out, const struct command *command);

/* The bash completion. */
void page_print_completion(FILE *out);

/* docs/events.md */
void page_print_events(FILE *out);

#endif
