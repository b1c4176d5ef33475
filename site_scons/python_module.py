"""A step of the build that is a Python program of its own.

SCons runs functions in threads of its own process: what owns the terminal, takes signals, works in several
processes or is to end at Ctrl-C cannot be one of them.
"""

import runpy
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

_THIS = str(Path(__file__))


def run_module(module: str, *arguments: str, standard_output: int | None = None, **values: Any) -> int:
    """Runs the module with `ARGUMENT... key=value...`, a module that begins with bareflow.program.call();
    returns its exit status. standard_output: a file descriptor for it, if not this process's."""
    pairs = (f"{key}={value}" for key, value in values.items())
    command = [sys.executable, _THIS, module, *arguments, *pairs]
    # Until program.call() Ctrl-C waits: while Python and the module are loaded it would be a traceback.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process = subprocess.Popen(command, stdout=standard_output)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    with process:
        try:
            return process.wait()
        except BaseException:
            process.kill()
            raise


if __name__ == "__main__":
    # As `python -m` does, but with this folder as the first in which modules are looked for. An entry of
    # PYTHONPATH, the usual way to that, cannot have a colon in it.
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
