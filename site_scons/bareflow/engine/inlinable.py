"""What of LLVM-libc's bitcode is embedded: the functions that the JIT may inline. Everything else of it is
called natively, so that its bitcode would never be read.

Only C functions: what the library calls its own by C++ names, the application does not call. Only small ones,
and none that refers to a function or a variable that is local: these have no native address. Constants are
copied. None with assembly, which would keep what it is inlined into from being compiled.
"""

import re
import subprocess
from pathlib import Path

from bareflow.engine.assembly import assembly_in

LARGEST = 100
"""Lines of a function's text, which is somewhat more than its instructions (MAX_CALLEE in
kernel_lib/jit/engine/extract.cpp)."""

_FUNCTION = re.compile(
    r"^define (?P<linkage>(?:internal|private|weak_odr|linkonce_odr|weak|linkonce) )?"
    r"(?P<head>[^@\n]*@(?P<name>\"[^\"]+\"|[\w.$]+)[^\n]*\{\n)(?P<body>.*?)^\}\n",
    re.MULTILINE | re.DOTALL,
)
_ALIAS = re.compile(r"^@(?P<name>[\w.$]+) = [^\n]*\balias [^\n]*ptr @(?P<target>[\w.$]+)\n", re.MULTILINE)
_VARIABLE = re.compile(
    r"^@(?P<name>\"[^\"]+\"|[\w.$]+) = (?:internal|private) (?:[^\n@]* )?global ", re.MULTILINE
)
_NAME = re.compile(r"@(\"[^\"]+\"|[\w.$]+)")
_COMDAT = re.compile(r" comdat(?:\(\$[^)]*\))?")
_LOCAL = ("internal ", "private ")


def inlinable(text: str) -> set[str]:
    """The names of the functions of a module, by its text, that the JIT may inline."""
    functions = list(_FUNCTION.finditer(text))
    local = {function["name"] for function in functions if function["linkage"] in _LOCAL}
    variables = {variable["name"] for variable in _VARIABLE.finditer(text)}
    return {
        function["name"]
        for function in functions
        if not function["name"].startswith(("_Z", '"'))
        and "...)" not in function["head"]
        and function["body"].count("\n") <= LARGEST
        and not assembly_in(function["body"])
        and (local | variables).isdisjoint(_NAME.findall(function["body"]))
    } - local


def marked(text: str) -> str:
    """A module's text, in which the functions that are not to stay are `available_externally`. Local ones
    are left alone: they go when nobody refers to them any more."""
    kept = inlinable(text)
    kept |= {
        alias["target"]
        for alias in _ALIAS.finditer(text)
        if len(re.findall(rf"@{re.escape(alias['name'])}\b", text)) > 1
    }

    def mark(match: re.Match[str]) -> str:
        if match["linkage"] in _LOCAL or match["name"] in kept:
            return match[0]
        return f"define available_externally {_COMDAT.sub('', match['head'])}{match['body']}}}\n"

    text = _ALIAS.sub(lambda alias: alias[0] if alias["target"] in kept else "", text)
    return _FUNCTION.sub(mark, text)


def keep_inlinable(opt: str, bitcode: Path) -> None:
    """Takes everything else out of the module."""
    read = [opt, "-S", "-passes=", str(bitcode), "-o", "-"]
    text = subprocess.run(read, capture_output=True, text=True, check=True).stdout
    write = [opt, "-passes=elim-avail-extern,globaldce", "-", "-o", str(bitcode)]
    subprocess.run(write, input=marked(text), text=True, check=True)
