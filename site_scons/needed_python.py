"""What a build needs of the Python and the SCons that it was started with: those of ./bareflow have it.

Python that is too old for the rest of the build must be able to read this file.
"""

import importlib.util
import sys

import SCons

SCONS = (4, 8)
PYTHON = (3, 11)
PACKAGES = ("elftools", "lief", "pytest", "qemu", "yaml", "zstandard")


def complaint(scons_version: str, python_version: "tuple[int, int]", packages: "tuple[str, ...]") -> str:
    """What is wrong with these versions, or not installed of the packages; empty if nothing."""
    if python_version < PYTHON:
        return f"Python {_dotted(PYTHON)} or later is needed, this is {_dotted(python_version)}"
    if tuple(map(int, scons_version.split(".")[:2])) < SCONS:
        return f"SCons {_dotted(SCONS)} or later is needed, this is {scons_version}"
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    return f"{sys.executable} has no module {', '.join(missing)}" if missing else ""


def _dotted(version: "tuple[int, ...]") -> str:
    return ".".join(map(str, version))


def check() -> None:
    """Ends a build that cannot go well."""
    wrong = complaint(SCons.__version__, sys.version_info[:2], PACKAGES)
    if wrong:
        sys.exit(
            f"bareflow: {wrong}. Please use ./bareflow: it has what is needed, and takes the same arguments."
        )
