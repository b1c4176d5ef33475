"""SCons tool: the coverage file, made by booting an image on the workload, or of files that are given."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

WORKLOAD = "#variants/workload.toml"
_MODULES = (
    "coverage",
    "coverage_file",
    "coverage_run",
    "fat16_edit",
    "fat16_reader",
    "link_map",
    "synthetic_model",
    "workload",
)


def _record(target: list[Any], source: list[Any], env: Any) -> int:
    names = ("image", "elf", "map", "kernel", "workload")
    files = dict(zip(names, source, strict=False)) | dict(zip(("coverage", "summary"), target, strict=True))
    python_path = {"PYTHONPATH": env.Dir("#site_scons").abspath}
    command = [sys.executable, "-m", "bareflow.coverage_run", *(f"{k}={v.abspath}" for k, v in files.items())]
    return subprocess.run(command, env=os.environ | python_path, check=False).returncode


def _merge(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.coverage import summary
    from bareflow.coverage_file import merge_coverage, read_coverage, write_coverage

    merged = merge_coverage(read_coverage(Path(file.abspath).read_text(), str(file)) for file in source)
    Path(target[0].abspath).write_text(write_coverage(merged))
    Path(target[1].abspath).write_text(summary(merged, {}))


def _print_summary(target: list[Any], source: list[Any], env: Any) -> None:
    sys.stderr.write(Path(source[1].abspath).read_text())


def _coverage_file(env: Any, target: str, image: Any, elf: Any, kernel: Any) -> list[Any]:
    """The coverage file of an image and, beside it, its summary: of the runs in the workload file, or, with
    coverage=FILE[,FILE...], of those files."""
    targets = [target, f"{os.path.splitext(target)[0]}-summary.txt"]
    if given := env["coverage"]:
        files = [env.File(path) for path in given.split(",")]
        nodes = env.Command(targets, files, env.Step(_merge, "COVERAGE", given))
    else:
        link_map = env.File(f"{os.path.splitext(elf.path)[0]}.map")
        sources = [image, elf, link_map, kernel, env.File(WORKLOAD)]
        nodes = env.Command(targets, sources, env.Step(_record, "COVERAGE", "the workload on ${SOURCES[0]}"))
        env.NoCache(nodes)  # it also depends on the machine that it runs on
    env.Depends(nodes, [env.File(f"#site_scons/bareflow/{name}.py") for name in _MODULES])
    return list(nodes)


def _coverage_target(env: Any, name: str, node: Any) -> None:
    """The target `name`, which makes the coverage file and prints its summary."""
    env.AlwaysBuild(env.Alias(name, node, env.Step(_print_summary, "SUMMARY", node.path)))


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_coverage_file, "CoverageFile")
    env.AddMethod(_coverage_target, "CoverageTarget")
