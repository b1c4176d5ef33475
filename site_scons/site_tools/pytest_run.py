"""SCons tool: the Python tests, as the last step of `test`."""

import os
from typing import Any


def _pytest(env: Any, folder: str, needed: list[Any]) -> Any:
    """A node, never up to date, that runs pytest once everything needed is built."""
    env = env.Clone()
    env["ENV"] = env["ENV"] | {"BAREFLOW_BUILD": env.Dir("$BUILD").abspath}
    workers = os.cpu_count() or 1
    chosen = "-k '$only'" if env["only"] else ""
    command = f"$PYTHON -m pytest --numprocesses={workers} {chosen} {env.Dir(folder).path}"
    return env.AlwaysBuild(
        env.Command("$BUILD/pytest", needed, env.Step(command, "PYTEST", folder.lstrip("#")))
    )


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_pytest, "Pytest")
