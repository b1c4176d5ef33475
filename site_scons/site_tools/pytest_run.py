"""SCons tool: the Python tests, as the last step of `test`."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from bareflow.errors import BareFlowError
from build_options import Options, is_number

RUN_PYTEST = Path(__file__).resolve().parents[1] / "run_pytest.py"
SOAK_BOOTS = 100
NOTHING_COLLECTED = 5  # pytest's exit status
CORES = os.cpu_count() or 1
WORKERS = CORES + (CORES + 1) // 2
"""More than there are cores: a test that waits for a guest's clock, or for a limit to pass, uses none."""


def _pytest(
    env: Any,
    places: list[str],
    needed: list[Any],
    *,
    name: str = "pytest",
    options: str = "",
    tests: str = "",
    **environment: str,
) -> Any:
    """A node $BUILD/name, never up to date, that runs pytest on folders or files once everything needed is
    built; tests: an expression of pytest's -k for some of theirs."""
    env = env.Clone()
    env["ENV"] = env["ENV"] | {"BAREFLOW_BUILD": env.Dir("$BUILD").abspath} | environment
    paths = [env.Entry(place).path for place in places]
    # A list of arguments, not a command line: what is in only= is for nobody but pytest.
    arguments = [f"--numprocesses={WORKERS}", *shlex.split(options), *paths]
    tested = env.Dir(env["ENV"]["BAREFLOW_BUILD"]).path
    step = env.Step(_run_pytest, name.upper(), f"{' '.join(paths)} on {tested}")
    variables = {"PYTEST_ARGUMENTS": arguments, "PYTEST_TESTS": tests}
    return env.AlwaysBuild(env.Command(f"$BUILD/{name}", needed, step, **variables))


def _run_pytest(target: list[Any], source: list[Any], env: Any) -> int:
    selections = [f"({names})" for names in (env["PYTEST_TESTS"], env["only"]) if names]
    chosen = [f"-k={' and '.join(selections)}"] if selections else []
    command = [sys.executable, str(RUN_PYTEST), *env["PYTEST_ARGUMENTS"], *chosen]
    if env["verbose"]:
        print(shlex.join(command), flush=True)
    status = subprocess.run(command, env=env["ENV"], check=False).returncode
    if env["only"] and status == NOTHING_COLLECTED:
        return 0  # _check_selection looks whether that is so everywhere
    env["TESTS_SELECTED"].any = True
    return status


def _valid_expression(text: str) -> Any:
    """The compiled expression. If the text is none, pytest itself, in several processes, would end with their
    tracebacks."""
    from _pytest.mark.expression import Expression

    try:
        return Expression.compile(text)
    except SyntaxError as error:
        sys.exit(f"bareflow: only={text} is no expression of names: column {error.offset}: {error.msg}")


def _selected(env: Any, nodes: list[Any]) -> list[Any]:
    """Those of the nodes of C tests whose files' names only= selects, as pytest does; all without it."""
    if not env["only"]:
        return nodes
    expression = _valid_expression(env["only"])

    def is_chosen(node: Any) -> bool:
        file = os.path.basename(node.path).lower()
        return bool(expression.evaluate(lambda name, **_: name.lower() in file))

    chosen = [node for node in nodes if is_chosen(node)]
    env["TESTS_SELECTED"].any |= bool(chosen)
    return chosen


class _Selected:
    """Whether only= has selected a test anywhere. Copies of the environment share it."""

    any = False


def _test_selection(env: Any, name: str, nodes: list[Any]) -> Any:
    """What fails, after these nodes of tests, when only= has selected nothing in any of them. `name` tells it
    from those after other nodes."""
    if not env["only"]:
        return []
    step = env.Step(_check_selection, "PYTEST", "what only= selects")
    return env.AlwaysBuild(env.Command(f"$BUILD/{name}.selection", nodes, step))


def _check_selection(target: list[Any], source: list[Any], env: Any) -> int:
    if not env["TESTS_SELECTED"].any:
        raise BareFlowError(f"only={env['only']}: no test has such a name")
    return 0


def options(opts: Options) -> None:
    opts.add_text("only", "test, host_tests: just the tests that this pytest -k expression selects", "")
    text = f"soak: boots in a row, and power cuts ({SOAK_BOOTS}); evolve: boots of the disk (8)"
    opts.add_text("boots", text, validator=is_number)


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env["TESTS_SELECTED"] = _Selected()
    env.AddMethod(_pytest, "Pytest")
    env.AddMethod(_test_selection, "TestSelection")
    env.AddMethod(_selected, "SelectedTests")
