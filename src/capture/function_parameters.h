/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "parse(*)": which values a function has, from debug information.
 */
#ifndef DASHCAM_CAPTURE_FUNCTION_PARAMETERS_H
#define DASHCAM_CAPTURE_FUNCTION_PARAMETERS_H

#include "capture/function_choice.h"
#include "symbol/resolver.h"

/* Fills in the values of CHOICE's items from number FROM on, which were chosen from LISTING in its
 * order, where they are to come from debug information. Warns of those that have none. */
void function_parameters_fill(struct function_choice *choice, size_t from,
			      struct resolver *resolver, struct resolver_listing *listing);

#endif
