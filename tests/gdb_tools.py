"""GDB on a guest that waits for it."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from bareflow.run.debugger import debugger_script

LIMIT = 300.0  # seconds; a guest that is debugged runs in an emulator all the same


def free_port() -> int:
    """A TCP port of this machine that nobody uses at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert isinstance(port, int)
        return port


def gdb(folder: Path, port: int, symbols: Path, *commands: str) -> str:
    """What GDB prints that runs these commands after the script that loads the symbols."""
    program = shutil.which("gdb")
    if program is None:
        pytest.fail("there is no gdb; `./bareflow test` installs it")
    script = folder / "bareflow.gdb"
    script.write_text(debugger_script(symbols, f"localhost:{port}"))
    arguments = [program, "-nx", "-batch", "-x", str(script)]
    for command in commands:
        arguments += ["-ex", command]
    result = subprocess.run(
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return result.stdout
