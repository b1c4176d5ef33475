"""SCons tool: the application and what it uses of LLVM-libc as bitcode inside the kernel, and the table of
native functions that they call."""

from pathlib import Path
from typing import Any

from library_functions import PASS
from scons_paths import escaped

COMPILE = "$CC -target x86_64-unknown-none-elf -Wno-override-module"
ASSEMBLE = "$CC -target x86_64-unknown-none-elf -c $SOURCE -o $TARGET"


def _choose_members(target: list[Any], source: list[Any], env: Any) -> None:
    """Links those of libc's objects that the application (the first source) uses, directly or not, and keeps
    what the JIT may inline."""
    from bareflow.engine import host_symbols, inlinable

    application, *members = [Path(node.abspath) for node in source]
    chosen = host_symbols.members_used(env["LLVM_NM"], application, members)
    host_symbols.link_bitcode(env["LLVM_LINK"], chosen, Path(target[0].abspath))
    inlinable.keep_inlinable(env["LLVM_OPT"], Path(target[0].abspath))


def _check_assembly(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.engine.assembly import check_no_assembly

    check_no_assembly(env["LLVM_OPT"], Path(target[0].abspath))


def _make_host_symbols(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.engine import host_symbols

    application, libc, *others = (Path(node.abspath) for node in source)
    operations, library = others[: env["OPERATIONS"]], others[env["OPERATIONS"] :]
    names = host_symbols.host_names(env["LLVM_NM"], application, libc) | set(env["LIBC_RUNTIME"])
    names |= host_symbols.called_by_compiled_code(env["LLVM_NM"], operations)
    names |= host_symbols.c_names(env["LLVM_NM"], library)
    weak = host_symbols.symbols(env["LLVM_NM"], application).weak
    own = host_symbols.OWN_NAMES | (host_symbols.PROGRAM_NAMES if env["HOSTED"] else {})
    Path(target[0].abspath).write_text(host_symbols.table_source(names, weak, own))


def _assembled(env: Any, stem: str) -> Any:
    node = env.Command(f"{stem}.o", f"{stem}.s", env.Step(ASSEMBLE, "AS"))
    env.Depends(node, env["TOOL_VERSION"]["CC"])
    return node[0]


def incbin(node: Any) -> str:
    """The line of assembly, for env.Textfile(), that includes a file's bytes."""
    path = node.path.replace("\\", "\\\\").replace('"', '\\"')
    return f'.incbin "{escaped(path)}"'


def _embed(env: Any, name: str, file: Any) -> Any:
    """An object with the file's bytes between the symbols NAME and NAME_end."""
    lines = [
        f'.section .rodata.{name}, "a", @progbits',
        ".balign 16",
        f".globl {name}, {name}_end",
        f"{name}: {incbin(file)}",
        f"{name}_end: .byte 0",
    ]
    stem = f"$BUILD/embedded/{name}"
    env.Depends(env.Textfile(f"{stem}.s", lines), file)
    node = _assembled(env, stem)
    env.Depends(node, file)
    return node


def _write_operations(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.engine import function_table, operations

    text = function_table.module_text(operations.HEAD, operations.TABLE, operations.functions())
    Path(target[0].abspath).write_text(text)


def _operations(env: Any) -> list[Any]:
    """Objects of all that the code generator might call a function for: with and without optimisation."""
    text = env.Command("$BUILD/embedded/operations.ll", [], env.Step(_write_operations, "GENERATE"))
    made = []
    for level in ("O0", "O2"):
        step = env.Step(f"{COMPILE} -{level} -c $SOURCE -o $TARGET", "CC")
        made += env.Command(f"$BUILD/embedded/operations.{level}.o", text, step)
    env.Depends(made, env["TOOL_VERSION"]["CC"])
    return made


def _application_bitcode(env: Any, app: list[Any], libc_objects: list[Any]) -> tuple[Any, Any]:
    """The bitcode of the application, and of its part of libc. Declared once."""
    if "EMBEDDED_BITCODE" in env:
        found: tuple[Any, Any] = env["EMBEDDED_BITCODE"]
        return found
    linked = env.Command(
        "$BUILD/embedded/app.linked.bc", app, env.Step("$LLVM_LINK $SOURCES -o $TARGET", "LINK")
    )
    passes, plugin = env["VARIANT"].embedded_passes, []
    if env["HOSTED"]:
        passes, plugin = f"{PASS},{passes}", [env.LibraryFunctionsPlugin()]
    # Names of local values and the order of uses are for people and for tests of LLVM.
    options = f"'-passes={passes}' --discard-value-names --preserve-bc-uselistorder=false"
    load = " ".join(f"$( -load-pass-plugin={node.path} $)" for node in plugin)
    step = env.Step(f"$LLVM_OPT {load} {options} $SOURCE -o $TARGET", "OPT")
    check = env.Step(_check_assembly)
    app_bitcode = env.Command("$BUILD/embedded/app.bc", linked, [step, check])[0]
    choose = env.Step(_choose_members, "LINK")
    libc_bitcode = env.Command("$BUILD/embedded/libc.bc", [app_bitcode, *libc_objects], choose)[0]
    env.Depends([linked, app_bitcode, libc_bitcode], env["TOOL_VERSION"]["CC"])
    env.Depends(app_bitcode, plugin)
    env["EMBEDDED_BITCODE"] = (app_bitcode, libc_bitcode)
    return app_bitcode, libc_bitcode


def _library(env: Any, libc_objects: list[Any]) -> list[Any]:
    """Objects with all that an ordinary program may call, so that other bitcode than the embedded one can run
    (the setting `bitcode`). Nothing for tinyllama."""
    if not env["HOSTED"]:
        return []
    ours = ("kernel_lib/hosted/", "kernel_lib/memory/libc_os.", "kernel_lib/memory/malloc.")
    return [*libc_objects, *(node for node in env["KERNEL_LIB"] if any(name in node.path for name in ours))]


def _embedded(env: Any, app: list[Any], libc_objects: list[Any], native: Any) -> list[Any]:
    """Objects with the bitcode of the application and of its part of libc, the table of host symbols, and
    what the application is linked with to be a kernel without a JIT: `native`, that variant's environment."""
    app_bitcode, libc_bitcode = env.ApplicationBitcode(app, libc_objects)
    operations = _operations(env)
    table = env.Command(
        "$BUILD/embedded/host_symbols.s",
        [app_bitcode, libc_bitcode, *operations, *_library(env, libc_objects)],
        env.Step(_make_host_symbols, "SYMBOLS"),
        OPERATIONS=len(operations),
    )
    env.Depends(table, env.Value(env["LIBC_RUNTIME"]))
    kernel = env.RelocatableKernel(native, [app_bitcode, libc_bitcode], operations)
    application = env.PrecompiledApplication([app_bitcode, libc_bitcode], native)
    return [
        _embed(env, "app_bitcode", app_bitcode),
        _embed(env, "libc_bitcode", libc_bitcode),
        _embed(env, "native_kernel_object", kernel),
        _embed(env, "application_object", application),
        _assembled(env, "$BUILD/embedded/host_symbols"),
    ]


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.Tool("textfile")
    env.AddMethod(_application_bitcode, "ApplicationBitcode")
    env.AddMethod(_embedded, "EmbeddedBitcode")
