"""The workload file of a program that app= names, in the form of variants/workload.toml, from its app.toml.

Each use of the program is booted once. What the JIT compiles of it depends on the machine's speed, so a
recording also makes runs that compile everything, and its native successor, as a Linux program.
"""

import json
from collections.abc import Mapping

from bareflow.app import App

END_OF_INPUT = "\x04"
"""What the console takes for it (kernel_lib/hosted/input.cpp)."""
EARLY: dict[str, object] = {"jit.thresholds": "1,2,4,8", "jit.budget": 100}
AT_FIRST: dict[str, object] = {"jit.thresholds": "2,2,2,2", "jit.budget": 100}
FURTHER: tuple[tuple[str, bool, dict[str, object]], ...] = (
    ("everything at once", True, EARLY),
    ("everything at the second call", False, AT_FIRST),
    ("all functions on every level", True, {"jit.compile_all": "on"}),
    ("the native kernel", True, {"jit.write_native": "on"}),
    ("the native kernel, everything compiled", False, {**EARLY, "jit.write_native": "on"}),
)
"""Of each use: name, whether in every layout of variables, settings."""
TIMEOUT = 1800
MEMORY = 256


def _value(value: object) -> str:
    # JSON's strings are TOML's, unless they name a character by two halves.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _table(config: Mapping[str, object]) -> str:
    return f"{{ {', '.join(f'{_value(key)} = {_value(value)}' for key, value in config.items())} }}"


def _run(name: str, config: Mapping[str, object], text: str, code: int, *flags: str) -> str:
    lines = ["[[run]]", f"name = {_value(name)}", f"config = {_table(config)}"]
    lines += [f"input = {_value(text + END_OF_INPUT)}", f"code = {code}", *flags, ""]
    return "\n".join(lines)


def workload_text(app: App) -> str:
    """The file's text."""
    parts = [f"timeout = {TIMEOUT}\nmemory = {max(MEMORY, app.memory)}\n"]
    for number, use in enumerate(app.uses(), 1):
        config = {"args": use.args}
        levels = [f"levels = {_table({'args': use.levels})}"] if use.levels else []
        parts.append(_run(f"use {number}", config, use.input, use.status, *levels))
        parts.append(_run(f"use {number}, again", config, use.input, use.status))
        for name, layouts, settings in FURTHER:
            flags = ['platform = "linux"', "alone = true", *(["layouts = true"] if layouts else [])]
            parts.append(_run(f"use {number}, {name}", {**config, **settings}, use.input, use.status, *flags))
    return "\n".join(parts)
