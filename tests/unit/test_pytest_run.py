"""What only= selects: Python tests and C tests, in one node, in none, with any characters in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from project_files import ROOT

SCONSTRUCT = """
import os, sys
sys.path.insert(0, {scripts!r})
import build_options
tools = [Tool(name, [{scripts!r} + "/site_tools"]) for name in ("console", "pytest_run")]
options = build_options.declare(ARGLIST, tools)
env = Environment(variables=options, tools=[], ENV=dict(os.environ), BUILD="build")
for tool in tools:
    tool.generate(env)
options = "--numprocesses=0 -m 'not soak'"  # no processes for a test or two
nodes = [env.Pytest([name], [], name=name, options=options)[0] for name in ("first", "second")]
programs = [Command(f"test_{{name}}.c.passed", [], Touch("$TARGET")) for name in ("third", "fourth")]
chosen = env.SelectedTests([node for node, in programs])
Default(nodes, chosen, env.TestSelection("all", [*nodes, *chosen]))
"""


SECOND = """
import pytest
def test_of_the_second(): pass
@pytest.mark.soak
def test_of_the_second_that_soaks(): assert False
"""


@pytest.mark.parametrize(
    ("only", "status", "message"),
    [
        ("of_the_second", 0, ""),
        ("THIRD or of_the_second", 0, "test_third.c.passed"),
        ("third and not test", 2, "bareflow: only=third and not test: no test has such a name\n"),
        ("of_neither", 2, "bareflow: only=of_neither: no test has such a name\n"),
        (
            "it's $HOME",
            1,
            "bareflow: only=it's $HOME is no expression of names: column 3: ",
        ),
    ],
)
def test_only(tmp_path: Path, only: str, status: int, message: str) -> None:
    (tmp_path / "SConstruct").write_text(SCONSTRUCT.format(scripts=str(ROOT / "site_scons")))
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    (tmp_path / "first" / "test_a.py").write_text("def test_of_the_first(): assert False\n")
    (tmp_path / "second" / "test_b.py").write_text(SECOND)
    result = subprocess.run(
        [sys.executable, "-m", "SCons", "-Q", f"only={only}"],
        cwd=tmp_path,
        env=os.environ | {"PYTEST_ADDOPTS": "-p no:cacheprovider", "PYTHONPATH": str(ROOT / "site_scons")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == status, result.stdout + result.stderr
    assert message in result.stdout + result.stderr
    assert (tmp_path / "test_third.c.passed").exists() == (only == "THIRD or of_the_second")
    assert not (tmp_path / "test_fourth.c.passed").exists()


def test_full_standard_output(tmp_path: Path) -> None:
    test = tmp_path / "test_a.py"
    test.write_text("def test_a(): pass\n")
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, ROOT / "site_scons" / "run_pytest.py", "--numprocesses=1", test],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    message = "pytest: standard output cannot be written: No space left on device\n"
    assert (result.returncode, result.stderr) == (1, message)
