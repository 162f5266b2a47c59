/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/input.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/error.h"

static bool is_interrupted(void *context)
{
	struct input *input = context;
	struct signalfd_siginfo info;

	if (read(input->signal_fd, &info, sizeof(info)) == sizeof(info))
		input->is_interrupted = true;
	return input->is_interrupted;
}

/* Ctrl-C becomes something to ask for: the query stops at a good place and says so. */
static int catch_interrupts(struct input *input)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	input->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	if (input->signal_fd < 0 || sigprocmask(SIG_BLOCK, &signals, NULL))
		return fail_errno(-errno, "catching Ctrl-C");
	query_set_interrupt(input->query, is_interrupted, input);
	return 0;
}

int input_open(struct input *input, const char *file, const struct filter_values *values)
{
	struct model_options options = {.min_wait_ns = UINT64_MAX};
	int err;

	*input = (struct input){.signal_fd = -1};
	err = recording_open(&input->recording, file);
	if (err)
		return err;
	err = model_new(&input->model, input->recording, &options);
	if (err)
		return fail(err, "reading %s", file);
	err = filter_args_read(&input->filter, values, input->model);
	if (!err)
		err = query_new(&input->query, input->model);
	if (err)
		return err;
	query_set_filter(input->query, &input->filter.filter);
	return catch_interrupts(input);
}

void input_close(struct input *input)
{
	query_free(input->query);
	model_free(input->model);
	recording_close(input->recording);
	filter_args_release(&input->filter);
	if (input->signal_fd >= 0)
		close(input->signal_fd);
}

unsigned int terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return 0;
	return size.ws_col;
}

bool terminal_has_colour(void)
{
	return isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
}
