"""SCons tool: the part of a program (app=DIR) that comes from a Debian source package.

The files change only with what app.toml says of them, so one node, the stamp, stands for all that are not
compiled, headers above all. They are the same for every variant: build/sources/NAME.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from bareflow.app_source import AppSource
from bareflow.tool_identity import ToolError, Tools
from scons_paths import escaped

STAMP = "$BUILD_ROOT/sources/${PROGRAM_SOURCE}.stamp"
FOLDER = "$BUILD_ROOT/sources/${PROGRAM_SOURCE}"


def _lay_out(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.app_source import lay_out
    from bareflow.models.user_cache import user_cache

    stamp = Path(target[0].abspath)
    folder, said = stamp.with_suffix(""), env["HOSTED"].source
    lay_out(env["HOSTED"].name, said, user_cache(), folder, env["CC"], env.Progress)
    stamp.write_text(f"{said}\n")


def _tool_versions(env: Any, source: AppSource) -> list[Any]:
    """A node for each program that the files are made with."""
    for name, package in source.tools.items():
        if not shutil.which(name):
            sys.exit(
                f"bareflow: app={env['HOSTED'].name}: {name} not found; Debian's package {package} has it"
            )
    tools = Tools(Path(env.Dir("$BUILD_ROOT").abspath) / ".tools.json")
    try:
        found = [env.Value(f"{name} {tools.digest(name)}") for name in source.tools]
    except ToolError as error:
        sys.exit(f"bareflow: {error}")
    return [*found, env["TOOL_VERSION"]["CC"]] if source.make else found


def _app_source(env: Any) -> tuple[list[Any], list[tuple[str, Any]]]:
    """The folder with the files, and the node that stands for all of them; and those that are compiled, by
    their paths. Both are empty without a source package."""
    source: AppSource | None = env["HOSTED"].source
    if not source:
        return [], []
    env = env.Override({"PROGRAM_SOURCE": escaped(env["HOSTED"].name)})
    stamp = env.File(STAMP)
    nodes = [env.File(f"{FOLDER}/{escaped(path)}") for path in source.compiled]
    if not stamp.has_builder():
        step = env.Step(_lay_out, "EXTRACT", f"{source.package.path}")
        inputs = [env.Value(repr(source)), *_tool_versions(env, source)]
        env.NoCache(env.Command([stamp, *nodes], inputs, step))
    return [env.Dir(FOLDER).path, stamp], list(zip(source.compiled, nodes, strict=True))


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_app_source, "AppSource")
