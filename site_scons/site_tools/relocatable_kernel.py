"""SCons tool: native's kernel_lib and LLVM-libc as one relocatable object, for the engine to link with the
application (kernel_lib/jit/export).

kernel_lib, LLVM-libc --llvm-link, opt--> bitcode --clang--> object --ld.lld -r, with the assembly--> object
"""

from pathlib import Path
from typing import Any

from bitcode import CODE_GENERATION, FRAME_FROM_THE_BEGINNING
from toolchain import ARCHITECTURES

_TARGET = ARCHITECTURES["x86_64"]["TARGET_FLAGS"]
_OPTIONS = [*_TARGET, *CODE_GENERATION, *FRAME_FROM_THE_BEGINNING, "-Wno-override-module", "-O2"]


def compile_command(native: Any) -> str:
    """The compiler and its options, for optimised bitcode of the environment `native`: the linker's, too."""
    of_linker = [option for option in native["VARIANT"].lto if option.startswith("-mllvm ")]
    return f"$CC {' '.join([*_OPTIONS, *of_linker])} -c $SOURCE -o $TARGET"


def _write_names(target: list[Any], source: list[Any], env: Any) -> None:
    """The names that must stay global: what assembly refers to, all of LLVM-libc's, and what the application
    or its compiled code may call."""
    from bareflow.engine import host_symbols

    nm = env["LLVM_NM"]
    application, libc, *others = (Path(node.abspath) for node in source)
    names = host_symbols.host_names(nm, application, libc) | set(host_symbols.OWN_NAMES.values())
    first, last = env["OPERATIONS"]
    assembly, operations, members = others[:first], others[first:last], others[last:]
    called = host_symbols.called_by_compiled_code(nm, operations)
    for found in host_symbols.symbols_of(nm, assembly):
        names |= found.undefined
    names.add("made_from")  # which the exporter defines in place of the kernel's own
    for found in host_symbols.symbols_of(nm, members):
        names |= found.defined
    Path(target[0].abspath).write_text("".join(f"{name}\n" for name in sorted(names | called)))
    # What the compiler's library has of them is to be linked although nothing refers to it yet.
    Path(target[1].abspath).write_text("".join(f"-u {name}\n" for name in sorted(called)))


def _relocatable_kernel(env: Any, native: Any, bitcode: list[Any], operations: list[Any]) -> Any:
    """The object. `native`: the environment of that variant, for which all is compiled; `bitcode`: the
    application's and its part of LLVM-libc; `operations`: see EmbeddedBitcode."""
    base = "$BUILD/embedded/native_kernel"
    objects = [*native["ENTRY"], *native["KERNEL_LIB"]]
    assembly = [node for node in objects if str(node).endswith(".o")]
    modules = [node for node in objects if str(node).endswith(".bc")]
    libc = native["LIBC_OBJECTS"]
    names = env.Command(
        [f"{base}.names", f"{base}.called"],
        [*bitcode, *assembly, *operations, *libc],
        env.Step(_write_names, "NAMES"),
        OPERATIONS=(len(assembly), len(assembly) + len(operations)),
    )
    linked = env.Command(
        f"{base}.linked.bc", [*modules, *libc], env.Step("$LLVM_LINK $SOURCES -o $TARGET", "LINK")
    )
    passes = "-internalize-public-api-file=${SOURCES[1]} '-passes=internalize,globaldce,lto<O2>'"
    optimised = env.Command(
        f"{base}.bc", [*linked, names[0]], env.Step(f"$LLVM_OPT {passes} ${{SOURCES[0]}} -o $TARGET", "OPT")
    )
    compiled = env.Command(f"{base}.bc.o", optimised, env.Step(compile_command(native), "CC"))
    env.Depends([linked, optimised, compiled], env["TOOL_VERSION"]["CC"])
    link = "$LD -m elf_x86_64 -r --strip-debug @${SOURCES[0]} ${SOURCES[1:]} -o $TARGET"
    kernel = env.Command(
        f"{base}.o",
        [names[1], *compiled, *assembly, env["COMPILER_RUNTIME"]],
        env.Step(link, "LD"),
    )
    env.Depends(kernel, env["TOOL_VERSION"]["LD"])
    return kernel[0]


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_relocatable_kernel, "RelocatableKernel")
