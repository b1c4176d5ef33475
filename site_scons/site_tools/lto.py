"""SCons tool: the optimising link of bitcode and assembly into a kernel, with its table of function names.

Three links. The first compiles all bitcode as one module, for its native object. The second links that object
and gives every function its address, with an empty table of names. The third links the same inputs in the
same order with the real table, which the linker script puts behind all that functions refer to by address.

With a JIT engine in it the first link lets undefined symbols pass: they are the functions that become traps.
"""

from pathlib import Path
from typing import Any

from bitcode import FRAME_FROM_THE_BEGINNING
from SCons.Subst import Literal

LINK = (
    "$LD -m elf_$arch -static --no-pie --gc-sections --build-id=none -z noexecstack --fatal-warnings -O2 "
    f"{' '.join(FRAME_FROM_THE_BEGINNING)}"
)


def _make_table(target: list[Any], source: list[Any], env: Any) -> None:
    """Of the ELF and the map of a link; without a source, the empty table of the first link."""
    from bareflow.kernel import symbols
    from bareflow.kernel.link_map import read_map
    from bareflow.trim.removable import removable

    functions, start, unwinding = [], 0, ""
    may_go: list[bool] = []
    if source:
        elf = Path(source[0].abspath).read_bytes()
        functions, start = symbols.functions(elf), symbols.load_address(elf)
        if env["UNWIND_TABLE"]:
            with open(source[1].abspath) as lines:
                may_go = removable(elf, functions, read_map(lines), env["VARIANT"].trimming)
    if env["UNWIND_TABLE"]:
        unwinding = unwind_source(env, source[0].abspath if source else None, functions)
    names = symbols.readable([function.name for function in functions], env["LLVM_CXXFILT"])
    if not env["VARIANT"].engine:  # which has traps and a trim by these names
        names = symbols.without_numbers(names)
    covered = env["COVERAGE_BY_DEFAULT"]
    table = symbols.table_source(
        functions, names, start, coverage_by_default=covered, removable=may_go, unwinding=unwinding
    )
    Path(target[0].abspath).write_text(table)


def unwind_source(env: Any, elf: str | None, functions: list[Any]) -> str:
    """The source of the table for unwinding; an empty one without an ELF, which was linked with unwind.ld."""
    from bareflow.kernel import unwind_table

    addresses = [function.address for function in functions]
    if not elf:
        return unwind_table.table_source(addresses, {}, None)
    rows = unwind_table.rows_of(elf, env["LLVM_DWARFDUMP"])
    return unwind_table.table_source(addresses, rows, unwind_table.Code(Path(elf).read_bytes()))


def check_second_link(target: list[Any], source: list[Any], env: Any) -> None:
    """For the first target, NAME.elf, and the link before it, NAME.pass1.elf."""
    from bareflow.kernel import symbols

    first, second = Path(env.subst("${TARGET.base}.pass1.elf", target=target)), Path(target[0].abspath)
    symbols.check_same_functions(first.read_bytes(), second.read_bytes())


def _shorten_map(target: list[Any], source: list[Any], env: Any) -> None:
    """Takes the build folder out of the map's file names, so that it is the same wherever it is built."""
    path = Path(target[1].abspath)
    path.write_text(path.read_text().replace(f"{env.Dir('$BUILD').path}/", ""))


def _table_object(env: Any, stem: str, linked: Any) -> Any:
    """An object with the names of a linked ELF's functions (and its map), or with none when linked is
    empty."""
    table = env.Command(f"{stem}.s", linked, env.Step(_make_table, "SYMBOLS"))
    env.Depends(
        table, env.Value((env["COVERAGE_BY_DEFAULT"], env["UNWIND_TABLE"], str(env["VARIANT"].trimming)))
    )
    return assembled(env, stem, table)


def _make_traps(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.libc import traps

    linked, *own = (Path(node.abspath) for node in source)
    missing = traps.undefined(linked.read_bytes())
    traps.check_not_our_own(missing, env["LLVM_NM"], own)
    Path(target[0].abspath).write_text(traps.source(missing))


def write_inputs(target: list[Any], source: list[Any], env: Any) -> None:
    """The list of what was linked, in order, for tools that link it again: the last target."""
    Path(target[-1].abspath).write_text("".join(f"{node.path}\n" for node in source))


def assembled(env: Any, stem: str, text: Any) -> Any:
    """An object of GNU assembler source."""
    assemble = "$CC $TARGET_FLAGS -Wno-unused-command-line-argument -c $SOURCE -o $TARGET"
    node = env.Command(f"{stem}.o", text, env.Step(assemble, "AS"))
    env.Depends(node, env["TOOL_VERSION"]["CC"])
    return node


def debug_link(env: Any, base: str, link: str) -> tuple[list[str], list[Any]]:
    """What debug=1 adds to the last link of a kernel, whose command is `link`: the third target, BASE.debug,
    and the action that makes it. It has the same addresses, the objects' DWARF, and how functions unwind."""
    if not env["debug"]:
        return [], []
    command = keeping_unwinding(env, link).replace(" --strip-debug", "")
    return [f"{base}.debug"], [env.Step(f"{command} $SOURCES -o ${{TARGETS[2]}}", "LD", "${TARGETS[2]}")]


def _lto_object(env: Any, base: str) -> Any:
    """The option of a link that also writes the native object of its bitcode, BASE.native.o."""
    return Literal(f"--lto-obj-path={env.File(f'{base}.native.o').path}")


def linker_scripts(env: Any) -> list[Any]:
    """The script of every kernel, and the one for finding out how functions unwind."""
    return [env.File(f"#kernel_lib/cpu/{name}.ld") for name in ("linker", "unwind")]


def kernel_link(env: Any, *, engine: bool) -> str:
    """The command that links a kernel, less its inputs and outputs. engine: one with a JIT engine.

    That is linked without the linker sending calls of a function that only jumps to where that jumps to: such
    a function would look dead to coverage.
    """
    stack = f"--defsym=stack_size={env['VARIANT'].stack_size}"
    options = f" {stack}" if engine or env["HOSTED"] else ""
    options += " -u disk_start" if env["fallback"] else ""  # the loader is told that this kernel works
    options += " --no-demangle --no-branch-to-branch" if engine else ""
    return f"{LINK} --strip-debug{options} -T {linker_scripts(env)[0].path}"


def keeping_unwinding(env: Any, link: str) -> str:
    """A kernel's link that keeps how functions unwind."""
    return link.replace(" -T ", f" -T {linker_scripts(env)[1].path} -T ", 1)


def link_for_tables(env: Any) -> str:
    """That of a kernel with a JIT engine."""
    return keeping_unwinding(env, kernel_link(env, engine=True))


def _all_native(
    env: Any, base: str, link: str, objects: list[Any], libraries: list[Any], engine: list[Any] | None
) -> list[Any]:
    """What bitcode, assembly and libraries are when all is native: the assembly, the bitcode's object, and
    native libraries. With the JIT engine's ELF objects also the traps, those objects and their libraries."""
    bitcode = [node for node in objects if str(node).endswith(".bc")]
    assembly = [node for node in objects if node not in bitcode]  # and archives of native objects
    archives = env.EngineLibraries() if engine else [env["COMPILER_RUNTIME"]]
    options = " ".join(env["VARIANT"].lto)
    if engine:
        options += " -u trap --unresolved-symbols=ignore-all"
        inputs = [*assembly, *engine, *archives, *bitcode, *libraries]
    else:
        inputs = [*assembly, *bitcode, *libraries, *archives]
    linked, compiled = env.Command(
        [f"{base}.lto.elf", f"{base}.native.o"],
        inputs,
        env.Step(f"{link} {options} $LTO_OBJECT $SOURCES -o $TARGET", "LTO"),
        LTO_OBJECT=_lto_object(env, base),
    )
    env.NoCache(linked)
    env.Depends(linked, env["TOOL_VERSION"]["LD"])
    if not engine:
        return [*assembly, compiled, *archives]
    traps = env.Command(f"{base}.traps.s", [linked, compiled, *engine], env.Step(_make_traps, "TRAPS"))
    return [*assembly, compiled, *assembled(env, f"{base}.traps", traps), *engine, *archives]


def _kernel(
    env: Any, stem: str, objects: list[Any], libraries: list[Any], native: dict[str, list[Any]] | None = None
) -> Any:
    """Links `$BUILD/stem.elf` (with .map and .native.o beside it) and gives the ELF's node.

    native: the ELF objects (part to nodes) of a JIT engine, which call the bitcode and are called by it. Its
    libraries are linked as well, and beside the ELF there is .inputs, the names of all that was linked, in
    order.
    """
    engine = [node for nodes in (native or {}).values() for node in nodes]
    if engine:
        env = env.Override({"COVERAGE_BY_DEFAULT": True, "UNWIND_TABLE": True})
    base = f"$BUILD/{stem}"
    link = kernel_link(env, engine=bool(engine))
    first_link = link_for_tables(env) if engine else link
    no_names = _table_object(env, f"{base}.nosymbols", [])
    inputs = _all_native(env, base, link, [*objects, *no_names], libraries, engine)
    inputs = [node for node in inputs if node not in no_names]
    first = env.Command(
        [f"{base}.pass1.elf", f"{base}.pass1.map"],
        [*no_names, *inputs],
        env.Step(f"{first_link} -Map ${{TARGETS[1]}} $SOURCES -o $TARGET", "LD"),
    )
    names = _table_object(env, f"{base}.symbols", first)
    debug_file, link_debug_file = debug_link(env, base, link)
    lists, writers = ([f"{base}.inputs"], [env.Step(write_inputs)]) if engine else ([], [])
    second = env.Command(
        [f"{base}.elf", f"{base}.map", *debug_file, *lists],
        [*names, *inputs],
        [
            env.Step(f"{link} -Map ${{TARGETS[1]}} $SOURCES -o $TARGET", "LD"),
            env.Step(check_second_link),
            env.Step(_shorten_map),
            *link_debug_file,
            *writers,
        ],
    )
    script, unwind_script = linker_scripts(env)
    env.Depends([f"{base}.lto.elf", first, second], script)
    env.Depends([first, second], env["TOOL_VERSION"]["LD"])
    env.Depends(second, first)
    env.Depends([first, second], unwind_script)
    if engine:
        env.NoCache(first)
    return second[0]


LAYOUTS = range(1, 7)
"""Numbers that make other layouts of variables."""


def _linux_program(
    env: Any, name: str, objects: list[Any], libraries: list[Any], native: dict[str, list[Any]]
) -> list[Any]:
    """Links a static Linux program without any C library but ours; native: a JIT engine's ELF objects. With
    an engine, behind the program come others that differ only in where their variables are: in the hash
    tables of LLVM, whose keys are addresses, other entries collide."""
    link = LINK
    inputs = [*objects, *libraries, env["COMPILER_RUNTIME"]]
    if engine := [node for nodes in native.values() for node in nodes]:
        link += " --strip-debug"
        inputs = _all_native(env, f"$BUILD/{name}", link, objects, libraries, engine)
    levels = " ".join(env["VARIANT"].lto)
    step = env.Step(f"{link} {levels} -Map $MAP $SOURCES -o $TARGET", "LTO")
    link_map = env.File(f"$BUILD/{name}.map")
    programs = env.Command([f"$BUILD/{name}", link_map], inputs, step, MAP=link_map)[:1]
    for number in LAYOUTS if engine else ():
        shuffled = f"--shuffle-sections=.data*={number} --shuffle-sections=.bss*={number}"
        step = env.Step(f"{link} {levels} {shuffled} $SOURCES -o $TARGET", "LD")
        programs += env.Command(f"$BUILD/{name}.layout{number}", inputs, step)
    env.Depends(programs, env["TOOL_VERSION"]["LD"])
    env.NoCache(programs[1:])
    return list(programs)


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env["COVERAGE_BY_DEFAULT"] = False
    env["UNWIND_TABLE"] = False  # with libraries that have no frame pointers
    env.AddMethod(_kernel, "Kernel")
    env.AddMethod(_linux_program, "LinuxProgram")
