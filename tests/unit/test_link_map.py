"""lld's map, of a link that the test makes."""

from __future__ import annotations

from pathlib import Path

from bareflow.kernel.link_map import file_name, read_map
from trim_tools import ParsedObject, archived, compiled, linked


def test_sections_of_a_link(tmp_path: Path) -> None:
    main = compiled(tmp_path, "main.c", "int f(int); int value = 7; int main(void) { return f(value); }")
    f = compiled(tmp_path, "f.c", "int g(int); int f(int x) { return g(x) * 3; } int h(void) { return 1; }")
    g = compiled(tmp_path, "g.c", "int g(int x) { return x + 1; }")
    program, link_map = linked(tmp_path, [main, f, archived(tmp_path, "libg.a", [g])])
    with link_map.open() as lines:
        found = {(entry.file, entry.name): entry for entry in read_map(lines)}
    assert found["libg.a(g.o)", ".text.g"].size == len(ParsedObject(g).contents(".text.g"))
    assert found["main.o", ".data.value"].output == ".data"
    assert ("f.o", ".text.h") not in found, "nobody calls h"
    entry = found["f.o", ".text.f"]
    (symbol,) = entry.symbols
    assert (entry.output, symbol.name, symbol.address) == (".text", "f", entry.address)
    assert symbol.size == entry.size
    assert ParsedObject(program).code_at("f", entry.size)[-1:] == b"\xc3"  # RET


def test_names_do_not_depend_on_where_archives_lie() -> None:
    assert file_name("/usr/lib/llvm/libLLVMCore.a(Value.cpp.o)") == "libLLVMCore.a(Value.cpp.o)"
    assert file_name("build/libA.a(a/b.o)") == "libA.a(a/b.o)"
    assert file_name("obj/kernel_lib/start.o") == "obj/kernel_lib/start.o"


def test_what_is_no_input_section() -> None:
    lines = [
        "             VMA              LMA     Size Align Out     In      Symbol",
        "          100000           100000       40    16 .text",
        "          100000           100000        0     1         __text_start = .",
        "          100000           100000       40    16         a.o:(.text.a)",
        "          100000           100000        0     1                 a",
        "          100040           100040        0     1 PAGE_SIZE = 0x1000",
    ]
    (section,) = read_map(lines)
    assert (section.file, section.name, section.size, section.output) == ("a.o", ".text.a", 0x40, ".text")
    assert [symbol.name for symbol in section.symbols] == ["a"]
