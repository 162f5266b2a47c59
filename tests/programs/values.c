/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * values: calls functions with values that a recording must show.
 */
#include <stdio.h>
#include <string.h>

int parse(const char *text, unsigned long size, int flags);
long first_byte(const unsigned char *bytes, short less);
const char *choose(int a, int b, int c, int d, int e, long f, long g, const char *h);

__attribute__((noinline)) int parse(const char *text, unsigned long size, int flags)
{
	return (text ? text[0] : 0) + (int)size + flags;
}

__attribute__((noinline)) long first_byte(const unsigned char *bytes, short less)
{
	return bytes[0] - less;
}

__attribute__((noinline)) const char *choose(int a, int b, int c, int d, int e, long f, long g,
					     const char *h)
{
	return a + b + c + d + e + f + g > 1000 ? h : "small";
}

int main(void)
{
	static const unsigned char bytes[] = {9, 'b', 0, 0xff};
	char text[64], large[300];
	int sum = 0;

	for (int i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "say \"%d\"\n\xe4\xb8\xad", i);
		sum += parse(text, (unsigned long)i << 32, -i);
	}
	memset(large, 'z', sizeof(large));
	large[sizeof(large) - 1] = '\0';
	sum += parse(large, 1, 0) + parse(NULL, 1, 1) + parse("", 0, 0);
	sum += (int)first_byte(bytes, -7);
	sum += choose(1, 2, 3, 4, 5, 6, -7, "eight")[0];
	printf("%d\n", sum);
	return 0;
}
