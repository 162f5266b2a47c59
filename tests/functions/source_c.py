# SPDX-License-Identifier: BSD-2-Clause
"""Writes a plan down as a program in C, or in C++ with exceptions."""

PROLOGUE = r'''/* Made by tests/functions/generate. Every call that it makes is known: see plan.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A call that the plan knows of must stay one. */
#ifdef __clang__
#define CALLED __attribute__((noinline))
#else
#define CALLED __attribute__((noipa))
#endif
#define INLINED static inline __attribute__((always_inline))
#define KEEP(x) __asm__ volatile("" : "+r"(x) : : "memory")

struct big {
	uint64_t values[6];
};

static __thread jmp_buf *back;
static int truth = -1;

INLINED uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

INLINED void say(const char *word, const char *name, uint64_t value)
{
	char line[128];
	int size = snprintf(line, sizeof(line), "%s %s %llu\n", word, name, (unsigned long long)value);

	if (truth >= 0 && write(truth, line, (size_t)size) != size)
		abort();
}

'''

# What the body of a flavour does with x before it calls others.
BODIES = {
    "plain": "\tx = x * {odd} + {k};\n",
    "array": "\tvolatile uint8_t a[{k}];\n\n\tfor (unsigned int i = 0; i < sizeof(a); i++)\n"
             "\t\ta[i] = (uint8_t)(x >> (i & 31));\n\tx += a[x % sizeof(a)];\n",
    "branch": "\tif (x & 1)\n\t\tx ^= {odd};\n\telse\n\t\tx += {k};\n",
    "loop_first": "\tdo {{\n\t\tx = x * 5 + 3;\n\t}} while (x & 15);\n",
    "double": "\tx += (uint64_t)(d * 0.5);\n",
    "stack_args": "\tx += a + b * c + d2 - e + f + n;\n",
    "switch": "\tswitch (x % 7) {{\n\tcase 0:\n\t\tx += {k};\n\t\tbreak;\n\tcase 1:\n\t\tx ^= {odd};\n\t\tbreak;\n"
              "\tcase 2:\n\t\tx <<= 1;\n\t\tbreak;\n\tcase 5:\n\t\tx >>= 2;\n\t\tbreak;\n\tdefault:\n\t\tx--;\n\t}}\n",
    "struct": "\tx = x * {odd} + 1;\n",
    "large_frame": "\tvolatile uint64_t a[{k} * 40];\n\n\ta[x % ({k} * 40)] = x;\n\tx += a[x % ({k} * 40)] >> 3;\n",
}

SIGNATURES = {
    "double": "double {name}(double d, uint64_t x)",
    "stack_args": "uint64_t {name}(uint64_t x, uint64_t n, uint64_t a, uint64_t b, uint64_t c, uint64_t d2, uint64_t e, "
                  "uint64_t f)",
    "struct": "struct big {name}(uint64_t x)",
}
RETURNS = {
    "double": "\treturn (double)(x & 0xffffff);\n",
    "struct": "\tstruct big big = {{{{x, 1, 2, x, 4, 5}}}};\n\n\treturn big;\n",
}
CALLS = {
    "double": "x += (uint64_t){name}((double)(x & 0xffff), x);",
    "stack_args": "x += {name}(x, {n}, 1, x, 3, x, 5, 6);",
    "struct": "x += {name}(x).values[3];",
}


def signature(function):
    return SIGNATURES.get(function.flavour, "uint64_t {name}(uint64_t x, uint64_t n)").format(name=function.name)


def call(function, n, through=None):
    text = CALLS.get(function.flavour, "x += {name}(x, {n});")
    return text.format(name=through or function.name, n=n) + " KEEP(x);"


class Source:
    """IS_CXX: names are in a namespace, and things are thrown."""

    def __init__(self, plan, is_cxx=False):
        self.plan = plan
        self.is_cxx = is_cxx

    # ---- one function ----

    def steps(self, function, indent="\t"):
        lines = []
        for callee, n, times in function.steps:
            through = None
            if callee.library and not function.library:
                through = f"library_{callee.index}"
            elif function.kind == "pointer":
                lines.append(f"{indent}{{\n{indent}\t__typeof__(&{callee.name}) volatile to = {callee.name};\n")
                through = "to"
            one = f"{indent}{call(callee, n, through)}\n"
            if times > 1:
                one = f"{indent}for (int i = 0; i < {times}; i++) {{\n\t{one}{indent}}}\n"
            lines.append(one + (f"{indent}}}\n" if through == "to" else ""))
        return "".join(lines)

    def body(self, function):
        """What is between the braces."""
        writer = getattr(self, "body_" + function.kind, None)
        if not writer and "_hop" in function.kind:
            writer = self.body_hop
        return writer(function) if writer else self.body_plain(function)

    def body_plain(self, function):
        work = BODIES[function.flavour].format(k=3 + function.index % 60, odd=function.index * 2 + 5)
        unused = "\t(void)n;\n" if function.flavour not in ("double", "struct", "stack_args") else ""
        returned = RETURNS.get(function.flavour, "\treturn x;\n").format()
        return work + unused + "\tKEEP(x);\n" + self.steps(function) + returned

    def body_recurse(self, function):
        return f"\tif (n) {{\n\t\tx += {function.name}(x, n - 1);\n\t\tKEEP(x);\n\t}}\n\treturn x + {function.index};\n"

    def body_mutual(self, function):
        return self.body_pair(function.parts[0])

    def body_mutual_other(self, function):
        return self.body_pair(self.plan.functions[function.index - 1])

    @staticmethod
    def body_pair(other):
        return f"\tif (n) {{\n\t\tx += {other.name}(x, n - 1);\n\t\tKEEP(x);\n\t}}\n\treturn x ^ {other.index};\n"

    def body_tail_pair(self, function):
        return self.body_tail_to(function.parts[0])

    def body_tail_pair_other(self, function):
        return self.body_tail_to(self.plan.functions[function.index - 1])

    @staticmethod
    def body_tail_to(other):
        return f"\tx = x * 3 + n;\n\tKEEP(x);\n\tif (!n)\n\t\treturn x;\n\treturn {other.name}(x, n - 1);\n"

    def body_tail(self, function):
        target, n, _ = function.steps[0]
        return f"\tx += {function.index} + n;\n\tKEEP(x);\n\treturn {target.name}(x, {n});\n"

    def body_jumper(self, function):
        return (f"\tjmp_buf here, *before = back;\n\tvolatile uint64_t kept = x;\n\n\t(void)n;\n\tback = &here;\n"
                f"\tif (!setjmp(here)) {{\n\t\tkept += {function.parts[0].name}(x, 0);\n\t\tabort();\n\t}}\n"
                f"\tback = before;\n\treturn kept + 1;\n")

    def body_catcher(self, function):
        return (f"\t(void)n;\n\ttry {{\n\t\tx += {function.parts[0].name}(x, 0);\n\t}} catch (const Thrown &thrown) {{\n"
                f"\t\tx += thrown.value;\n\t}}\n\tKEEP(x);\n\treturn x;\n")

    def body_hop(self, function):
        """Hop 1 to 3 follow each other in the plan; a catcher's destroy follows them."""
        number = int(function.kind[-1])
        following = self.plan.functions[(function.index + 1) % len(self.plan.functions)].name
        onward = f"\tx += {following}(x, n + 1);\n\tKEEP(x);\n\treturn x;\n"
        if function.kind.startswith("jumper"):
            return onward if number < 3 else "\tx += n;\n\tKEEP(x);\n\tlongjmp(*back, 1);\n"
        if number == 3:
            return "\tx += n;\n\tKEEP(x);\n\tthrow Thrown{x};\n"
        if number == 2:
            return f"\tDestroyed_{function.index} destroyed{{x}};\n\n{onward}"
        return (f"\ttry {{\n\t\tx += {following}(x, n + 1);\n\t}} catch (...) {{\n\t\tKEEP(x);\n\t\tthrow;\n\t}}\n"
                f"\treturn x;\n")

    def body_signal(self, function):
        return f"\tx += n + {function.index};\n\traise(SIGUSR1);\n\tKEEP(x);\n\treturn x;\n"

    def body_spin(self, function):
        return (f"\tuint64_t begin_ns = now_ns(), spent_ns;\n\n\twhile ((spent_ns = now_ns() - begin_ns) < "
                f"{function.work_ns})\n\t\t;\n\t__atomic_fetch_add(&worked_ns[{function.index}], spent_ns, "
                f"__ATOMIC_RELAXED);\n\treturn x + n;\n")

    def body_sleep(self, function):
        return (f"\tuint64_t begin_ns = now_ns();\n\tstruct timespec nap = {{0, {function.work_ns}}};\n\n"
                f"\tnanosleep(&nap, NULL);\n\t__atomic_fetch_add(&worked_ns[{function.index}], now_ns() - begin_ns, "
                f"__ATOMIC_RELAXED);\n\treturn x + n;\n")

    def body_forker(self, function):
        number = self.plan.forkers.index(function)
        return (f"\tpid_t child = fork();\n\n\t(void)n;\n\tif (child == 0) {{\n\t\tmemset(worked_ns, 0, "
                f"sizeof(worked_ns));\n\t\tsay(\"role\", \"child{number}\", (uint64_t)syscall(SYS_gettid));\n\t}}\n"
                f"{self.steps(function)}\tif (child == 0)\n\t\tgen_end_child();\n"
                f"\twhile (waitpid(child, NULL, 0) < 0)\n\t\t;\n\treturn x;\n")

    def body_thread(self, function):
        number = self.plan.threads.index(function)
        end = "\tgen_end_thread(x);\n" if function is self.plan.threads[-1] and self.plan.leaves_by_exit else ""
        return (f"\t(void)n;\n\tsay(\"role\", \"thread{number}\", (uint64_t)syscall(SYS_gettid));\n"
                f"{self.steps(function)}\t__atomic_fetch_add(&sum, x, __ATOMIC_RELAXED);\n{end}\treturn x;\n")

    def body_destroy(self, function):
        return "\tx += n;\n\tKEEP(x);\n\treturn x;\n"

    def function(self, function):
        return f"CALLED {signature(function)}\n{{\n{self.body(function)}}}\n\n"

    # ---- the whole ----

    def destroyed_types(self):
        """Types whose destructor, inlined, calls the plan's function."""
        text = "struct Thrown {\n\tuint64_t value;\n};\n\n"
        for function in self.plan.functions:
            if function.kind == "catcher":
                text += (f"struct Destroyed_{function.parts[1].index} {{\n\tuint64_t x;\n\n"
                         f"\t__attribute__((always_inline)) ~Destroyed_{function.parts[1].index}()\n\t{{\n"
                         f"\t\tuint64_t y = {function.parts[3].name}(x, 0);\n\n\t\tKEEP(y);\n\t}}\n}};\n\n")
        return text

    def library_pointers(self):
        return "".join(f"static __typeof__(&{one.name}) library_{one.index};\n" for one in self.library_entries()) + "\n"

    def library_entries(self):
        """Functions of the library that the program calls itself."""
        callers = [self.plan.main, *self.plan.functions]
        found = {callee.index for one in callers if not one.library for callee, _, _ in one.steps if callee.library}
        return [one for one in self.plan.functions if one.index in found]

    def ends(self):
        return ("CALLED __attribute__((noreturn)) void gen_end_child(void)\n{\n\ttell_work();\n\t_exit(0);\n}\n\n"
                "CALLED void gen_end_thread(uint64_t x)\n{\n\tKEEP(x);\n\tpthread_exit(NULL);\n}\n\n"
                "CALLED void gen_on_signal(int number)\n{\n\tKEEP(number);\n}\n\n")

    def tell_work(self):
        lines = "".join(f"\tsay(\"work\", \"{one.name}\", worked_ns[{one.index}]);\n" for one in self.plan.functions
                        if one.kind in ("spin", "sleep"))
        return f"INLINED void tell_work(void)\n{{\n{lines}}}\n\n"

    def main(self):
        opened = "".join(f"\tlibrary_{one.index} = (__typeof__(library_{one.index}))dlsym(library, \"{one.name}\");\n"
                         f"\tif (!library_{one.index})\n\t\treturn 4;\n" for one in self.library_entries())
        if opened:
            opened = f"\tvoid *library = dlopen(argv[2], RTLD_NOW);\n\n\tif (!library)\n\t\treturn 4;\n{opened}"
        count = len(self.plan.threads)
        create = "".join(f"\tif (pthread_create(&threads[{number}], NULL, start_{number}, NULL))\n\t\treturn 3;\n"
                         for number in range(count))
        return (f"int main(int argc, char **argv)\n{{\n\tuint64_t x = 1;\n\tpthread_t threads[{count} + 1];\n\n"
                f"\tif (argc < 2)\n\t\treturn 2;\n\ttruth = open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0644);\n"
                f"\tsay(\"role\", \"main\", (uint64_t)getpid());\n\tsignal(SIGUSR1, gen_on_signal);\n{opened}{create}"
                f"{self.steps_of_main()}"
                f"\tfor (int i = 0; i < {count}; i++)\n\t\tpthread_join(threads[i], NULL);\n\ttell_work();\n"
                f"\tprintf(\"%llu\\n\", (unsigned long long)(x + sum));\n\treturn 0;\n}}\n")

    def steps_of_main(self):
        return self.steps(self.plan.main)

    def starts(self):
        """A thread begins in the plan's function itself: no function of the program is around it."""
        return "".join(f"#define start_{number} ((void *(*)(void *))(void (*)(void)){one.name})\n"
                       for number, one in enumerate(self.plan.threads)) + "\n"

    def program(self):
        own = [one for one in self.plan.functions if not one.library]
        text = PROLOGUE + f"static uint64_t worked_ns[{len(self.plan.functions) + 1}];\nstatic uint64_t sum;\n\n"
        text += self.tell_work()
        if self.is_cxx:
            text += "namespace gen {\n\n"
        text += "".join(f"CALLED {signature(one)};\n" for one in self.plan.functions) + "\n"
        text += self.library_pointers() + (self.destroyed_types() if self.is_cxx else "") + self.ends()
        text += "".join(self.function(one) for one in own)
        if self.is_cxx:
            text += "} // namespace gen\n\nusing namespace gen;\n\n"
        return text + self.starts() + self.main()

    def library(self):
        """None if the plan has none."""
        own = [one for one in self.plan.functions if one.library]
        if not own:
            return None
        declared = "".join(f"CALLED {signature(one)};\n" for one in own)
        return PROLOGUE + declared + "\n" + "".join(self.function(one) for one in own)
