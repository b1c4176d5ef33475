"""Modules of LLVM IR made of functions and a table of them, for tests that call one after the other."""

from collections.abc import Iterable
from typing import Protocol


class Function(Protocol):
    """A function of the module, `i64 (i64)`."""

    name: str

    def text(self) -> str:
        """Its definition."""


def module_text(head: str, table: str, functions: Iterable[Function]) -> str:
    """The module: what the functions need, the functions, and under the name of the table pairs of a
    function's name and address, ended by one of null pointers."""
    parts, rows = [head], []
    for function in functions:
        name = function.name
        parts.append(function.text())
        parts.append(f'@name.{name} = internal constant [{len(name) + 1} x i8] c"{name}\\00"')
        rows.append(f"{{ ptr, ptr }} {{ ptr @name.{name}, ptr @{name} }}")
    rows.append("{ ptr, ptr } zeroinitializer")
    entries = ",\n  ".join(rows)
    parts.append(f"@{table} = constant [{len(rows)} x {{ ptr, ptr }}] [\n  {entries}\n]")
    return "\n".join(parts) + "\n"
