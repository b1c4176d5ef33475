"""Which Python of this project a step of the build runs, so that the step is done again when that changes.

Nothing is listed by hand. The source of a step's function is followed to all that it names: functions and
constants of its file and of other files in site_scons, and modules of the package bareflow, imported or named
in a string as a program to run. Of a module of the package the whole file counts, all that it imports, and
the C headers that it reads.
"""

import ast
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from bareflow import layouts

# ruff format sees to it that an import begins its line.
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^#\n]*)|import[ \t]+([^#\n]*))", re.MULTILINE
)
_NAME = re.compile(r"[\w.]+(?=\s*(?:,|\)|$|#|\s+as\s))", re.MULTILINE)
_HEADER = re.compile(r'\bread_header\("([^"]+)"\)')
_DISTRIBUTIONS = {"elftools": "pyelftools", "qemu": "qemu-qmp", "yaml": "pyyaml"}
"""Names of packages in requirements.txt that are not those of their modules."""


class _Script:
    """A file with functions that steps call: a tool, a helper of tools or an SConscript."""

    def __init__(self, file: Path) -> None:
        text = file.read_text()
        self._lines = text.splitlines()
        self.statements: dict[str, list[ast.stmt]] = {}
        """Its global names, and the statements that give them their values."""
        self.imports: dict[str, tuple[str, str]] = {}
        """Its global names that other modules give it: the module, and the name there; "": the module."""
        for statement in ast.parse(text).body:
            if isinstance(statement, ast.ImportFrom) and statement.module:
                for alias in statement.names:
                    self.imports[alias.asname or alias.name] = (statement.module, alias.name)
            elif isinstance(statement, ast.Import):
                for alias in statement.names:
                    self.imports[alias.asname or alias.name] = (alias.name, "")
            else:
                for name in _bound_names(statement):
                    self.statements.setdefault(name, []).append(statement)

    def source(self, statement: ast.stmt) -> str:
        """The statement's lines."""
        return "\n".join(self._lines[statement.lineno - 1 : statement.end_lineno])


def _bound_names(statement: ast.stmt) -> Iterator[str]:
    """The global names to which a statement gives values."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


class PythonSources:
    """The Python below a folder: one package, and scripts beside it."""

    def __init__(self, folder: Path, package: str) -> None:
        """`folder` is the one that the package is in; beside it may be a requirements.txt."""
        self._folder = folder
        self._package = package
        self._script = cache(_Script)
        self._file_of = cache(self._find_file)
        self._text = cache(Path.read_text)
        self._imports = cache(self._read_imports)
        self._headers = cache(self._read_headers)
        self._locked = cache(self._read_locked)

    def _find_file(self, module: str) -> Path | None:
        """The file of a dotted name; None when there is no such module (it may be that of a function)."""
        for folder in (self._folder, self._folder / "site_tools"):
            path = folder.joinpath(*module.split("."))
            for file in (path.with_suffix(".py"), path / "__init__.py"):
                if file.is_file():
                    return file
        return None

    def _in_package(self, module: str) -> bool:
        return module.split(".")[0] == self._package

    def _read_imports(self, file: Path) -> frozenset[str]:
        """The dotted names that a file imports, wherever in it."""
        names: set[str] = set()
        for module, members, modules in _IMPORT.findall(self._text(file)):
            if module:
                names |= {module, *(f"{module}.{member}" for member in _NAME.findall(members))}
            else:
                names |= set(_NAME.findall(modules))
        return frozenset(names)

    def closure(self, *modules: str, without: Iterable[str] = ()) -> list[Path]:
        """The files of the package's modules, of all that they import from it, and the C headers that these
        read, sorted. What is in the modules or packages `without` is left out, and so is what only that
        imports or reads. Raises ValueError when there is no such module."""
        files: set[Path] = set()
        waiting = list(modules)
        for module in modules:
            if not self._file_of(module):
                raise ValueError(f"there is no module {module}")
        while waiting:
            module = waiting.pop()
            if not self._in_package(module) or any(f"{module}.".startswith(f"{name}.") for name in without):
                continue
            file = self._file_of(module)
            if not file or file in files:
                continue
            files.add(file)
            waiting += [*self._imports(file), module.rpartition(".")[0]]
        return sorted(files.union(*map(self._headers, files)))

    def _read_headers(self, file: Path) -> frozenset[Path]:
        """The C headers that a file reads, as in read_header("boot/boot_info.h"), and those they include."""
        read = _HEADER.findall(self._text(file))
        return frozenset(
            self._folder.parent / header for name in read for header in layouts.header_files(name)
        )

    def _follow(
        self,
        file: Path,
        name: str,
        without: Iterable[str],
        source: dict[tuple[Path, str], str],
        modules: set[str],
    ) -> None:
        """Adds the source of a global name of a script and of all that it names, and the modules."""
        script = self._script(file)
        if name in script.imports:
            module, member = script.imports[name]
            other = self._file_of(module)
            if self._in_package(module):
                modules |= {module, f"{module}.{member}"}
            elif other and member and module not in without:
                self._follow(other, member, without, source, modules)
            elif other and module not in without:
                source[other, ""] = other.read_text()
            return
        if name not in script.statements or (file, name) in source:
            return
        source[file, name] = "\n".join(map(script.source, script.statements[name]))
        for node in (node for statement in script.statements[name] for node in ast.walk(statement)):
            if isinstance(node, ast.Name):
                self._follow(file, node.id, without, source, modules)
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
                modules.add(node.value)

    def code_of(
        self, function: Callable[..., Any], without: Iterable[str] = ()
    ) -> tuple[dict[str, str], list[Path]]:
        """What a call of the function runs: source by "FILE:NAME", the file from the folder, and files of the
        package and C headers; less what is in the modules or packages `without`."""
        found: dict[tuple[Path, str], str] = {}
        modules: set[str] = set()
        file = Path(function.__code__.co_filename).resolve()
        self._follow(file, function.__name__, without, found, modules)
        modules = {name for name in modules if self._in_package(name) and self._file_of(name)}
        source = {
            f"{os.path.relpath(file, self._folder)}:{name}": text for (file, name), text in found.items()
        }
        return source, self.closure(*modules, without=without)

    def _read_locked(self) -> dict[str, str]:
        """The versions in requirements.txt by package."""
        file = self._folder.parent / "requirements.txt"
        text = file.read_text() if file.is_file() else ""
        return dict(re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE))

    def _packages(self, files: Iterable[Path]) -> dict[str, str]:
        """The versions of the packages of others that files import."""
        names = {name.split(".")[0] for file in files if file.suffix == ".py" for name in self._imports(file)}
        names = {_DISTRIBUTIONS.get(name, name) for name in names - sys.stdlib_module_names}
        return {name: version for name, version in self._locked().items() if name in names}

    def digest(self, function: Callable[..., Any], without: Iterable[str] = ()) -> str:
        """A hash of what a call of the function runs: code_of(), and the versions of others' packages."""
        source, files = self.code_of(function, without)
        parts = {f"version of {name}": version for name, version in self._packages(files).items()} | source
        parts |= {os.path.relpath(file, self._folder): self._text(file) for file in files}
        text = "".join(f"{name}\0{parts[name]}\0" for name in sorted(parts))
        return hashlib.sha256(text.encode()).hexdigest()


OURS = PythonSources(Path(__file__).resolve().parent, "bareflow")
