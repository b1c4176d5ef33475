"""Boots an image for one text and keeps what came over the serial line: for the report's tiers.

python -m bareflow.run.serial_log image=FILE output=FILE
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from bareflow import program
from bareflow.qemu.guest import Guest, GuestError
from bareflow.qemu.machine import Machine, QemuError
from bareflow.run.run import default_memory

TEXT = {"mode": "generate", "prompt": "Once upon a time", "temperature": 0, "steps": 256, "coverage": "off"}
LIMIT = 300.0
"""Seconds: enough for compiling everything on a busy machine."""


def main(argv: Sequence[str]) -> int:
    """Runs as argv (key=value strings) says; returns the exit status. How the guest ends, the log says."""
    given = dict(argument.split("=", 1) for argument in argv)
    image = Path(given["image"])
    try:
        with Guest(Machine(image, config=TEXT, memory=default_memory(image)), timeout=LIMIT) as guest:
            guest.wait_end()
            Path(given["output"]).write_text(guest.serial)
    except (GuestError, QemuError) as error:
        print(f"bareflow: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(program.call("bareflow", main, sys.argv[1:]))
