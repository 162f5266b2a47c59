/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/spelling.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define NAME_SIZE_MAX 32 /* longer words are no misspelt names */

static unsigned int smaller(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

unsigned int spelling_distance(const char *a, const char *b)
{
	unsigned int d[NAME_SIZE_MAX + 1][NAME_SIZE_MAX + 1];
	size_t a_size = strlen(a), b_size = strlen(b);

	if (a_size > NAME_SIZE_MAX || b_size > NAME_SIZE_MAX)
		return NAME_SIZE_MAX;
	for (unsigned int i = 0; i <= a_size; i++)
		d[i][0] = i;
	for (unsigned int k = 0; k <= b_size; k++)
		d[0][k] = k;
	for (unsigned int i = 1; i <= a_size; i++) {
		for (unsigned int k = 1; k <= b_size; k++) {
			bool same = a[i - 1] == b[k - 1];

			d[i][k] = smaller(d[i - 1][k - 1] + !same,
					  smaller(d[i - 1][k], d[i][k - 1]) + 1);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				d[i][k] = smaller(d[i][k], d[i - 2][k - 2] + 1);
		}
	}
	return d[a_size][b_size];
}
