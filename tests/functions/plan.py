# SPDX-License-Identifier: BSD-2-Clause
"""A program whose every call is known beforehand: its functions, who calls whom, and what each thread must show.

A Plan is made from a seed. source_c.py and source_rust.py write it down as a program; expected() walks it as that program
will and gives each thread's calls in the order of their starts. Whether a call happens never depends on data, so no
run can differ from the plan.
"""

import random
import sys

sys.setrecursionlimit(10_000)

# How a call ends. ANY: it returns, but deeper than return probes follow. CAUGHT: it returns, but something was thrown inside of
# it, for which its return address had to be put back.
RETURNS, LEFT, OPEN, ANY, CAUGHT = "returns", "left", "open", "any", "caught"
RETURN_PROBE_DEPTH = 58  # the kernel's limit is 64; calls that were left and not cleaned up yet count, too

# What can be in a plan besides plain functions.
C_KINDS = ("recurse", "mutual", "tail", "tail_pair", "jumper", "signal", "pointer", "spin", "sleep")
CXX_KINDS = C_KINDS + ("catcher",)
RUST_KINDS = ("recurse", "mutual", "pointer", "spin", "sleep", "catcher")

# How a plain function's body begins and what is passed to it: each leads compilers to other first instructions.
FLAVOURS = ("plain", "plain", "array", "branch", "loop_first", "double", "stack_args", "switch", "struct", "large_frame")


class Function:
    """STEPS: [(callee, n, times)]. LIBRARY: it is part of the library that is opened later."""

    def __init__(self, index, kind, library=False):
        self.index = index
        self.kind = kind
        self.library = library
        self.flavour = "plain"
        self.steps = []
        self.parts = []  # of a jumper or catcher: the functions from which it is come back to; of a pair: the other
        self.n = 0       # what a function that counts down is called with
        self.work_ns = 0

    @property
    def name(self):
        return f"gen_{'lib_' if self.library else ''}{self.kind}_{self.index}"

    @property
    def is_leaf(self):
        return not self.steps and not self.parts and self.kind in ("plain", "spin", "sleep")

    @property
    def takes_steps(self):
        return self.kind in ("plain", "pointer", "thread", "forker") and self.flavour != "empty"


class Call:
    """One call as it must show: PARENT is an index into the thread's calls, -1 for the outermost."""
    __slots__ = ("parent", "name", "end", "is_inherited")

    def __init__(self, parent, name, end, is_inherited=False):
        self.parent = parent
        self.name = name
        self.end = end
        self.is_inherited = is_inherited


class Plan:
    """FUNCTIONS in an order in which each calls only later ones (but for pairs); MAIN calls the first steps."""

    def __init__(self, seed, size, kinds, threads=4, forks=3, library_size=0, calls=20_000, deep=100,
                 leaves_by_exit=True):
        self.random = random.Random(seed)
        self.kinds = kinds
        self.deep = deep
        self.functions = []
        self.leaves_by_exit = leaves_by_exit  # the last thread ends by pthread_exit, deep inside
        self.main = Function(0, "main")
        self.threads = [self._add("thread") for _ in range(threads)]
        self.forkers = [self._add("forker") for _ in range(forks)]
        for _ in range(max(size - threads - forks, 0)):
            if len(self.functions) < size:
                self._add_random(size)
        self.library = [self._add("plain", True) for _ in range(library_size)]
        self._give_homes()
        self._finish_tails()
        self._add_calls(calls)
        self._share_work()

    # ---- making it ----

    def _add(self, kind, library=False):
        function = Function(len(self.functions), kind, library)
        self.functions.append(function)
        if kind == "plain":
            function.flavour = self.random.choice(FLAVOURS)
        return function

    def _add_random(self, size):
        special = self.kinds and self.random.random() < 0.3
        kind = self.random.choice(self.kinds) if special else "plain"
        room = size - len(self.functions)
        if kind in ("jumper", "catcher") and room < 5 or kind in ("mutual", "tail_pair") and room < 2:
            kind = "plain"
        function = self._add(kind)
        if kind in ("mutual", "tail_pair"):
            function.parts = [self._add(kind + "_other")]
        elif kind in ("jumper", "catcher"):
            function.parts = [self._add(f"{kind}_hop{number}") for number in (1, 2, 3)]
            if kind == "catcher":
                function.parts.append(self._add("destroy"))
        if kind in ("recurse", "mutual", "tail_pair"):
            function.n = self.random.choice((1, 2, 3, 5, 8))

    def _give_homes(self):
        """Each function is called from one place at least; forkers from main, once."""
        parts = {part.index for function in self.functions for part in function.parts}
        parents = {False: [self.main, *self.threads], True: []}
        self.main.steps += [(forker, 0, 1) for forker in self.forkers]
        for function in self.functions:
            if function.kind in ("thread", "forker"):
                continue
            if function.index not in parts:
                self._choose_home(function, parents)
            if function.takes_steps or function.kind == "tail":
                parents[function.library].append(function)
        for parent in (self.main, *self.threads, *self.forkers):
            self.random.shuffle(parent.steps)

    def _choose_home(self, function, parents):
        choice = parents[function.library]
        if function.library and (not choice or self.random.random() < 0.2):
            choice = self.threads[:1] + self.forkers[:1] + [self.main]
        for _ in range(20):
            home = self.random.choice(choice)
            if home.kind == "tail" and (home.steps or function.flavour != "plain"):
                continue
            if len(home.steps) < 8 or home.kind in ("thread", "main"):
                break
        else:
            home = self.main
        home.steps.append((function, function.n, 1))

    def _finish_tails(self):
        """What a function jumps to at its end must take what it took itself. Children call something, too."""
        leaves = [one for one in self.functions if one.is_leaf and one.flavour == "plain" and not one.library]
        for forker in self.forkers:
            forker.steps += [(self.random.choice(leaves), 0, times) for times in (1, 2)]
        for function in self.functions:
            if function.kind == "tail" and not function.steps:
                later = [leaf for leaf in leaves if leaf.index > function.index] or leaves
                function.steps.append((self.random.choice(later), 0, 1))

    def _counts(self):
        """How often each function is called in all."""
        counts = {}
        for thread in self.expected().values():
            for call in thread:
                if not call.is_inherited:
                    counts[call.name] = counts.get(call.name, 0) + 1
        return counts

    def _add_calls(self, wanted):
        """More calls of functions that call nothing, until there are WANTED in all; and a recursion and a row of tail
        calls that are deeper than the kernel follows returns."""
        for kind in ("recurse", "tail_pair"):
            chosen = next((one for one in self.functions if one.kind == kind), None)
            if chosen and self.deep:
                self.main.steps.append((chosen, self.deep, 1))
        counts = self._counts()
        total = sum(counts.values())
        leaves = {library: [one for one in self.functions if one.is_leaf and one.kind == "plain" and one.library == library]
                  for library in (False, True)}
        callers = [one for one in self.functions if one.takes_steps and one.steps and one.kind != "forker"]
        for _ in range(20 * len(callers)):
            caller = self.random.choice(callers)
            times = self.random.choice((1, 1, 2, 3, 10))
            cost = counts.get(caller.name, 0) * times
            if leaves[caller.library] and len(caller.steps) <= 12 and total + cost <= wanted:
                leaf = self.random.choice(leaves[caller.library])
                caller.steps.insert(self.random.randint(0, len(caller.steps)), (leaf, 0, times))
                total += cost

    def _share_work(self):
        """Functions that spin or sleep take 200 us to 2 ms in one call, and not more than 100 ms together."""
        counts = self._counts()
        working = [one for one in self.functions if one.kind in ("spin", "sleep")]
        for function in working:
            share_ns = 100_000_000 // len(working) // max(counts.get(function.name, 1), 1)
            function.work_ns = min(max(share_ns, 20_000), self.random.choice((200_000, 500_000, 2_000_000)))

    # ---- walking it ----

    def expected(self):
        """Thread's role -> its calls in the order of their starts: "main", "thread0" ..., "child0" ..."""
        walk = Walk(self)
        walk.enter("main", -1, 0, self.main, 0)
        for number, thread in enumerate(self.threads):
            walk.enter(f"thread{number}", -1, 0, thread, 0)
        return walk.calls


class Walk:
    """Does what the program does, and writes down the calls."""

    def __init__(self, plan):
        self.plan = plan
        self.calls = {}

    def begin(self, role, parent, depth, name, end):
        if depth >= RETURN_PROBE_DEPTH:
            end = ANY
        calls = self.calls.setdefault(role, [])
        calls.append(Call(parent, name, end))
        return len(calls) - 1

    def enter(self, role, parent, depth, function, n):
        """A call of FUNCTION, and all that happens in it."""
        end = LEFT if "_hop" in function.kind else RETURNS
        me = self.begin(role, parent, depth, function.name if function.kind != "main" else "main", end)
        walk = getattr(self, "walk_" + function.kind, self.walk_steps)
        walk(role, me, depth + 1, function, n)
        return me

    def walk_steps(self, role, me, depth, function, _n):
        for callee, n, times in function.steps:
            for _ in range(times):
                self.enter(role, me, depth, callee, n)

    def walk_recurse(self, role, me, depth, function, n):
        if n:
            self.enter(role, me, depth, function, n - 1)

    def walk_mutual(self, role, me, depth, function, n):
        if n:
            self.walk_pair(role, me, depth, function, n)

    walk_tail_pair = walk_mutual

    def walk_pair(self, role, me, depth, function, n):
        """FUNCTION, its other, FUNCTION ...: each with one less."""
        other = self.begin(role, me, depth, function.parts[0].name, RETURNS)
        if n > 1:
            again = self.begin(role, other, depth + 1, function.name, RETURNS)
            if n > 2:
                self.walk_pair(role, again, depth + 2, function, n - 2)

    def walk_jumper(self, role, me, depth, function, _n):
        for number, hop in enumerate(function.parts):
            me = self.begin(role, me, depth + number, hop.name, LEFT)

    def walk_catcher(self, role, me, depth, function, _n):
        """The second hop has something to destroy when it is left."""
        around = me
        while around >= 0:
            call = self.calls[role][around]
            call.end = CAUGHT if call.end == RETURNS else call.end
            around = call.parent
        hop1, hop2, hop3, destroy = function.parts
        first = self.begin(role, me, depth, hop1.name, LEFT)
        second = self.begin(role, first, depth + 1, hop2.name, LEFT)
        self.begin(role, second, depth + 2, hop3.name, LEFT)
        self.begin(role, second, depth + 2, destroy.name, RETURNS)

    def walk_signal(self, role, me, depth, _function, _n):
        self.begin(role, me, depth, "gen_on_signal", RETURNS)

    def walk_thread(self, role, me, depth, function, n):
        self.walk_steps(role, me, depth, function, n)
        if function is self.plan.threads[-1] and self.plan.leaves_by_exit:
            self.calls[role][me].end = LEFT
            self.begin(role, me, depth, "gen_end_thread", LEFT)

    def walk_forker(self, role, me, depth, function, n):
        """The child has the calls that are open, calls the same as its parent does after it, and ends deep inside."""
        child = f"child{self.plan.forkers.index(function)}"
        at, path = me, []
        while at >= 0:
            path.append(self.calls[role][at].name)
            at = self.calls[role][at].parent
        inherited = -1
        for name in reversed(path):
            inherited = self.begin(child, inherited, 0, name, OPEN)
            self.calls[child][inherited].is_inherited = True
        self.walk_steps(child, inherited, depth, function, n)
        self.begin(child, inherited, depth, "gen_end_child", OPEN)
        self.walk_steps(role, me, depth, function, n)
