"""SCons tool: the coverage file, made by running an image on the workload, or of files that are given; and
the coverage that a trimmed variant is made from, which is committed (variants/coverage.txt.zst)."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from build_options import Options, is_file, user_path
from python_module import run_module
from scons_paths import escaped, user_file

WORKLOAD = "#variants/workload.toml"
COMMITTED = "#variants/coverage.txt.zst"
PLUGIN = "#site_scons/qemu_plugin/translated.c"
TRACER = "#site_scons/tracer/executed.c"
HARNESS = ("bareflow.qemu", "bareflow.run", "bareflow.program", "python_module")
"""How a guest is booted, watched and reported on. It does not decide which functions run: an edit of it does
not cost the half hour that a recording takes."""
FLAGS = "-std=c17 -O2 -Wall -Wextra -Wshadow -Werror"


def _workload_node(env: Any) -> Any:
    """The node of the workload file: the one that is asked for, or the application's own."""
    if env["HOSTED"] and env["workload"] == WORKLOAD:
        return env.AppWorkload()
    return user_file(env, env["workload"])


def _record(target: list[Any], source: list[Any], env: Any) -> int:
    names = ("image", "elf", "map", "kernel", "workload", "plugin", "inputs", "tracer", "program")
    files = dict(zip(names, source, strict=False)) | dict(
        zip(("coverage", "summary", "runs"), target, strict=True)
    )
    values = {key: node.abspath for key, node in files.items()}
    values["disk"] = ",".join(env["COVERAGE_DISK"])
    layouts = [node.abspath for node in source[len(names) :]]
    return run_module("bareflow.coverage.record", *layouts, **values)


def _merge(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.coverage.coverage_file import merge_coverage, read_coverage, write_coverage
    from bareflow.coverage.guest_coverage import summary

    merged = merge_coverage(read_coverage(Path(file.abspath).read_text(), str(file)) for file in source)
    Path(target[0].abspath).write_text(write_coverage(merged))
    Path(target[1].abspath).write_text(summary(merged, {}))


def _print_summary(target: list[Any], source: list[Any], env: Any) -> None:
    sys.stderr.write(Path(source[1].abspath).read_text())


def _archives(elf: Any) -> list[Any]:
    """The nodes of the archives that an ELF was linked of."""
    from bareflow.trim.job import is_archive

    return [node for node in elf.sources if is_archive(node.path)]


def _pack(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.coverage.coverage_file import read_coverage
    from bareflow.coverage.packed_coverage import pack

    coverage, *archives = (Path(node.abspath) for node in source)
    packed = pack(read_coverage(coverage.read_text(), str(coverage)), archives)
    Path(target[0].abspath).write_bytes(packed)
    print(
        f"bareflow: {target[0].path} has {len(packed):,} bytes. To commit it:\n"
        f"    cp {target[0].path} {COMMITTED.lstrip('#')}",
        file=sys.stderr,
    )


def _unpack(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.coverage.coverage_file import CoverageError, write_coverage
    from bareflow.coverage.guest_coverage import summary
    from bareflow.coverage.packed_coverage import PackedCoverage, StaleCoverageError

    packed, *archives = (Path(node.abspath) for node in source)
    try:
        covered = PackedCoverage(packed.read_bytes(), source[0].path).unpacked(archives)
    except StaleCoverageError as error:
        raise CoverageError(f"{error}; record=1 records coverage of those that are here") from None
    Path(target[0].abspath).write_text(write_coverage(covered))
    Path(target[1].abspath).write_text(summary(covered, {}))


def _reason_to_record(env: Any, archives: list[Any]) -> str:
    """Why the committed coverage cannot be used; empty if it can."""
    from bareflow.coverage.packed_coverage import archive_sizes

    committed = env.File(COMMITTED)
    if env["record"] or env["workload"] != WORKLOAD:
        return "as asked for"
    if env["HOSTED"]:
        return "of this program"
    if not os.path.exists(committed.abspath):
        return f"there is no {committed.path}"
    paths = [Path(node.abspath) for node in archives]
    sizes = archive_sizes(Path(committed.abspath).read_bytes(), committed.path)
    other = sorted(set(sizes.items()) ^ {(path.name, path.stat().st_size) for path in paths})
    return f"{committed.path} is about another {other[0][0]} than the one that is here" if other else ""


def _coverage_to_trim_by(env: Any, target: str, elf: Any, recorded: list[Any]) -> list[Any]:
    """The coverage that a trimmed variant of an image is made from, and its summary. That is what coverage=
    gives; or the committed coverage, if it is about these archives; or else `recorded`, what CoverageFile
    makes, as it would be if that was committed."""
    if env["coverage"]:
        return recorded
    archives = _archives(elf)
    packed = env.File(COMMITTED)
    if reason := _reason_to_record(env, archives):
        print(f"bareflow: coverage is recorded, which may take minutes: {reason}", file=sys.stderr)
        if env["HOSTED"]:
            return recorded
        stem = os.path.splitext(recorded[0].path)[0]
        (packed,) = env.Command(
            f"#{escaped(stem)}.txt.zst", [recorded[0], *archives], env.Step(_pack, "PACK")
        )
    targets = [target, f"{os.path.splitext(target)[0]}-summary.txt"]
    return list(env.Command(targets, [packed, *archives], env.Step(_unpack, "COVERAGE", "$SOURCE")))


def _coverage_file(
    env: Any,
    target: str,
    image: Any,
    elf: Any,
    kernel: Any,
    linux: Sequence[Any] = (),
    files: Sequence[str] = (),
) -> list[Any]:
    """The coverage file of an image and, beside it, its summary: of those that coverage=FILE[,FILE...] gives;
    otherwise of the runs in the workload file, with a list of what each has added. `linux`: the same as a
    Linux program, and in other layouts, for a variant with a JIT engine; `files`: what the image has for the
    application."""
    stem = os.path.splitext(target)[0]
    targets = [target, f"{stem}-summary.txt"]
    if given := env["coverage"]:
        files = [user_file(env, path) for path in given.split(",")]
        return list(env.Command(targets, files, env.Step(_merge, "COVERAGE", escaped(given))))
    link_map = elf.target_from_source("", ".map")
    sources = [image, elf, link_map, kernel, env.WorkloadFile()]
    sources += _compiled(env, f"{stem}-plugin.so", PLUGIN, f"{FLAGS} -fvisibility=hidden -fPIC -shared")
    if linux:
        tracer = _compiled(env, f"{stem}-tracer", TRACER, FLAGS)
        sources += [elf.target_from_source("", ".inputs"), *tracer, *linux]
    targets.append(f"{stem}-runs.txt")
    step = env.Step(_record, "COVERAGE", "${SOURCES[4]} on ${SOURCES[0]}", without=HARNESS)
    nodes = env.Command(targets, sources, step, COVERAGE_DISK=files)
    env.Depends(nodes, env.Value(files))
    env.NoCache(nodes)  # it also depends on the machine that it runs on
    return list(nodes)


def _compiled(env: Any, target: str, source: str, flags: str) -> list[Any]:
    """A program for this machine."""
    nodes = env.Command(target, source, env.Step(f"$CC {flags} $SOURCE -o $TARGET", "CC"))
    env.Depends(nodes, env["TOOL_VERSION"]["CC"])
    return list(nodes)


def _coverage_target(env: Any, name: str, nodes: list[Any]) -> None:
    """The target `name`, which makes the coverage file and prints its summary: CoverageFile's nodes."""
    env.AlwaysBuild(env.Alias(name, nodes, env.Step(_print_summary, "SUMMARY", escaped(nodes[0].path))))


def options(opts: Options) -> None:
    text = "what coverage is recorded on, and trimmed therefore made for; evolve takes its first text"
    opts.add_file("workload", text, WORKLOAD, convert=_workload, validator=_is_workload)
    opts.add_switch(
        "record", "record the coverage that a trimmed variant is made from, instead of what is committed"
    )
    opts.add_files("coverage", "coverage files, separated by commas, instead of running the workload")


def _workload(value: str, folder: str) -> str:
    return WORKLOAD if value in ("", WORKLOAD) else user_path(value, folder)


def _is_workload(key: str, value: str, _env: Any) -> None:
    if value != WORKLOAD:
        is_file(key, value)


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_workload_node, "WorkloadFile")
    env.AddMethod(_coverage_file, "CoverageFile")
    env.AddMethod(_coverage_to_trim_by, "CoverageToTrimBy")
    env.AddMethod(_coverage_target, "CoverageTarget")
