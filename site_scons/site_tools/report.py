"""SCons tool: the page about sizes, removed functions, coverage and tiers of all variants that are built."""

from typing import Any

from build_options import Options
from python_module import run_module
from scons_paths import user_file

HARNESS = ("bareflow.qemu", "bareflow.program", "python_module")
"""Of the boot that writes the log: how it is booted and watched, which the log does not show."""


def _folder(env: Any) -> str:
    """With the folders of the variants in it."""
    program = f"/apps/{env['HOSTED'].name}" if env["HOSTED"] else ""
    return f"$BUILD_ROOT/$arch{program}"


def _make_page(target: list[Any], source: list[Any], env: Any) -> int:
    shared = {"shared": env.Dir("$BUILD_ROOT/$arch/hosted").abspath} if env["HOSTED"] else {}
    return run_module(
        "bareflow.report.report",
        build=env.Dir(_folder(env)).abspath,
        output=target[0].abspath,
        nm=env["LLVM_NM"],
        demangler=env["LLVM_CXXFILT"],
        **{key: node.abspath for key, node in env["REPORT_FILES"].items()},
        **shared,
    )


def _make_log(target: list[Any], source: list[Any], env: Any) -> int:
    values = {"image": source[0].abspath, "output": target[0].abspath}
    if env["HOSTED"]:
        values["workload"] = source[1].abspath
    return run_module("bareflow.run.serial_log", **values)


def _serial_log(env: Any, image: Any) -> Any:
    """The log that is given, or that of one boot."""
    if env["serial_log"]:
        return user_file(env, env["serial_log"])
    step = env.Step(_make_log, "BOOT", "$SOURCE", without=HARNESS)
    sources = [image, *([env.WorkloadFile()] if env["HOSTED"] else [])]
    node = env.Command("$BUILD/serial.log", sources, step)
    env.NoCache(node)
    return node[0]


def _report_target(env: Any, name: str, built: list[Any], image: Any, coverage: dict[str, Any]) -> None:
    """The target `name`, made each time because it looks at what else is built. `coverage`: the files
    about it, or none."""
    files = dict(coverage)
    if env["VARIANT"].engine:
        files["serial"] = _serial_log(env, image)
    step = env.Step(_make_page, "REPORT")
    page = env.Command(f"{_folder(env)}/report.html", [*built, *files.values()], step, REPORT_FILES=files)
    env.Depends(page, "#site_scons/bareflow/report/report.html")
    env.NoCache(page)
    env.Alias(name, env.AlwaysBuild(page))


def options(opts: Options) -> None:
    opts.add_file("serial_log", "report: a guest's serial log, for its tiers")


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_report_target, "ReportTarget")
