"""SCons tool: the optimising link of bitcode and assembly into a kernel, with its table of function names.

Two links. The first compiles all bitcode as one module, keeps the native object and gives every function its
address, with an empty table of names. The second links that same native object with the real table, which the
linker script puts behind everything that functions refer to by address.
"""

from pathlib import Path
from typing import Any

from SCons.Action import Action

LINK = (
    "$LD -m elf_x86_64 -static --no-pie --gc-sections --build-id=none -z noexecstack -z max-page-size=4096 "
    "--fatal-warnings -O2"
)


def _make_table(target: list[Any], source: list[Any], env: Any) -> None:
    """Without a source, the empty table of the first link."""
    from bareflow import symbols

    functions, start = [], 0
    if source:
        elf = Path(source[0].abspath).read_bytes()
        functions, start = symbols.functions(elf), symbols.load_address(elf)
    names = symbols.readable([function.name for function in functions], env["LLVM_CXXFILT"])
    Path(target[0].abspath).write_text(symbols.table_source(functions, names, start))


def _check_second_link(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow import symbols

    first, second = Path(env.subst("${TARGET.base}.pass1.elf", target=target)), Path(target[0].abspath)
    symbols.check_same_functions(first.read_bytes(), second.read_bytes())


def _shorten_map(target: list[Any], source: list[Any], env: Any) -> None:
    """Takes the build folder out of the map's file names, so that it is the same wherever it is built."""
    path = Path(target[1].abspath)
    path.write_text(path.read_text().replace(f"{env.Dir('$BUILD').path}/", ""))


def _table_object(env: Any, stem: str, linked: Any) -> Any:
    """An object with the names of a linked ELF's functions, or with none when linked is empty."""
    table = env.Command(f"{stem}.s", linked, env.Step(_make_table, "SYMBOLS"))
    env.Depends(table, env.File("#site_scons/bareflow/symbols.py"))
    assemble = "$CC -target x86_64-unknown-none-elf -c $SOURCE -o $TARGET"
    node = env.Command(f"{stem}.o", table, env.Step(assemble, "AS"))
    env.Depends(node, env["TOOL_VERSION"]["CC"])
    return node


def _kernel(env: Any, stem: str, objects: list[Any], libraries: list[Any]) -> Any:
    """Links `$BUILD/stem.elf` (with .map and .native.o beside it) and gives the ELF's node."""
    assembly = [node for node in objects if str(node).endswith(".o")]
    bitcode = [node for node in objects if str(node).endswith(".bc")]
    script = env.File("#tinyllama/linker.ld")
    base = f"$BUILD/{stem}"
    no_names = _table_object(env, f"{base}.nosymbols", [])
    levels = " ".join(env["VARIANT"].lto)
    first = env.Command(
        [f"{base}.pass1.elf", f"{base}.native.o"],
        [*assembly, no_names, *bitcode, *libraries],
        env.Step(
            f"{LINK} {levels} --lto-obj-path=${{TARGETS[1]}} -T {script.path} $SOURCES -o $TARGET",
            "LTO",
        ),
    )
    names = _table_object(env, f"{base}.symbols", first[0])
    second = env.Command(
        [f"{base}.elf", f"{base}.map"],
        [*assembly, names, first[1]],
        [
            env.Step(f"{LINK} -T {script.path} -Map ${{TARGETS[1]}} $SOURCES -o $TARGET", "LD"),
            Action(_check_second_link, None),
            Action(_shorten_map, None),
        ],
    )
    env.Depends(first, [script, env["TOOL_VERSION"]["LD"]])
    env.Depends(second, [script, env["TOOL_VERSION"]["LD"], first[0]])
    return second[0]


def _linux_program(env: Any, name: str, objects: list[Any], libraries: list[Any]) -> Any:
    """Links a static Linux program without any C library but ours."""
    levels = " ".join(env["VARIANT"].lto)
    step = env.Step(f"{LINK} {levels} -Map ${{TARGET}}.map $SOURCES -o $TARGET", "LTO")
    node = env.Command(f"$BUILD/{name}", [*objects, *libraries], step)
    env.Depends(node, env["TOOL_VERSION"]["LD"])
    return node[0]


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_kernel, "Kernel")
    env.AddMethod(_linux_program, "LinuxProgram")
