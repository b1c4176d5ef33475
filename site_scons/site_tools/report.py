"""SCons tool: the page about sizes, removed functions, coverage and tiers of all variants that are built."""

import os
import subprocess
import sys
from typing import Any

_MODULES = ("report.py", "report.html", "coverage_file.py", "link_map.py", "removed.py", "size_report.py")


def _make_page(target: list[Any], source: list[Any], env: Any) -> int:
    given = {
        "build": env.Dir("$BUILD_ROOT/$arch").abspath,
        "output": target[0].abspath,
        "nm": env["LLVM_NM"],
        "demangler": env["LLVM_CXXFILT"],
        **{key: node.abspath for key, node in env["REPORT_FILES"].items()},
    }
    python_path = {"PYTHONPATH": env.Dir("#site_scons").abspath}
    command = [sys.executable, "-m", "bareflow.report", *(f"{key}={value}" for key, value in given.items())]
    return subprocess.run(command, env=os.environ | python_path, check=False).returncode


def _report_target(env: Any, name: str, built: list[Any], coverage: Any) -> None:
    """The target `name`, made anew each time because it looks at what else is built. `coverage`: the coverage
    file, or None."""
    files = {"coverage": coverage} if coverage else {}
    if env["serial_log"]:
        files["serial"] = env.File(env["serial_log"])
    modules = [env.File(f"#site_scons/bareflow/{module}") for module in _MODULES]
    step = env.Step(_make_page, "REPORT")
    page = env.Command(
        "$BUILD_ROOT/$arch/report.html", [*built, *files.values(), *modules], step, REPORT_FILES=files
    )
    env.NoCache(page)
    env.Alias(name, env.AlwaysBuild(page))


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_report_target, "ReportTarget")
