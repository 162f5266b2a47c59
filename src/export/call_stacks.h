/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of traced functions as a call tree: what folded stacks and flame graphs by calls share. The
 * outermost frame is the process (or the thread).
 */
#ifndef DASHCAM_EXPORT_CALL_STACKS_H
#define DASHCAM_EXPORT_CALL_STACKS_H

#include "export/calltree.h"
#include "export/export.h"

/*
 * Makes a finished tree whose first column is the self time of calls in ns, or how many there were,
 * as OPTIONS weigh. Returns 0 or a negative errno with a sentence (-ENODATA: there are no calls);
 * in any case the caller releases RET.
 */
int call_stacks_make(struct calltree *ret, struct model *model,
		     const struct export_options *options);

#endif
