"""Which files a module of bareflow/ consists of, for what depends on it: itself, all that it imports, and the
C headers that these read."""

import ast
from functools import cache
from pathlib import Path
from typing import Any

from bareflow import layouts

_FOLDER = Path(__file__).parent
_PACKAGE = "bareflow"


def _file_of(module: str) -> Path | None:
    """The file of a dotted name; None when there is no such module (the name may be that of a function)."""
    path = _FOLDER.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


@cache
def _nodes(file: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(file.read_bytes())))


@cache
def _imports(file: Path) -> frozenset[str]:
    """The dotted names of bareflow that a file imports, wherever in it."""
    names: set[str] = set()
    for node in _nodes(file):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return frozenset(name for name in names if name.split(".")[0] == _PACKAGE)


@cache
def _headers(file: Path) -> frozenset[Path]:
    """The C headers that a file reads, as in read_header("boot/boot_info.h"), and those that they include."""
    return frozenset(
        _FOLDER.parent / header
        for node in _nodes(file)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "read_header"
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        for header in layouts.header_files(argument.value)
    )


def closure(*modules: str, without: tuple[str, ...] = ()) -> list[Path]:
    """The files of the modules and of all that they import, and the C headers that these read, sorted. What
    is in the modules or packages `without` is left out, and so is what only that imports or reads. ValueError
    when there is no such module."""
    files: set[Path] = set()
    waiting = list(modules)
    for module in modules:
        if not _file_of(module):
            raise ValueError(f"there is no module {module}")
    while waiting:
        module = waiting.pop()
        file = _file_of(module)
        if not file or file in files or any(f"{module}.".startswith(f"{name}.") for name in without):
            continue
        files.add(file)
        waiting += [*_imports(file), module.rpartition(".")[0]]
    return sorted(files.union(*map(_headers, files)))


def depends_on_modules(env: Any, nodes: Any, *modules: str, without: tuple[str, ...] = ()) -> None:
    """Makes the nodes depend on the modules and on all that they import."""
    env.Depends(
        nodes,
        [env.File(f"#{file.relative_to(_FOLDER.parent)}") for file in closure(*modules, without=without)],
    )
