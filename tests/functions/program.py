# SPDX-License-Identifier: BSD-2-Clause
"""From a seed to a program's source and what is expected of it."""

import os

from plan import C_KINDS, CXX_KINDS, RUST_KINDS, Plan
from source_c import Source
from source_rust import RustSource

KINDS = {"c": C_KINDS, "cxx": CXX_KINDS, "rust": RUST_KINDS}
ENDINGS = {"c": ".c", "cxx": ".cc", "rust": ".rs"}


def make_plan(language, seed, functions, calls, library):
    if language == "rust":
        return Plan(seed, functions, KINDS[language], forks=0, calls=calls, leaves_by_exit=False)
    return Plan(seed, functions, KINDS[language], calls=calls, library_size=library)


def write_program(directory, language, plan):
    """Returns the path of the program's source, and that of the library's or None."""
    path, library = os.path.join(directory, "program" + ENDINGS[language]), None
    source = RustSource(plan) if language == "rust" else Source(plan, language == "cxx")
    with open(path, "w", encoding="ascii") as file:
        file.write(source.program())
    if language != "rust" and source.library():
        library = os.path.join(directory, "library.c")
        with open(library, "w", encoding="ascii") as file:
            file.write(source.library())
    return path, library


def expected_lists(plan, language):
    """Role of a thread -> [[caller, name, end, is inherited] ...]. In Rust the outermost function of the plan is called by
    main, which is std's business."""
    calls = plan.expected()
    if language == "rust":
        calls["main"][0].name = "gen_main"
    return {role: [[call.parent, call.name, call.end, int(call.is_inherited)] for call in thread]
            for role, thread in calls.items()}
