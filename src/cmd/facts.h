/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a session tells the recording about itself.
 */
#ifndef DASHCAM_CMD_FACTS_H
#define DASHCAM_CMD_FACTS_H

#include "capture/capture.h"
#include "cmd/session.h"

/*
 * Who records (recorder_pid) and of whom evidence is taken, if not of everybody (target_pids,
 * target_children, target_comms): the model reads them. Not before the session has started: only
 * then the command has a pid.
 */
void facts_tell_targets(const struct capture_sink *sink, const struct session *session,
			const struct session_values *values);

#endif
