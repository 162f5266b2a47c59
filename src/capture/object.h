/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The compiled kernel side, carried inside the program.
 */
#ifndef DASHCAM_CAPTURE_OBJECT_H
#define DASHCAM_CAPTURE_OBJECT_H

#include <stddef.h>

/* The ELF image of src/bpf/all.bpf.c; static storage. */
const void *object_image(size_t *ret_size);

#endif
