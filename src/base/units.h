/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers with units, read and printed.
 */
#ifndef DASHCAM_BASE_UNITS_H
#define DASHCAM_BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

/* "10ms", "2s", "1.5h", "500us", "80ns", "3m", "0"; a bare number is seconds. 0, or -EINVAL with a
 * sentence; *ret_ns is untouched then. */
int parse_time_ns(const char *text, uint64_t *ret_ns);

/* "4096", "64k", "16M", "1.5G" (powers of 1024, an optional B or iB behind). As above. */
int parse_size_bytes(const char *text, uint64_t *ret_bytes);

/* A whole decimal number within [min, max]. As above. */
int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

#define UNITS_TEXT_SIZE 32

/* "1.23 ms", "840 ns", "12.0 s", "98.3 min", "2.08 h": three digits, the unit that fits. Returns TEXT. */
char *format_ns(char text[UNITS_TEXT_SIZE], uint64_t ns);
/* "12.3 MB" (powers of 1000, as disks are sold and as `ls --si` prints). Returns TEXT. */
char *format_bytes(char text[UNITS_TEXT_SIZE], uint64_t bytes);
/* "12,345,678". Returns TEXT. */
char *format_count(char text[UNITS_TEXT_SIZE], uint64_t count);

#endif
