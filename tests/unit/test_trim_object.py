"""Stubs in objects: what of a dead function stays, and what of everything else must not change."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bareflow.coverage.coverage_file import CoveredFunction
from bareflow.trim.dead_functions import DeadFunctions
from bareflow.trim.removed import Emptied
from bareflow.trim.trim_object import TrimError, trim_object
from bareflow.trim.trimming import Trimming
from trim_tools import ParsedObject, compiled, dead

C_SOURCE = """
int callee(int);
int used(int x) { return callee(x) + 1; }
int unused(int x) { return callee(x) * 3 + 17; }
static __attribute__((noinline)) int helper(int x) { return callee(x + 5); }
int uses_helper(int x) { return helper(x) - 1; }
int tail(int x) { return callee(x); }
int nothing(void) { return 0; }
int cases(int x) {
    switch (x) {
    case 0: return callee(9); case 1: return callee(3) * 2; case 2: return 8; case 3: return callee(77);
    case 4: return callee(1) + 5; case 5: return callee(4) / 3;
    }
    return 0;
}
"""


def key(name: str, file: str = "a.o") -> tuple[str, str, str]:
    """A function of a.o, in its own section."""
    return file, f".text.{name}", name


def trimmed(path: Path, functions: DeadFunctions, file: str = "a.o") -> ParsedObject:
    """The object after the trim."""
    result = path.with_suffix(".trimmed.o")
    result.write_bytes(trim_object(path.read_bytes(), file, functions)[0])
    return ParsedObject(result)


@pytest.fixture
def c_object(tmp_path: Path) -> Path:
    return compiled(tmp_path, "a.c", C_SOURCE)


def test_dead_function_is_ud2_and_id(c_object: Path) -> None:
    before = ParsedObject(c_object)
    after = trimmed(c_object, dead(key("other"), key("unused"), alive=[key("used")]))
    # Intel SDM vol. 2: UD2 is 0F 0B. Then the id, here 2.
    assert after.contents(".text.unused") == bytes.fromhex("0f0b 02000000")
    assert after.alignment(".text.unused") == 4
    assert before.references(".text.unused") == ["callee"]
    assert after.references(".text.unused") == []


def test_everything_else_stays(c_object: Path) -> None:
    before, after = ParsedObject(c_object), trimmed(c_object, dead(key("unused"), alive=[key("used")]))
    for name in ("used", "helper", "uses_helper", "tail", "nothing", "cases"):
        assert after.contents(f".text.{name}") == before.contents(f".text.{name}")
        assert after.references(f".text.{name}") == before.references(f".text.{name}")
    assert after.symbols() == before.symbols()


def test_library_functions_are_closer_together(c_object: Path) -> None:
    functions = dead(key("unused"), alive=[key("used")])
    assert ParsedObject(c_object).alignment(".text.used") == 16
    assert trimmed(c_object, functions).alignment(".text.used") == 2


def test_what_was_removed_is_reported(c_object: Path) -> None:
    size = len(ParsedObject(c_object).contents(".text.unused"))
    _, (stub,), _ = trim_object(c_object.read_bytes(), "a.o", dead(key("unused")))
    assert (stub.id, stub.size, stub.file, stub.section) == (1, size, "a.o", ".text.unused")


def test_nothing_dead_changes_nothing(c_object: Path) -> None:
    data = c_object.read_bytes()
    assert trim_object(data, "a.o", dead(alive=[key("used")])) == (data, [], [])


def test_unknown_function_is_kept(c_object: Path) -> None:
    after = trimmed(c_object, dead(("b.o", ".text.helper", "helper")))
    assert after.contents(".text.helper") == ParsedObject(c_object).contents(".text.helper")


def test_local_namesakes_are_told_apart(c_object: Path) -> None:
    """Of two static functions with one name, the one in a.o is dead."""
    namesakes = dead(key("helper"), alive=[key("helper", "b.o")])
    before = ParsedObject(c_object)
    assert trimmed(c_object, namesakes, "b.o").contents(".text.helper") == before.contents(".text.helper")
    assert trimmed(c_object, namesakes, "a.o").contents(".text.helper")[:2] == b"\x0f\x0b"


@pytest.mark.parametrize(
    "kept", [{"misses": {"unused"}}, {"trimming": Trimming(by_chance=["nonsense", "^unus"])}]
)
def test_what_is_kept_without_having_run(c_object: Path, kept: dict[str, Any]) -> None:
    known = [CoveredFunction(*key(name), hit=False) for name in ("unused", "uses_helper")]
    after = trimmed(c_object, DeadFunctions(known, **kept))
    assert after.contents(".text.unused") == ParsedObject(c_object).contents(".text.unused")
    assert after.contents(".text.uses_helper")[:2] == b"\x0f\x0b"


def test_functions_smaller_than_a_stub(c_object: Path) -> None:
    """`xor eax, eax; ret` costs less than its stub; a jump keeps what it jumps to, and so must go."""
    before = ParsedObject(c_object)
    assert len(before.contents(".text.nothing")) == 3
    assert len(before.contents(".text.tail")) == 5
    after = trimmed(c_object, dead(key("nothing"), key("tail")))
    assert after.contents(".text.nothing") == before.contents(".text.nothing")
    assert after.contents(".text.tail") == bytes.fromhex("0f0b 02000000")
    assert after.contents(".text.used") == before.contents(".text.used")


def test_function_with_a_jump_table(c_object: Path) -> None:
    """Its table points into its middle, but nothing else uses the table."""
    before = ParsedObject(c_object)
    assert ".rodata.cases" in before.references(".text.cases") or before.references(".rodata.cases")
    assert trimmed(c_object, dead(key("cases"))).contents(".text.cases")[:2] == b"\x0f\x0b"


def test_copies_of_inline_functions_go_by_name(tmp_path: Path) -> None:
    """Coverage knows the copy of a.o; b.o has another one in a COMDAT group."""
    header = "int callee(int); struct S { __attribute__((noinline)) int f(int x) { return callee(x) + 7; } };"
    copy = compiled(tmp_path, "b.cpp", f"{header} int other(S *s) {{ return s->f(3); }}")
    after = trimmed(copy, dead(key("_ZN1S1fEi")), "b.o")
    assert after.contents(".text._ZN1S1fEi") == bytes.fromhex("0f0b 01000000")
    assert after.contents(".group") == ParsedObject(copy).contents(".group")


CONSTRUCTOR = "int callee(int); struct S { S(int); int v; }; S::S(int x) : v(callee(x)) {}"


def test_aliases_live_together(tmp_path: Path) -> None:
    """A constructor's C1 is an alias of its C2: the section lives if one of them does."""
    path = compiled(tmp_path, "a.cpp", CONSTRUCTOR, "-mconstructor-aliases")
    section = ".text._ZN1SC2Ei"
    first, second = ("a.o", section, "_ZN1SC1Ei"), ("a.o", section, "_ZN1SC2Ei")
    assert {"_ZN1SC1Ei", "_ZN1SC2Ei"} <= ParsedObject(path).symbols()
    kept = trimmed(path, dead(second, alive=[first]))
    assert kept.contents(section) == ParsedObject(path).contents(section)
    assert trimmed(path, dead(first, second)).contents(section) == bytes.fromhex("0f0b 01000000")


SPLIT = """
.section .text.hot,"ax"
.globl hot
.type hot, @function
hot:
    test %edi, %edi
    je {target}
    ret
.size hot, . - hot
.section .text.unlikely.hot,"ax"
.type hot.cold, @function
hot.cold:
    call callee
    ret
    nop; nop; nop
.size hot.cold, . - hot.cold
"""


@pytest.mark.parametrize(
    ("target", "removed"), [(".text.unlikely.hot", True), (".text.unlikely.hot+5", False)]
)
def test_code_that_is_entered_in_the_middle_stays(tmp_path: Path, target: str, removed: bool) -> None:
    """GCC splits off the unlikely part of a function; the likely part may jump anywhere into it."""
    path = compiled(tmp_path, "a.s", SPLIT.format(target=target))
    part = ("a.o", ".text.unlikely.hot", "hot.cold")
    after = trimmed(path, dead(part, alive=[key("hot")]))
    assert (after.contents(".text.unlikely.hot")[:2] == b"\x0f\x0b") == removed
    both = trimmed(path, dead(part, key("hot")))
    assert both.contents(".text.unlikely.hot")[:2] == b"\x0f\x0b", "entered only from what is dead as well"


def test_assembly_without_types_stays(tmp_path: Path) -> None:
    source = (
        '.section .text.f,"ax"\n.globl f\n.globl g\n.type f, @function\nf: call callee\ng: call callee\nret\n'
    )
    path = compiled(tmp_path, "a.s", source)
    after = trimmed(path, dead(key("f")))
    assert after.contents(".text.f") == ParsedObject(path).contents(".text.f")


def test_no_object() -> None:
    with pytest.raises(TrimError, match=r"a\.o is no ELF object"):
        trim_object(b"no object at all", "a.o", dead(key("f")))


def in_parts(
    path: Path, *parts: tuple[int, int], name: str = "used", file: str = "liba.a(a.o)"
) -> DeadFunctions:
    """A function of an archive ran, but not these parts of it."""
    crc = zlib.crc32(path.read_bytes())
    ran = CoveredFunction(file, f".text.{name}", name, True, 1, parts, crc)
    return DeadFunctions([ran], Trimming(in_parts=["liba.a"]))


# Of its instructions `call callee` is 16 to 21, and the jump to `far` 40 to 45; `used` calls both.
LONG = """
.section .text.used,"ax"
.globl used
.type used, @function
used:
    test %edi, %edi
    je 1f
    .fill 8, 1, 0x90
    .balign 16, 0x90
    call callee
    .fill 19, 1, 0x90
    jmp far
1:  call near
    .balign 16, 0x90
    ret
.size used, . - used
"""


@pytest.fixture
def long(tmp_path: Path) -> Path:
    return compiled(tmp_path, "a.s", LONG)


def test_removed_part_is_int3_and_refers_to_nothing(long: Path) -> None:
    before = ParsedObject(long)
    assert before.references(".text.used") == ["callee", "far", "near"]
    after = trimmed(long, in_parts(long, (16, 40)), "liba.a(a.o)")
    code = before.contents(".text.used")
    assert (
        after.contents(".text.used") == code[:16] + b"\xcc" * 24 + code[40:]
    )  # Intel SDM vol. 2: INT3 is CC
    assert after.references(".text.used") == ["far", "near"]
    assert after.symbols() == before.symbols()


def test_removed_parts_are_reported(long: Path) -> None:
    _, stubs, emptied = trim_object(long.read_bytes(), "liba.a(a.o)", in_parts(long, (16, 32), (33, 60)))
    assert stubs == [] and emptied == [Emptied("liba.a(a.o)", ".text.used", ((16, 32), (33, 60)))]


def test_short_part_stays(long: Path) -> None:
    assert trim_object(long.read_bytes(), "liba.a(a.o)", in_parts(long, (16, 31)))[2] == []


@pytest.mark.parametrize("file", ["liba.a(b.o)", "libb.a(a.o)", "a.o"])
def test_parts_of_what_was_not_declared_stay(long: Path, file: str) -> None:
    """Of another object, of another archive, of no archive."""
    data = long.read_bytes()
    assert trim_object(data, "liba.a(a.o)", in_parts(long, (16, 40), file=file)) == (data, [], [])


def test_parts_of_another_version_of_the_object_stay(tmp_path: Path, long: Path) -> None:
    functions = in_parts(long, (16, 40))
    other = compiled(tmp_path, "b.s", LONG.replace("test", "xor")).read_bytes()
    assert trim_object(other, "liba.a(a.o)", functions) == (other, [], [])


@pytest.mark.parametrize(
    ("misses", "kept"),
    [
        ({"used"}, Trimming()),
        ((), Trimming(by_chance=["^us"])),
        ((), Trimming(not_in_parts=["^x", "^us"])),
    ],
)
def test_function_that_is_kept_is_kept_whole(long: Path, misses: Collection[str], kept: Trimming) -> None:
    crc = zlib.crc32(long.read_bytes())
    ran = CoveredFunction("liba.a(a.o)", ".text.used", "used", True, 1, ((16, 40),), crc)
    functions = DeadFunctions([ran], replace(kept, in_parts=["liba.a"]), misses)
    assert trim_object(long.read_bytes(), "liba.a(a.o)", functions)[2] == []


def test_part_counts_if_all_names_of_the_function_agree(tmp_path: Path) -> None:
    source = LONG.replace(".globl used\n", ".globl used\n.globl alias\n.type alias, @function\nalias:\n")
    path = compiled(tmp_path, "a.s", source + ".size alias, . - alias\n")
    crc, data = zlib.crc32(path.read_bytes()), path.read_bytes()
    first = CoveredFunction("liba.a(a.o)", ".text.used", "used", True, 1, ((16, 60),), crc)
    second = CoveredFunction("liba.a(a.o)", ".text.used", "alias", True, 1, ((30, 70),), crc)
    for known, parts in (([first], []), ([first, second], [((30, 60),)])):
        _, _, emptied = trim_object(data, "liba.a(a.o)", DeadFunctions(known, Trimming(in_parts=["liba.a"])))
        assert [entry.parts for entry in emptied] == parts
