"""`./bareflow new DIR`: a folder with a minimal program, to be built with app=DIR."""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from bareflow import program
from bareflow.errors import BareFlowError

SOURCE = """\
#include <stdio.h>

int main(int argc, char **argv) {
    printf("Hello from %s, with %d arguments.\\n", argv[0], argc - 1);
}
"""
DESCRIPTION = """\
# What the build should know of this program. Each key may be left out.

name = "{name}"           # of the program and of its build folder
args = ""                # the arguments of main, if `run` has no args=
stack = "1M"             # bytes
optimisation = "-O2"     # of variant=native; variant=full compiles while it runs
# include = ["headers"]  # folders of headers, besides this one
# defines = ["DEBUG"]    # NAME or NAME=VALUE
# flags = ["-Wall"]      # further options of the compiler

# Files for the disk, whose names there are 8.3:
# [files]
# "/DATA/WORDS.TXT" = "words.txt"
"""


def make(folder: Path) -> None:
    """Makes the folder; raises BareFlowError if there is something in it, or it cannot be made."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", folder.name).lstrip("_.-") or "program"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise BareFlowError(f"{folder} is not empty")
        (folder / "main.c").write_text(SOURCE)
        (folder / "app.toml").write_text(DESCRIPTION.format(name=name))
    except OSError as error:
        raise BareFlowError(f"{folder} cannot be made: {error.strerror}") from None


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        raise BareFlowError("new wants the name of one folder: ./bareflow new DIR")
    typed = arguments[0]
    make(Path(os.environ.get("BAREFLOW_CWD", ".")) / typed)
    print(f"{typed} has main.c and app.toml. Next: ./bareflow app={typed} run")
    return 0


if __name__ == "__main__":
    sys.exit(program.call("bareflow", main, sys.argv[1:]))
