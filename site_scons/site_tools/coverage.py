"""SCons tool: the coverage file, made by booting an image on the workload, or of files that are given."""

import os
import sys
from pathlib import Path
from typing import Any

from build_options import Options, is_file, user_path
from python_module import run_module
from scons_paths import escaped, user_file

WORKLOAD = "#variants/workload.toml"
PLUGIN = "#site_scons/qemu_plugin/translated.c"
HARNESS = ("bareflow.qemu", "bareflow.run", "bareflow.program", "python_module")
"""How a guest is booted, watched and reported on. It does not decide which functions run: an edit of it does
not cost the half hour that a recording takes."""
PLUGIN_FLAGS = "-std=c17 -O2 -Wall -Wextra -Wshadow -Werror -fvisibility=hidden -fPIC -shared"


def _record(target: list[Any], source: list[Any], env: Any) -> int:
    names = ("image", "elf", "map", "kernel", "workload", "plugin", "inputs")
    files = dict(zip(names, source, strict=False)) | dict(
        zip(("coverage", "summary", "runs"), target, strict=True)
    )
    return run_module("bareflow.coverage.record", **{key: node.abspath for key, node in files.items()})


def _merge(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.coverage.coverage_file import merge_coverage, read_coverage, write_coverage
    from bareflow.coverage.guest_coverage import summary

    merged = merge_coverage(read_coverage(Path(file.abspath).read_text(), str(file)) for file in source)
    Path(target[0].abspath).write_text(write_coverage(merged))
    Path(target[1].abspath).write_text(summary(merged, {}))


def _print_summary(target: list[Any], source: list[Any], env: Any) -> None:
    sys.stderr.write(Path(source[1].abspath).read_text())


def _coverage_file(env: Any, target: str, image: Any, elf: Any, kernel: Any) -> list[Any]:
    """The coverage file of an image and, beside it, its summary: of those that coverage=FILE[,FILE...] gives;
    otherwise of the runs in the workload file, with a list of what each has added."""
    stem = os.path.splitext(target)[0]
    targets = [target, f"{stem}-summary.txt"]
    if given := env["coverage"]:
        files = [user_file(env, path) for path in given.split(",")]
        nodes = env.Command(targets, files, env.Step(_merge, "COVERAGE", escaped(given)))
    else:
        link_map = elf.target_from_source("", ".map")
        compile_it = env.Step(f"$CC {PLUGIN_FLAGS} $SOURCE -o $TARGET", "CC")
        plugin = env.Command(f"{stem}-plugin.so", PLUGIN, compile_it)
        env.Depends(plugin, env["TOOL_VERSION"]["CC"])
        sources = [image, elf, link_map, kernel, user_file(env, env["workload"]), *plugin]
        if env["VARIANT"].engine:
            sources.append(elf.target_from_source("", ".inputs"))
        targets.append(f"{stem}-runs.txt")
        step = env.Step(_record, "COVERAGE", "${SOURCES[4]} on ${SOURCES[0]}", without=HARNESS)
        nodes = env.Command(targets, sources, step)
        env.NoCache(nodes)  # it also depends on the machine that it runs on
    return list(nodes)


def _coverage_target(env: Any, name: str, nodes: list[Any]) -> None:
    """The target `name`, which makes the coverage file and prints its summary: CoverageFile's nodes."""
    env.AlwaysBuild(env.Alias(name, nodes, env.Step(_print_summary, "SUMMARY", escaped(nodes[0].path))))


def options(opts: Options) -> None:
    text = "what coverage is recorded on, and trimmed therefore made for"
    opts.add_file("workload", text, WORKLOAD, convert=_workload, validator=_is_workload)
    opts.add_files("coverage", "coverage files, separated by commas, instead of running the workload")


def _workload(value: str, folder: str) -> str:
    return WORKLOAD if value in ("", WORKLOAD) else user_path(value, folder)


def _is_workload(key: str, value: str, _env: Any) -> None:
    if value != WORKLOAD:
        is_file(key, value)


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_coverage_file, "CoverageFile")
    env.AddMethod(_coverage_target, "CoverageTarget")
