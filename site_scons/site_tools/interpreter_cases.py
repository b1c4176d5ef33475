"""SCons tool: what tests/engine/test_interpreter.cpp and test_levels.cpp compare, functions as bitcode and as
native code."""

import runpy
from pathlib import Path
from typing import Any

from embedded import incbin
from engine import TARGET
from lto import assembled

FLAGS = [*TARGET, "-O1", "-fno-stack-protector", "-fno-math-errno", "-ffp-contract=off"]
FOLDER = "tests/engine"


def _bitcode(env: Any, base: str, functions: str, script: str) -> Any:
    made = env.Object(f"{base}/functions.bc", f"#{FOLDER}/{functions}", CCFLAGS=[*FLAGS, "-emit-llvm"])
    linked = env.Command(
        f"{base}/cases.bc",
        [*made, _generated(env, f"{base}/generated.ll", script, "")],
        # The generated module does not say what it is compiled for.
        env.Step("$LLVM_LINK --suppress-warnings $SOURCES -o $TARGET", "LINK"),
    )
    env.Depends([*made, *linked], env["TOOL_VERSION"]["CC"])
    return linked[0]


def _nothing(env: Any, base: str) -> Any:
    """The bitcode of a module with nothing in it."""
    source = env.Textfile(f"{base}/empty.c", "")
    made = env.Object(f"{base}/empty.bc", source, CCFLAGS=[*FLAGS, "-emit-llvm"])
    env.Depends(made, env["TOOL_VERSION"]["CC"])
    return made[0]


def _native(env: Any, base: str, functions: str, script: str) -> list[Any]:
    made = env.Object(
        f"{base}/functions.o",
        f"#{FOLDER}/{functions}",
        CCFLAGS=[*FLAGS, "'-DCASE_TABLE(name)=native_##name'"],
    )
    compile_text = f"$CC {' '.join(FLAGS)} -Wno-override-module -c $SOURCE -o $TARGET"
    generated = env.Command(
        f"{base}/generated.o",
        _generated(env, f"{base}/native_generated.ll", script, "native_"),
        env.Step(compile_text, "CC"),
    )
    env.Depends([*made, *generated], env["TOOL_VERSION"]["CC"])
    return [*made, *generated]


def _generated(env: Any, target: str, script: str, prefix: str) -> Any:
    """The module of a script's functions; prefix is put before the name of the table of them."""
    node = env.Command(target, f"#{script}", env.Step(_write_module, "GENERATE"), TABLE_PREFIX=prefix)
    env.Depends(node, env.Value(prefix))
    return node[0]


def _write_module(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.engine.function_table import module_text

    script = runpy.run_path(source[0].abspath)
    table = env["TABLE_PREFIX"] + script["TABLE"]
    Path(target[0].abspath).write_text(module_text(script["HEAD"], table, script["functions"]()))


def _interpreter_cases(env: Any, functions: str, script: str) -> list[Any]:
    """The objects that a test is linked with: the bitcode of a C file and of a script's module, between the
    symbols cases_bitcode and cases_bitcode_end, and their native code."""
    base = f"$HOST_BUILD/engine/{functions.removesuffix('.c')}"
    cases, nothing = _bitcode(env, base, functions, script), _nothing(env, base)
    lines = ['.section .note.GNU-stack, "", @progbits', ".section .rodata", ".balign 16"]
    for name, node in (("cases", cases), ("empty", nothing)):
        lines += [f".globl {name}_bitcode, {name}_bitcode_end", f"{name}_bitcode: {incbin(node)}"]
        lines += [f"{name}_bitcode_end: .byte 0", ".balign 16"]
    embedded = assembled(env, f"{base}/bitcode", env.Textfile(f"{base}/bitcode.s", lines))
    env.Depends(embedded, [cases, nothing])
    return [embedded, *_native(env, base, functions, script)]


def _make_host_symbols(target: list[Any], source: list[Any], env: Any) -> None:
    """The table of host symbols, with all that native code of the cases wants of others."""
    from bareflow.engine import host_symbols

    names, weak = {"memcpy", "memset"}, set[str]()
    for found in host_symbols.symbols_of(env["LLVM_NM"], [Path(node.abspath) for node in source]):
        names |= found.undefined
        weak |= found.weak
    Path(target[0].abspath).write_text(host_symbols.table_source(names, weak))


def _level_cases(env: Any, functions: str, script: str) -> list[Any]:
    """The same, and the table of host symbols that the cases call, with the functions that are in it."""
    base = f"$HOST_BUILD/engine/{functions.removesuffix('.c')}"
    embedded, *native = _interpreter_cases(env, functions, script)
    step = env.Step(f"$CC {' '.join(TARGET)} -Wno-override-module -O0 -c $SOURCE -o $TARGET", "CC")
    slow = env.Command(f"{base}/slow.o", f"{base}/generated.ll", step)
    env.Depends(slow, env["TOOL_VERSION"]["CC"])
    table = env.Command(f"{base}/host_symbols.s", [*native, *slow], env.Step(_make_host_symbols, "SYMBOLS"))
    floats = env.Object(f"{base}/small_floats.o", "#kernel_lib/small_floats.c", CCFLAGS=FLAGS)
    made = assembled(env, f"{base}/host_symbols", table)
    return [embedded, *native, made, *floats, env["COMPILER_RUNTIME"]]


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.Tool("textfile")
    env.AddMethod(_interpreter_cases, "InterpreterCases")
    env.AddMethod(_level_cases, "LevelCases")
