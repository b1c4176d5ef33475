"""SCons tool: size.json, the kernel's bytes by part and section."""

from pathlib import Path
from typing import Any


def _make_report(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow import size_report

    elf, kernel = (Path(node.abspath).read_bytes() for node in source[:2])
    parts = {
        part: size_report.defined_symbols(env["LLVM_NM"], [Path(node.abspath) for node in nodes])
        for part, nodes in env["SIZE_PARTS"].items()
    }
    Path(target[0].abspath).write_text(size_report.as_json(size_report.report(elf, kernel, parts)))


def _size_report(env: Any, target: str, elf: Any, kernel: Any) -> Any:
    """size.json of a kernel made of env's application, kernel_lib and libc."""
    parts = {"app": env["ENTRY"] + env["APP"], "kernel_lib": env["KERNEL_LIB"], "libc": env["LIBC"]}
    objects = [node for nodes in parts.values() for node in nodes]
    step = env.Step(_make_report, "SIZES")
    node = env.Command(target, [elf, kernel, *objects], step, SIZE_PARTS=parts)
    env.Depends(node, env.File("#site_scons/bareflow/size_report.py"))
    return node[0]


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_size_report, "SizeReport")
