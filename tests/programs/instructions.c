/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions that begin in many ways, each with what a probe could be put on or must not: what they
 * return is the same with and without probes. Prints a line for each: its name, how often it was
 * called, how often it returned what it should not.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define CALLS 1000

/* A function of (anything, a number below 128, 64 bytes that all hold it) that returns the number.
 */
#define FUNCTION(name, code)                                                                       \
	__asm__(".text\n"                                                                          \
		".globl begin_" #name "\n"                                                         \
		".type begin_" #name ", @function\n"                                               \
		"begin_" #name ": .cfi_startproc\n" code "\n"                                      \
		"movzbl %al, %eax\n"                                                               \
		"ret\n"                                                                            \
		".cfi_endproc\n"                                                                   \
		".size begin_" #name ", . - begin_" #name "\n");                                   \
	int begin_##name(long unused, int number, const char *bytes)

__asm__(".data\n"
	".balign 64\n"
	"some_bytes: .zero 64\n");

FUNCTION(push, "push %rsi; pop %rax");
FUNCTION(push_late, "mov %esi, %ecx; push %rcx; pop %rax");
FUNCTION(nop5, ".byte 0x0f, 0x1f, 0x44, 0, 0; mov %esi, %eax");
FUNCTION(nop5_late, "mov %esi, -4(%rsp); .byte 0x0f, 0x1f, 0x44, 0, 0; mov -4(%rsp), %eax");
FUNCTION(nop4_late, "mov %esi, -4(%rsp); .byte 0x0f, 0x1f, 0x40, 0; mov -4(%rsp), %eax");
FUNCTION(endbr, "endbr64; mov %esi, %eax");
FUNCTION(jump, "jmp 1f; ud2; 1: mov %esi, %eax");
FUNCTION(branch, "cmp $64, %esi; jb 1f; mov %esi, %eax; jmp 2f; 1: mov %esi, %eax; 2:");
FUNCTION(call, "call 1f; jmp 2f; 1: mov %esi, %eax; ret; 2:");
FUNCTION(loop, "mov %esi, %ecx; xor %eax, %eax; 1: dec %ecx; js 2f; inc %eax; jmp 1b; 2:");
FUNCTION(switch, "lea 1f(%rip), %rcx; test %esi, %esi; js 1f; jmp *%rcx; ud2; 1: mov %esi, %eax");
FUNCTION(move_stack, "sub $8, %rsp; mov %esi, (%rsp); pop %rax");
FUNCTION(pop, "pop %rcx; push %rcx; mov %esi, %eax");
FUNCTION(near_data, "mov some_bytes(%rip), %eax; mov %esi, %eax");
FUNCTION(thread_data, "mov %fs:0, %rcx; mov %esi, %eax");
FUNCTION(segment, ".byte 0x3e; mov %esi, %eax");
FUNCTION(long_nop, ".byte 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0; mov %esi, %eax");
FUNCTION(lock, "lock addl $0, -8(%rsp); mov %esi, %eax");
FUNCTION(exchange, "mov %esi, %r8d; .byte 0x41, 0x90"); /* xchg %r8d, %eax */
FUNCTION(exchange_first, ".byte 0x41, 0x90; mov %esi, %eax");
FUNCTION(string, "xor %ecx, %ecx; rep stosb; mov %esi, %eax");
FUNCTION(sse, "movd %esi, %xmm3; movd %xmm3, %eax");
FUNCTION(sse_near_data, "movaps some_bytes(%rip), %xmm3; mov %esi, %eax");
FUNCTION(zero_upper, "vzeroupper; mov %esi, %eax");
FUNCTION(broadcast, "vpbroadcastb (%rdx), %ymm2; vmovd %xmm2, %eax"); /* 78: js */
FUNCTION(or, "vpor (%rdx), %ymm2, %ymm2; mov %esi, %eax");            /* eb: jmp */
FUNCTION(compare, "vpcmpeqb %ymm1, %ymm1, %ymm2; vpand (%rdx), %ymm2, %ymm2; vmovd %xmm2, %eax");
FUNCTION(bits, "andn %esi, %esi, %ecx; mov %esi, %eax");
FUNCTION(wide_broadcast, "vpbroadcastb %esi, %ymm17; vmovd %xmm17, %eax"); /* 7a: jp */
FUNCTION(wide_load, "vmovdqu8 (%rdx), %ymm18; vmovd %xmm18, %eax");
FUNCTION(mask, "kmovd %esi, %k1; kmovd %k1, %eax");

enum need {
	ANY,
	AVX2,
	AVX512
};

struct function {
	const char *name;
	int (*run)(long unused, int number, const char *bytes);
	enum need need;
};

#define ROW(name, need)                                                                            \
	{                                                                                          \
		"begin_" #name, begin_##name, need                                                 \
	}

static const struct function functions[] = {
	ROW(push, ANY),
	ROW(push_late, ANY),
	ROW(nop5, ANY),
	ROW(nop5_late, ANY),
	ROW(nop4_late, ANY),
	ROW(endbr, ANY),
	ROW(jump, ANY),
	ROW(branch, ANY),
	ROW(call, ANY),
	ROW(loop, ANY),
	ROW(switch, ANY),
	ROW(move_stack, ANY),
	ROW(pop, ANY),
	ROW(near_data, ANY),
	ROW(thread_data, ANY),
	ROW(segment, ANY),
	ROW(long_nop, ANY),
	ROW(lock, ANY),
	ROW(exchange, ANY),
	ROW(exchange_first, ANY),
	ROW(string, ANY),
	ROW(sse, ANY),
	ROW(sse_near_data, ANY),
	ROW(zero_upper, AVX2),
	ROW(broadcast, AVX2),
	ROW(or, AVX2),
	ROW(compare, AVX2),
	ROW(bits, AVX2),
	ROW(wide_broadcast, AVX512),
	ROW(wide_load, AVX512),
	ROW(mask, AVX512),
};

static bool has(enum need need)
{
	if (need == AVX512)
		return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
	return need == ANY || (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi"));
}

int main(void)
{
	char bytes[64];

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		unsigned int wrong = 0;

		for (int call = 0; call < CALLS && has(functions[i].need); call++) {
			memset(bytes, call & 127, sizeof(bytes));
			wrong += functions[i].run(call, call & 127, bytes) != (call & 127);
		}
		if (has(functions[i].need))
			printf("%s %d %u\n", functions[i].name, CALLS, wrong);
	}
	return 0;
}
