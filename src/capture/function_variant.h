/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of which a library has several variants, for different processors: strlen, memcpy.
 * Which one a name stands for is chosen when a program starts (STT_GNU_IFUNC), so a file alone does
 * not say. But this program has chosen, too, on the same machine.
 */
#ifndef DASHCAM_CAPTURE_FUNCTION_VARIANT_H
#define DASHCAM_CAPTURE_FUNCTION_VARIANT_H

#include "symbol/resolver.h"

/*
 * If LISTING is of a library that this process runs with, calls each chosen variant by the name
 * that it was chosen for: "strlen" instead of "__strlen_avx2" (its symbol stays) or of an address.
 * What only chooses becomes a function that cannot be probed. The texts stay the listing's.
 */
void function_variant_name(struct resolver_listing *listing);

#endif
