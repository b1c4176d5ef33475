"""SCons tool: the application compiled for /export, which compiles only what a profile makes a difference to
(kernel_lib/jit/export/precompiled.h).

app.bc, libc.bc of full --precompile--> each function replaceable --opt, clang--> object
"""

from typing import Any

from relocatable_kernel import compile_command


def _precompiled_application(env: Any, bitcode: list[Any], native: Any) -> Any:
    """The object. bitcode: the application's and its part of LLVM-libc; native: that variant's environment.
    Declared once."""
    base = "$BUILD/embedded/application"
    target = env.File(f"{base}.o")
    if target.has_builder():
        return target
    program = env.EngineProgram("precompile")
    replaceable = env.Command(
        f"{base}.replaceable.bc", [program, *bitcode], env.Step("$SOURCES $TARGET", "PRECOMP")
    )
    optimise = env.Step("$LLVM_OPT --strip-debug '-passes=lto<O2>' $SOURCE -o $TARGET", "OPT")
    optimised = env.Command(f"{base}.bc", replaceable, optimise)
    env.Command(target, optimised, env.Step(compile_command(native), "CC"))
    env.Depends([optimised, target], env["TOOL_VERSION"]["CC"])
    return target


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_precompiled_application, "PrecompiledApplication")
