"""What every Python program of the build has in common: streams, Ctrl-C, status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from project_files import ROOT
from python_module import run_module

SITE_SCONS = str(ROOT / "site_scons")
PROGRAM = """
import os, signal, sys
from bareflow import program
from bareflow.errors import BareFlowError
{early}
def main(argv):
    {main}
    return 3
sys.exit(program.call("test", main, sys.argv[1:]))
"""


FULL = "test: standard output cannot be written: No space left on device\n"
NOT_WRITABLE = "test: standard output cannot be written: Bad file descriptor\n"


def run(main: str, redirection: str = "", stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    code = PROGRAM.format(early="", main=main)
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": SITE_SCONS},
        text=True,
        timeout=60,
        stdout=stdout,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize(
    ("main", "redirection", "status", "stdout", "stderr"),
    [
        ("print('a')", "", 3, "a\n", ""),
        ("print('a', file=sys.stderr)", "", 3, "", "a\n"),
        ("raise BareFlowError('too bad')", "", 1, "", "test: too bad\n"),
        ("raise KeyboardInterrupt", "", 130, "", ""),
        ("os.kill(os.getpid(), signal.SIGINT)", "", 130, "", ""),
        ("os.kill(os.getpid(), signal.SIGTERM)", "", 143, "", ""),
        ("os.kill(os.getpid(), signal.SIGHUP)", "", 129, "", ""),
        # In the middle, and only when all that is buffered is written at the end.
        ("print('a', flush=True)", ">/dev/full", 1, "", FULL),
        ("print('a')", ">/dev/full", 1, "", FULL),
        ("print('a')", ">&-", 1, "", "test: standard output is closed\n"),
        ("print('a')", "1</dev/null", 1, "", NOT_WRITABLE),
        ("print('a', file=sys.stderr)", "2>/dev/full", 3, "", ""),
        ("print('a', file=sys.stderr)", "2>&-", 3, "", ""),
        ("print(os.read(0, 1))", "<&-", 3, "b''\n", ""),
        # No file takes the place of a stream that was closed.
        ("print(os.open('/', 0))", "<&- 2>&-", 3, "3\n", ""),
    ],
)  # fmt: skip
def test_streams(main: str, redirection: str, status: int, stdout: str, stderr: str) -> None:
    result = run(main, redirection)
    assert (result.returncode, result.stdout, result.stderr) == (status, stdout, stderr)


def test_reader_that_has_had_enough() -> None:
    source, sink = os.pipe()
    os.close(source)
    result = run("print('a')", stdout=sink)
    os.close(sink)
    assert (result.returncode, result.stderr) == (128 + signal.SIGPIPE, "")


def test_output_that_must_wait() -> None:
    """The other side of a pipe may have made it non-blocking."""
    source, sink = os.pipe()
    os.set_blocking(sink, False)
    code = PROGRAM.format(early="", main="print('a' * 1_000_000)")
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=sink, env=os.environ | {"PYTHONPATH": SITE_SCONS}
    ) as process:
        os.close(sink)
        with open(source, "rb") as file:
            assert file.read() == b"a" * 1_000_000 + b"\n"
    assert process.returncode == 3


def test_what_nohup_ignores() -> None:
    code = PROGRAM.format(early="", main="os.kill(os.getpid(), signal.SIGHUP)")
    result = subprocess.run(
        ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": SITE_SCONS},
        timeout=60,
    )
    assert result.returncode == 3


def test_signals_wait_for_the_end_of_the_block() -> None:
    main = "\n    ".join(
        [
            "with program.signals_held_back():",
            "    os.kill(os.getpid(), signal.SIGTERM)",
            "    print('still here')",
            "print('not reached')",
        ]
    )
    result = run(main)
    assert (result.returncode, result.stdout, result.stderr) == (143, "still here\n", "")


def test_early_ctrl_c(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the program is still being loaded."""
    code = PROGRAM.format(early="os.kill(os.getpid(), signal.SIGINT)", main="print('not reached')")
    (tmp_path / "slow_to_load.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    status = run_module("slow_to_load")
    assert (status, *capfd.readouterr()) == (128 + signal.SIGINT, "", "")
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
