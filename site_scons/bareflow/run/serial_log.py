"""Boots an image for one text and keeps what came over the serial line: for the report's tiers.

python -m bareflow.run.serial_log image=FILE output=FILE [workload=FILE]

With workload= it boots an ordinary program, for the first run in that file.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from bareflow import program
from bareflow.coverage.workload import load_workload
from bareflow.model_program import MODEL_PROGRAM
from bareflow.qemu.guest import Guest, GuestError
from bareflow.qemu.machine import Machine, QemuError
from bareflow.run.run import default_memory

TEXT = {
    "mode": MODEL_PROGRAM.text_mode,
    "prompt": "Once upon a time",
    "temperature": 0,
    "steps": 256,
    "coverage": "off",
}
LIMIT = 300.0
"""Seconds: enough for compiling everything on a busy machine."""


def main(argv: Sequence[str]) -> int:
    """Runs as argv (key=value strings) says; returns the exit status. How the guest ends, the log says."""
    given = dict(argument.split("=", 1) for argument in argv)
    image = Path(given["image"])
    run = load_workload(Path(given["workload"])).runs[0] if "workload" in given else None
    config = {**run.config, "coverage": "off"} if run else TEXT
    try:
        with Guest(Machine(image, config=config, memory=default_memory(image)), timeout=LIMIT) as guest:
            if run:
                guest.send(run.input.replace("\n", "\r"))
            guest.wait_end()
            Path(given["output"]).write_text(guest.serial)
    except (GuestError, QemuError) as error:
        print(f"bareflow: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(program.call("bareflow", main, sys.argv[1:]))
