"""SCons tool: the formatters and checkers, each a node that is up to date while nothing it reads changes."""

from pathlib import Path
from typing import Any

from bareflow.llvm import llvm_tool
from SCons.Action import Action

PYTHON_FOLDERS = ("site_scons", "tests", "variants", "tinyllama")
C_FOLDERS = (
    "boot",
    "kernel_lib",
    "tinyllama",
    "tests",
    "llvm-libc/shims",
    "site_scons/qemu_plugin",
    "site_scons/tracer",
)


def _files(env: Any, folders: tuple[str, ...], patterns: tuple[str, ...]) -> list[Any]:
    top = Path(env.Dir("#").abspath)
    found = {path for folder in folders for pattern in patterns for path in (top / folder).rglob(pattern)}
    return [env.File(f"#{path.relative_to(top)}") for path in sorted(found)]


def _check(env: Any, name: str, sources: list[Any], *commands: str) -> Any:
    steps = [env.Step(command, "LINT", name) for command in commands]
    node = env.Command(f"$BUILD_ROOT/lint/{name}", sources, [*steps, Action("touch $TARGET", None)])
    env.NoCache(node)
    return node[0]


def _lint(env: Any) -> list[Any]:
    """All checks."""
    python = _files(env, PYTHON_FOLDERS, ("*.py", "SConscript"))
    python += [env.File("#SConstruct"), env.File("#pyproject.toml")]
    c = _files(env, C_FOLDERS, ("*.c", "*.cpp", "*.h"))
    prose = [*env.Glob("#*.md"), *env.Glob("#docs/*.md")]
    ruff = "$( $PYTHON $) -m ruff"
    return [
        _check(env, "clang-format", [*c, env.File("#.clang-format")],
               f"{llvm_tool('clang-format')} --dry-run -Werror ${{SOURCES[:-1]}}"),
        _check(env, "ruff", python, f"{ruff} check --quiet", f"{ruff} format --quiet --check"),
        _check(env, "codespell", [*python, *c, *prose], "$( $PYTHON $) -m codespell_lib ${SOURCES}"),
        _check(env, "mypy", python, "$( $PYTHON $) -m mypy"),
    ]  # fmt: skip


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_lint, "Lint")
