/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmocka, with what it wants included before it, and without its macro fail(), whose name is ours.
 * Tests that give up by hand call fail_msg().
 */
#ifndef DASHCAM_TESTS_UNIT_H
#define DASHCAM_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef fail
#undef fail_msg

#endif
