"""SCons tool: the target `conformance`, programs of others in `full`, next to this machine's compiler."""

import json
import sys
from pathlib import Path
from typing import Any

import variant_graph
from bareflow.app import load_app
from bitcode import WARNINGS
from build_options import Options
from library_functions import PASS
from llvm_libc import ARCHIVE_DEFINES, COMMON_DEFINES, PUBLIC_NAMES
from python_module import run_module

PROGRAM = "#tests/conformance/program"
"""What the kernel contains; it runs other bitcode."""
HALVES = "$BUILD_ROOT/$arch/apps/conformance/halves/workload.toml"
PROGRAMS, SAMPLE = 1000, 100


def _flags(env: Any, names: str) -> list[str]:
    return [str(flag) for flag in env.subst_list(names)[0] if str(flag) not in WARNINGS]


def _describe(target: list[Any], source: list[Any], env: Any) -> None:
    """What conformance/toolchain.py reads."""
    level = env["VARIANT"].app_optimisation.replace("'", "").split()
    own = [define for define in ARCHIVE_DEFINES if define != PUBLIC_NAMES]
    defines = [pair if isinstance(pair, tuple) else (pair, "1") for pair in [*COMMON_DEFINES, *own]]
    inside = [
        "-Illvm-libc/shims",
        *(f"-D{name}={value}".replace("'", "") for name, value in defines),  # no shell reads it
    ]
    description = {
        "cflags": [*_flags(env, "$CFLAGS $CCFLAGS"), *level],
        "cxxflags": [*_flags(env, "$CXXFLAGS $CCFLAGS"), *level, *inside],
        "plugin": source[2].abspath,
        "passes": f"{PASS},{env['VARIANT'].embedded_passes}",
        "main": source[0].abspath,
        "host_symbols": source[1].abspath,
    }
    Path(target[0].abspath).write_text(json.dumps(description, indent=1))


def _run(target: list[Any], source: list[Any], env: Any) -> int:
    values = {
        "top": env.Dir("#").abspath,
        "folder": env.Dir("$BUILD/conformance").abspath,
        "toolchain": source[0].abspath,
        "full": source[1].abspath,
        "programs": env["programs"],
        "sample": SAMPLE,
        "only": env["only"],
        "jobs": env.GetOption("num_jobs"),
    }
    if len(source) > 2:
        values["image"] = source[2].abspath
    return run_module("bareflow.conformance.conformance", **values)


def _make_halves(target: list[Any], source: list[Any], env: Any) -> int:
    return run_module(
        "bareflow.conformance.halves",
        top=env.Dir("#").abspath,
        folder=Path(target[0].abspath).parent.as_posix(),
        toolchain=source[0].abspath,
        full=source[1].abspath,
        programs=env["programs"],
        each=env["halves"],
        jobs=env.GetOption("num_jobs"),
    )


def _debloat(target: list[Any], source: list[Any], env: Any) -> int:
    names = ("image", "second", "trimmed", "full", "removed")
    values = dict(zip(names, (node.abspath for node in source), strict=True))
    return run_module("bareflow.conformance.debloat", **values, jobs=env.GetOption("num_jobs"))


def _halves_target(env: Any, name: str, full: Any, toolchain: Any) -> None:
    """The target `name`: trims by one half of a sample, and runs the other half on what that makes."""
    step = env.Step(_make_halves, "HALVES")
    files = [full.env.WorkloadFile(), full.env.WorkloadFile().dir.File("second.json")]
    workload, second = env.Command(files, [toolchain, full.linux[0]], step)
    env.Depends(workload, env.Value((env["programs"], env["halves"])))
    env.NoCache(workload, second)
    trimmed = variant_graph.trimmed_image(full, "trimmed", {})
    removed = trimmed.env.File("$BUILD/bareflow.removed.jsonl")
    needed = [trimmed.untrimmed[1], second, trimmed.kernel, full.kernel, removed]
    env.AlwaysBuild(env.Alias(name, needed, env.Step(_debloat, "DEBLOAT", "$SOURCE")))


def _conformance_target(env: Any, name: str) -> None:
    """The target `name`: with platform=linux all programs, on the bare machine a sample; never up to date."""
    base = env.Clone(HOSTED=load_app(Path(env.Dir(PROGRAM).abspath)))
    image = []
    if env["platform"] == "linux":
        linux, full = variant_graph.linux_program(base, "full"), variant_graph.compiled(base, "full")
    else:
        base["workload"] = env.File(HALVES).abspath
        made = variant_graph.image(base, "full", {})
        linux, full, image = made.linux[0], made.env, [made.image]
    parts = [full["APP"][-1], full.File("$BUILD/embedded/host_symbols.s"), full.LibraryFunctionsPlugin()]
    toolchain = full.Command("$BUILD/conformance.json", parts, full.Step(_describe))
    full.NoCache(toolchain)  # it names files of this checkout
    if env["halves"] != "0":
        if not image:
            sys.exit("bareflow: halves= is not for platform=linux")
        _halves_target(env, name, made, toolchain[0])
        return
    step = full.Step(_run, "CONFORM", "$SOURCE")
    full.AlwaysBuild(full.Alias(name, [*toolchain, linux, *image], step))


def options(opts: Options) -> None:
    opts.add_number("programs", "conformance: how many programs of csmith's", PROGRAMS)
    text = "conformance: trims by so many programs, and runs as many others on what that makes"
    opts.add_number("halves", text, 0)


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_conformance_target, "ConformanceTarget")
