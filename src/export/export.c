/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/export.h"

#include <stddef.h>

const struct export *const exports[] = {
	&export_perfetto, &export_chrome, &export_folded, &export_flamegraph,
	&export_json,     &export_csv,    NULL,
};
