/* SPDX-License-Identifier: BSD-2-Clause */
/* finding and running commands, and the pages made from their rows; with commands of its own */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

#include "base/error.h"
#include "base/memory.h"
#include "cmd/command.h"
#include "cmd/pages.h"

struct sing_values {
	uint64_t verses;
	unsigned int voice;
};

static const char *const voices[] = {"high", "low", NULL};

static const struct option_row sing_rows[] = {
	OPTION("verses", 'n', OPTION_NUMBER, struct sing_values, verses, "COUNT",
	       ".so many\\ and-no more"),
	OPTION_OF("voice", 0, struct sing_values, voice, voices, "VOICE", "which voice"),
	OPTIONS_END,
};

static const struct sing_values sing_defaults = {.verses = 3};
static char ran[256];

static int sing(void *values, int operand_count, char **operands)
{
	const struct sing_values *sing = values;

	snprintf(ran, sizeof(ran), "%d verses, %s, of %d:", (int)sing->verses, voices[sing->voice],
		 operand_count);
	for (int i = 0; i < operand_count; i++)
		snprintf(ran + strlen(ran), sizeof(ran) - strlen(ran), " %s", operands[i]);
	assert_null(operands[operand_count]);
	return 7;
}

static const struct command command_sing = {
	.name = "sing",
	.summary = "sing a song",
	.operands = "SONG [SONG]",
	.description = "Sings.\n\n  la la\n\nAgain.\n",
	.examples = "  dashcam sing x\n",
	.options = sing_rows,
	.values_size = sizeof(struct sing_values),
	.defaults = &sing_defaults,
	.min_operands = 1,
	.max_operands = 2,
	.run = sing,
};

static const struct command command_run_other = {
	.name = "launch",
	.summary = "run something",
	.operands = "[-- COMMAND]",
	.options = sing_rows,
	.values_size = sizeof(struct sing_values),
	.stop_at_operand = true,
	.max_operands = -1,
	.run = sing,
};

static const struct command command_plain = {
	.name = "plain", .summary = "take nothing", .run = sing};

const struct command *const commands[] = {&command_sing, &command_run_other, &command_plain, NULL};

/* Runs a command line (words separated by spaces). */
static int run(const char *line)
{
	static char words[256];
	char *argv[32];
	int argc = 0;

	snprintf(words, sizeof(words), "dashcam %s", line);
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	ran[0] = '\0';
	fail_clear();
	return commands_run(argc, argv);
}

static void test_a_command_gets_its_options_and_operands(void **state)
{
	(void)state;
	assert_int_equal(run("sing a"), 7);
	assert_string_equal(ran, "3 verses, high, of 1: a");
	assert_int_equal(run("sing a -n 5 b --voice=low"), 7);
	assert_string_equal(ran, "5 verses, low, of 2: a b");
	assert_int_equal(run("launch -n1 ls -n 9 --help"), 7);
	assert_string_equal(ran, "1 verses, high, of 4: ls -n 9 --help");
	assert_int_equal(run("launch -- -h"), 7);
	assert_string_equal(ran, "0 verses, high, of 1: -h");
}

static void test_wrong_usage_is_refused_with_a_hint(void **state)
{
	static const struct {
		const char *line;
		const char *sentence;
	} cases[] = {
		{"snig", "there is no command 'snig': did you mean 'sing'?"},
		{"lanuhc", "there is no command 'lanuhc': did you mean 'launch'?"},
		{"sin", "there is no command 'sin': did you mean 'sing'?"},
		{"lanch x", "there is no command 'lanch': did you mean 'launch'?"},
		{"la", "there is no command 'la': did you mean 'launch'?"},
		{"quite-another", "there is no command 'quite-another' ('dashcam help' lists what "
				  "there is)"},
		{"--loud", "there is no option '--loud' ('dashcam help' lists what there is)"},
		{"sing", "sing wants SONG [SONG] (try --help)"},
		{"sing a b c", "sing wants SONG [SONG] (try --help)"},
		{"plain a", "plain takes no operands, only options (try --help)"},
		{"plain -x", "plain: there is no option -x (try --help)"},
		{"sing a --verses x", "sing: --verses: 'x' is not a whole number"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(run(cases[i].line), -EINVAL);
		assert_string_equal(fail_text(), cases[i].sentence);
		assert_string_equal(ran, "");
	}
	fail_clear();
}

/* A word longer than any command's name must not overrun the table of distances. */
static void test_a_very_long_word_is_no_command(void **state)
{
	char line[200];

	(void)state;
	memset(line, 's', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(run(line), -EINVAL);
	assert_null(strstr(fail_text(), "did you mean"));
	fail_clear();
}

static void test_help_shows_all_of_a_command(void **state)
{
	static const char expected[] = "dashcam sing: sing a song\n"
				       "\n"
				       "Usage: dashcam sing [OPTIONS] SONG [SONG]\n"
				       "\n"
				       "Sings.\n\n  la la\n\nAgain.\n"
				       "\n"
				       "Options:\n"
				       "  -n, --verses COUNT      .so many\\ and-no more\n"
				       "      --voice VOICE       which voice\n"
				       "  -h, --help              print this text\n"
				       "\n"
				       "Examples:\n"
				       "  dashcam sing x\n";
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	command_print_help(out, &command_sing);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

/* Fills a page's template; the caller frees what comes out. */
static char *fill(const char *page, const struct command *command)
{
	char *text = NULL;
	size_t size = 0;
	FILE *in = fmemopen((char *)page, strlen(page), "r");
	FILE *out = open_memstream(&text, &size);

	page_print_manual(in, out, command);
	fclose(in);
	fclose(out);
	return text;
}

static void test_a_manual_page_is_filled_from_the_rows(void **state)
{
	_cleanup_free_ char *page = fill(".SH NAME\n@NAME@\n@SYNOPSIS@\n.SH OPTIONS\n@OPTIONS@\n"
					 ".SH EXAMPLES\n@EXAMPLES@\nend @NAME@\n",
					 &command_sing);
	_cleanup_free_ char *all =
		fill("@TITLE@\n@COMMANDS@\n@CATEGORIES@\n@PROBES@\n@EVENTS@\n", NULL);

	(void)state;
	assert_string_equal(page, ".SH NAME\n"
				  "dashcam\\-sing \\- sing a song\n"
				  "\\fBdashcam sing\\fR [\\fIOPTIONS\\fR] \\fISONG [SONG]\\fR\n"
				  ".SH OPTIONS\n"
				  ".TP\n"
				  "\\fB\\-n\\fR, \\fB\\-\\-verses\\fR \\fICOUNT\\fR\n"
				  "\\&.so many\\e and\\-no more\n"
				  ".TP\n"
				  "\\fB\\-\\-voice\\fR \\fIVOICE\\fR\n"
				  "which voice\n"
				  ".TP\n"
				  "\\fB\\-h\\fR, \\fB\\-\\-help\\fR\n"
				  "Print the help text.\n"
				  ".SH EXAMPLES\n"
				  ".PP\n.nf\n  dashcam sing x\n.fi\n"
				  "end @NAME@\n");
	assert_non_null(strstr(all, ".TH DASHCAM 1 "));
	assert_non_null(strstr(all, "\\fBdashcam\\-launch\\fR(1)\nrun something\n"));
	assert_non_null(strstr(all, "\\fBlock.futex\\fR\na lock of the program (5 %, or "));
	assert_non_null(strstr(all, "\\fBunknown\\fR\nnot observed, or not recognised (never)\n"));
	assert_non_null(strstr(all, "\\fBdisk\\fR (on by default)\n"));
	assert_non_null(strstr(all, ".SS 1 switch\nA CPU went "));
	assert_non_null(strstr(all, "\\fBprev_syscall\\fR\n"));
	assert_non_null(strstr(all, "; \\-1 in recordings older than the field\n"));
}

static void test_completion_knows_commands_options_and_words(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	page_print_completion(out);
	fclose(out);
	assert_non_null(strstr(text, "words=\"sing launch plain --help --version\""));
	assert_non_null(strstr(text, "sing) words=\"--verses --voice --help\" ;;"));
	assert_non_null(strstr(text, "sing:--voice) words=\"high low\" ;;"));
	assert_non_null(strstr(text, "plain) words=\"--help\" ;;"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_command_gets_its_options_and_operands),
		cmocka_unit_test(test_wrong_usage_is_refused_with_a_hint),
		cmocka_unit_test(test_a_very_long_word_is_no_command),
		cmocka_unit_test(test_help_shows_all_of_a_command),
		cmocka_unit_test(test_a_manual_page_is_filled_from_the_rows),
		cmocka_unit_test(test_completion_knows_commands_options_and_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
