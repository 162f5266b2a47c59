/* SPDX-License-Identifier: BSD-2-Clause */
/* Seed 001's example of library calls. Built so that each stays a call. */
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	const char *text = argv[argc - 1];
	char *copy = malloc(256);
	size_t length = strlen(text) % 128;

	memcpy(copy, text, length);
	copy[length] = '\0';
	length += strlen(copy);
	length += strlen(copy + length / 2);
	length += strlen(text);
	memset(copy, (int)length, 128);
	free(copy);
	free(malloc(16));
	return 0;
}
