"""SCons tool: the Python tests, as the last step of `test`."""

import os
from typing import Any


def _pytest(
    env: Any,
    places: list[str],
    needed: list[Any],
    *,
    name: str = "pytest",
    options: str = "",
    **environment: str,
) -> Any:
    """A node $BUILD/name, never up to date, that runs pytest on folders or files once everything needed is
    built."""
    env = env.Clone()
    env["ENV"] = env["ENV"] | {"BAREFLOW_BUILD": env.Dir("$BUILD").abspath} | environment
    workers = os.cpu_count() or 1
    chosen = "-k '$only'" if env["only"] else ""
    paths = " ".join(env.Entry(place).path for place in places)
    command = f"$PYTHON -m pytest --numprocesses={workers} {options} {chosen} {paths}"
    step = env.Step(command, name.upper(), f"{paths} on $BUILD")
    return env.AlwaysBuild(env.Command(f"$BUILD/{name}", needed, step))


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_pytest, "Pytest")
