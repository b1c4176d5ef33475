"""Paths in what SCons expands. Users choose them, by options and by where the checkout is: a `$` in one is no
variable, and its spaces and quotes are part of it.

Strings that SCons expands also lose all but one of several spaces in a row: only paths from the top
folder are put into them. In commands a path is a node or a Literal, as the value of a variable: SCons
quotes these for the shell.
"""

import re
from typing import Any


def collapses(path: str) -> bool:
    """Whether expansion would change the path's spaces."""
    return bool(re.search(r"[ \t]{2}|[\t\r\n]| $", path))


def escaped(path: object) -> str:
    """The path in a string that SCons will expand: a node's name, or the line that a step prints."""
    return str(path).replace("$", "$$")


def user_file(env: Any, path: str) -> Any:
    """The node of a file that an option names: absolute, or "#" and a path below the top folder."""
    return env.fs.File(path)  # env.File() expands
