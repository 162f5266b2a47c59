/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/object.h"

/* The Makefile says where the object was compiled to. */
__asm__(".section .rodata\n"
	".balign 16\n"
	"dashcam_object_begin:\n"
	".incbin \"" BPF_OBJECT_PATH "\"\n"
	"dashcam_object_end:\n"
	".previous\n");

extern const char dashcam_object_begin[], dashcam_object_end[];

const void *object_image(size_t *ret_size)
{
	*ret_size = (size_t)(dashcam_object_end - dashcam_object_begin);
	return dashcam_object_begin;
}
