"""SCons tool: size.json, the kernel's bytes by part and section."""

from pathlib import Path
from typing import Any


def _make_report(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.kernel.link_map import read_map
    from bareflow.report import size_report

    elf, kernel = (Path(node.abspath).read_bytes() for node in source[:2])
    parts = {
        part: size_report.defined_symbols(env["LLVM_NM"], [Path(node.abspath) for node in nodes])
        for part, nodes in env["SIZE_PARTS"].items()
    }
    sections = []
    if link_map := env["SIZE_MAP"]:
        # A map has its own link's folder in no name.
        folders = ["", *(f"{env.Dir(folder).path}/" for folder in ("$BUILD", "$SHARED", "$ENGINE"))]
        files = {
            node.path.removeprefix(folder): part
            for part, nodes in env["SIZE_OBJECTS"].items()
            for node in nodes
            for folder in folders
        }
        with Path(link_map.abspath).open() as lines:
            sections = size_report.sections_by_part(read_map(lines), files)
    contents = size_report.report(elf, kernel, parts, sections)
    Path(target[0].abspath).write_text(size_report.as_json(contents))


def _size_report(env: Any, target: str, elf: Any, kernel: Any, native: dict[str, list[Any]]) -> Any:
    """size.json of a kernel made of env's application, kernel_lib and libc, and with a JIT engine of its
    objects (native, part to nodes) and libraries."""
    link_map = elf.target_from_source("", ".map") if native else None
    app = env["ENTRY"] if native else env["ENTRY"] + env["APP"]
    parts = {"app": app, "kernel_lib": env["KERNEL_LIB"], "libc": env["LIBC"]}
    objects = [node for nodes in parts.values() for node in nodes]
    node = env.Command(
        target,
        [elf, kernel, *objects],
        env.Step(_make_report, "SIZES"),
        SIZE_PARTS=parts,
        SIZE_OBJECTS=native,
        SIZE_MAP=link_map,
    )
    env.Depends(node, [link_map] if link_map else [])
    return node[0]


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_size_report, "SizeReport")
