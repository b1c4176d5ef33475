"""SCons tool: a kernel again, of the same objects, and of archives without the functions that never run.

archives of the full link + coverage --bareflow.trim.trim--> copies with stubs; *.jsonl: what went
objects + copies, ordered by first use --link--> pass1.elf --> names of functions and of linked stubs
objects + copies + tables --second link, which moves nothing--> the ELF, checked
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bareflow.trim.job import is_archive
from build_options import Options
from lto import (
    assembled,
    check_second_link,
    debug_link,
    kernel_link,
    link_for_tables,
    linker_scripts,
    unwind_source,
    write_inputs,
)
from python_module import run_module
from scons_paths import escaped

_SYMBOLS = ".symbols.o"
"""How the name of the object ends that holds the tables of a link."""


def _trim(target: list[Any], source: list[Any], env: Any) -> int:
    job = Path(target[0].abspath).with_suffix(".job.json")
    job.write_text(json.dumps(asdict(env["TRIM_JOB"])))
    return run_module("bareflow.trim.trim", str(job))


def _trimmed_archives(
    env: Any, base: str, full: Any, archives: list[Any], coverage: Any, misses: Any
) -> list[Any]:
    """The nodes of the tables of what was removed, and of the trimmed archives in the same order."""
    from bareflow.trim.job import Job, output_of

    removed, emptied = env.File(f"{base}.removed.jsonl"), env.File(f"{base}.emptied.jsonl")
    link_map = full.target_from_source("", ".map")
    job = Job(
        coverage=[coverage.path],
        misses=[misses.path],
        map=link_map.path,
        archives=[node.path for node in archives],
        output=env.Dir(f"{base}.trimmed").path,
        removed=removed.path,
        emptied=emptied.path,
        trimming=env["VARIANT"].trimming,
    )
    outputs = [env.File(escaped(output_of(job, path)), env.Dir("#")) for path in job.archives]
    sources = [coverage, misses, link_map, *archives]
    nodes = env.Command([removed, emptied, *outputs], sources, env.Step(_trim, "TRIM", base), TRIM_JOB=job)
    env.Depends(nodes, env.Value(str(job.trimming)))
    env.NoCache(nodes)  # large
    return list(nodes)


def _make_order(target: list[Any], source: list[Any], env: Any) -> None:
    """The names of the functions that ran, the first first, and then those of which that is not known."""
    from bareflow.trim.trim import coverage_of

    ran = [function for function in coverage_of([source[0].abspath]) if function.hit]
    ran.sort(key=lambda function: (function.rank == 0, function.rank))
    Path(target[0].abspath).write_text("".join(f"{function.symbol}\n" for function in ran))


def _make_misses(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.coverage.coverage_file import read_coverage
    from bareflow.coverage.guest_coverage import linked_program
    from bareflow.trim.misses import as_symbols, missed_functions, ran_untrimmed

    coverage, elf, link_map, kernel, *files = (Path(node.abspath) for node in source)
    names = missed_functions(files)
    if files:
        covered = read_coverage(coverage.read_text(), str(coverage))
        program = linked_program(elf, link_map, kernel)
        ran = set().union(*(ran_untrimmed(file, program, covered) for file in files))
        names = sorted({*as_symbols(names, covered, env["LLVM_CXXFILT"]), *ran})
    Path(target[0].abspath).write_text("".join(f"{name}\n" for name in names))


def _shorten_map(target: list[Any], source: list[Any], env: Any) -> None:
    """The map's objects get the names that they had in the untrimmed link's."""
    path = Path(target[1].abspath)
    text = path.read_text()
    for folder in env["SHORTENED"]:
        text = text.replace(f"{folder}/", "")
    path.write_text(text)


def _make_tables(target: list[Any], source: list[Any], env: Any) -> None:
    """Of the functions that are left, for backtraces; and of the stubs."""
    from bareflow.kernel import symbols
    from bareflow.kernel.link_map import read_map
    from bareflow.trim import stub_names
    from bareflow.trim.removed import read_removed

    elf, link_map, removed = (Path(node.abspath) for node in source)
    stubs = stub_names.LinkedStubs(read_map(link_map.open()), read_removed(removed.read_text()))
    data = elf.read_bytes()
    functions = [entry for entry in symbols.functions(data) if entry.address not in stubs.addresses]
    names = symbols.readable([function.name for function in functions], env["LLVM_CXXFILT"])
    table = symbols.table_source(
        functions,
        names,
        symbols.load_address(data),
        stubs=stubs.names,
        unwinding=unwind_source(env, elf.as_posix(), functions),
    )
    Path(target[0].abspath).write_text(table)


def _check(target: list[Any], source: list[Any], env: Any) -> int:
    return run_module(
        "bareflow.trim.check", *(node.path for node in (target[0], target[1], *env["TRIM_CHECKED"]))
    )


def _trimmed_kernel(env: Any, stem: str, full: Any, coverage: Any, misses: list[Any]) -> Any:
    """Links `$BUILD/stem.elf` (with .map and .inputs beside it) of what the ELF `full` was linked of.

    `misses`: files that name functions to keep although they did not run.
    """
    base = f"$BUILD/{stem}"
    untrimmed = [full, full.target_from_source("", ".map"), full.target_from_source("", ".krn")]
    missed = env.Command(
        f"{base}.misses.txt", [coverage, *untrimmed, *misses], env.Step(_make_misses, "MISSES")
    )[0]
    inputs = [node for node in full.sources if not node.path.endswith(_SYMBOLS)]
    archives = [node for node in inputs if is_archive(node.path)]
    removed, emptied, *trimmed = _trimmed_archives(env, base, full, archives, coverage, missed)
    copies = iter(trimmed)
    inputs = [next(copies) if is_archive(node.path) else node for node in inputs]
    order = env.Command(f"{base}.order.txt", coverage, env.Step(_make_order, "ORDER"))[0]
    # It would warn of functions of which there are several, or by now none.
    ordered = "--icf=all --no-warn-symbol-ordering --symbol-ordering-file $ORDER"
    commands = kernel_link(env, engine=True), link_for_tables(env)
    link, first_link = (f"{command} {ordered}" for command in commands)
    linked = "-Map ${TARGETS[1]} $SOURCES -o $TARGET"
    without_tables = full.target_from_source("", ".nosymbols.o")
    folders = [each.Dir("$BUILD").path for each in (env, full.get_env())]
    first = env.Command(
        [f"{base}.pass1.elf", f"{base}.pass1.map"],
        [without_tables, *inputs],
        [env.Step(f"{first_link} {linked}", "LD"), env.Step(_shorten_map)],
        ORDER=order,
        SHORTENED=folders,
    )
    tables = env.Command(f"{base}.symbols.s", [*first, removed], env.Step(_make_tables, "SYMBOLS"))
    debug_file, link_debug_file = debug_link(env, base, link)
    second = env.Command(
        [f"{base}.elf", f"{base}.map", *debug_file, f"{base}.inputs"],
        [*assembled(env, f"{base}.symbols", tables), *inputs],
        [
            env.Step(f"{link} {linked}", "LD"),
            env.Step(check_second_link),
            env.Step(_shorten_map),
            *link_debug_file,
            env.Step(write_inputs),
            env.Step(_check, "CHECK"),
        ],
        TRIM_CHECKED=[removed, emptied, *trimmed],
        ORDER=order,
        SHORTENED=folders,
    )
    env.Depends([first, second], [order, *linker_scripts(env), env["TOOL_VERSION"]["LD"]])
    env.Depends(second, first)
    env.NoCache([*first, second])
    return second[0]


def options(opts: Options) -> None:
    text = "images whose guests called functions that a trim had removed (or lists of names): it keeps them"
    opts.add_files("misses", text)


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_trimmed_kernel, "TrimmedKernel")
