"""SCons tool: what tests/engine/test_interpreter.cpp compares, functions as bitcode and as native code."""

from typing import Any

from engine import TARGET
from lto import assembled

FLAGS = [*TARGET, "-O1", "-fno-stack-protector", "-fno-math-errno", "-ffp-contract=off"]
FOLDER = "tests/engine"


def _bitcode(env: Any, base: str) -> list[Any]:
    """The bitcode of the cases, and of a module with nothing in it."""
    functions = env.Object(
        f"{base}/functions.bc", f"#{FOLDER}/interpreter_functions.c", CCFLAGS=[*FLAGS, "-emit-llvm"]
    )
    nothing = env.Object(
        f"{base}/empty.bc", env.Textfile(f"{base}/empty.c", ""), CCFLAGS=[*FLAGS, "-emit-llvm"]
    )
    linked = env.Command(
        f"{base}/cases.bc",
        [*functions, _instructions(env, f"{base}/instructions.ll", "")],
        # The generated module does not say what it is compiled for.
        env.Step("$LLVM_LINK --suppress-warnings $SOURCES -o $TARGET", "LINK"),
    )
    env.Depends([*functions, *nothing, *linked], env["TOOL_VERSION"]["CC"])
    return [*linked, *nothing]


def _native(env: Any, base: str) -> list[Any]:
    functions = env.Object(
        f"{base}/functions.o",
        f"#{FOLDER}/interpreter_functions.c",
        CCFLAGS=[*FLAGS, "'-DCASE_TABLE(name)=native_##name'"],
    )
    compile_text = f"$CC {' '.join(FLAGS)} -Wno-override-module -c $SOURCE -o $TARGET"
    instructions = env.Command(
        f"{base}/instructions.o",
        _instructions(env, f"{base}/native_instructions.ll", "native_"),
        env.Step(compile_text, "CC"),
    )
    env.Depends([*functions, *instructions], env["TOOL_VERSION"]["CC"])
    return [*functions, *instructions]


def _instructions(env: Any, target: str, prefix: str) -> Any:
    script = env.File(f"#{FOLDER}/interpreter_instructions.py")
    return env.Command(target, script, env.Step(f"$PYTHON $SOURCE {prefix} > $TARGET", "GENERATE"))[0]


def _interpreter_cases(env: Any) -> list[Any]:
    """The objects that test_interpreter.cpp is linked with."""
    base = "$HOST_BUILD/engine/cases"
    cases, nothing = _bitcode(env, base)
    lines = ['.section .note.GNU-stack, "", @progbits', ".section .rodata", ".balign 16"]
    for name, node in (("cases", cases), ("empty", nothing)):
        lines += [f".globl {name}_bitcode, {name}_bitcode_end", f'{name}_bitcode: .incbin "{node.path}"']
        lines += [f"{name}_bitcode_end: .byte 0", ".balign 16"]
    embedded = assembled(env, f"{base}/bitcode", env.Textfile(f"{base}/bitcode.s", lines))
    env.Depends(embedded, [cases, nothing])
    return [embedded, *_native(env, base)]


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.Tool("textfile")
    env.AddMethod(_interpreter_cases, "InterpreterCases")
