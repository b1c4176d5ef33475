"""What `conformance` runs, and what it says: programs by suite, verdicts."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from bareflow.conformance import programs
from bareflow.conformance.debloat import Life, table
from bareflow.conformance.execution import POLICIES, Outcome, execute, limit_of
from bareflow.conformance.halves import BOOTED, PLACE, RUN_UNDER, Chosen, workload_text
from bareflow.conformance.prepared import Prepared
from bareflow.conformance.toolchain import declared_once, with_short_names
from bareflow.conformance.verdicts import FAILED, PASSED, REFUSED, Verdict, counts, reasons
from bareflow.coverage.workload import load_workload


def test_flags_of_gcc_s_tests(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text(
        '/* { dg-options "-O2 -fwrapv" } */\n'
        '/* { dg-options { "-std=gnu89" } } */\n'
        '/* { dg-additional-options "-DSTACK=1" { target { avr } } } */\n'
    )
    (tmp_path / "builtins" / "lib").mkdir(parents=True)
    for name in ("b.c", "b-lib.c", "lib/main.c"):
        (tmp_path / "builtins" / name).write_text("")
    plain, builtin = programs.torture(tmp_path)
    assert (plain.name, plain.flags) == ("a", ("-fwrapv", "-std=gnu89"))
    assert [path.name for path in builtin.sources] == ["b.c", "b-lib.c", "main.c"]


def test_llvm_files_that_are_programs(tmp_path: Path) -> None:
    main = "define i32 @main() {\n ret i32 0\n}\n"
    texts = {
        "plain": "; RUN: %lli %s\n" + main,
        "tool": "; RUN: opt %s | FileCheck %s\n" + main,
        "module": "; RUN: %lli -extra-module=b.ll %s\n" + main,
        "error": "; RUN: not %lli %s\n" + main,
        "part": "; RUN: %lli -entry-function=f %s\ndefine i32 @f() {\n ret i32 0\n}\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.ll").write_text(text)
    found = programs.llvm_ir(tmp_path)
    assert [program.name for program in found if not program.not_applicable] == ["plain"]
    assert len(found) == len(texts)


def test_libc_s_tests_of_our_functions(tmp_path: Path) -> None:
    """Of mathematics the smoke tests; with our headers before LLVM-libc's."""
    test = tmp_path / "libc/test/src"
    for name in ("string/strlen", "math/smoke/sinf", "math/cosf", "stdio/puts"):
        (test / f"{name}_test.cpp").parent.mkdir(parents=True, exist_ok=True)
        (test / f"{name}_test.cpp").touch()
    functions = ["string/strlen.cpp", "math/generic/sinf.cpp", "math/generic/cosf.cpp", "__support/a.cpp"]
    found = programs.libc_tests(tmp_path / "libc", functions, tmp_path / "ours")
    assert [each.name for each in found] == ["math/smoke/sinf_test", "string/strlen_test"]
    assert [flag.removeprefix(f"-I{tmp_path}/") for flag in found[0].flags] == [
        *("ours", "libc", "libc/include")
    ]
    assert found[0].sources == (test / "math/smoke/sinf_test.cpp", *found[0].shared)
    assert found[0].shared[0] == tmp_path / "ours/support.cpp"


def test_what_both_declare_is_declared_once() -> None:
    module = """@stdout = external global ptr
declare i64 @fwrite(ptr, i64) #1
@stdout = external global ptr
@own = global i32 1
declare noundef i64 @fwrite(ptr noundef, i64) #2
define i32 @f() {
  %a = call i64 @fwrite(ptr @own, i64 1)
}
"""
    lines = module.splitlines(keepends=True)
    assert declared_once(module) == "".join([*lines[:2], lines[3], *lines[5:]])


def test_files_of_libc_s_tests_have_names_for_the_disk() -> None:
    """8.3 ones, the same for the same name."""
    source = """FILE *f = fopen(APPEND_LIBC_TEST("testdata/test.txt"), "w");
constexpr char FILENAME[] =
    APPEND_LIBC_TEST(
        "testdata/simple_operations.test");
auto again = APPEND_LIBC_TEST("testdata/test.txt");
"""
    made = with_short_names(source)
    first, other, again = re.findall(r'"(/[^"]*)"', made)
    assert first == again != other
    assert all(re.fullmatch(r"/[A-Z0-9]{1,8}\.[A-Z]{1,3}", name) for name in (first, other))
    assert made.replace(first, "X").replace(other, "Y") == (
        'FILE *f = fopen("X", "w");\nconstexpr char FILENAME[] =\n    "Y";\nauto again = "X";\n'
    )


def test_generated_when_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, in the folder of the sources, with the seed that names the program."""
    (tmp_path / "csmith").write_text('#!/bin/sh\necho "/* $* */"\necho >>calls\n')
    (tmp_path / "csmith").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    made = programs.csmith(1000, tmp_path)
    assert len(made) == 1000 and not list(tmp_path.glob("*.c"))
    for _ in range(2):
        programs.generate(made[6])
    assert [path.name for path in tmp_path.glob("*.c")] == ["7.c"]
    assert (tmp_path / "7.c").read_text() == "/* --seed 7 */\n"
    assert (tmp_path / "calls").read_text() == "\n"


def test_exclusions_have_reasons(tmp_path: Path) -> None:
    found = [programs.Program("s", name, ()) for name in ("a", "b")]
    (tmp_path / "e.toml").write_text('[s]\na = "why"\n')
    assert [each.not_applicable for each in programs.excluded(found, tmp_path / "e.toml")] == ["why", ""]


def test_outcome_of_a_process(tmp_path: Path) -> None:
    outcome = execute(["/bin/sh", "-c", "echo $0; exit 3"], tmp_path, name="sh")
    assert (outcome.status, outcome.hung) == (3, False)
    assert execute(["/bin/sh", "-c", "kill -XCPU $$"], tmp_path).hung


def test_limits() -> None:
    """A program that takes 0.1 s without optimisation was interpreted for 101 s."""
    limits = {name: limit_of(policy) for name, policy in POLICIES.items()}
    assert limits.pop("interpreter") > 2 * 101
    assert set(limits.values()) == {60}


def test_table() -> None:
    verdicts = [
        Verdict("x", "1", PASSED),
        Verdict("x", "2", PASSED),
        Verdict("x", "3", REFUSED, "needs fork"),
        Verdict("y", "1", FAILED, "O0: status 1"),
    ]
    assert counts(verdicts, ("x", "y", "z")) == [
        ["x", "3", "2", "0", "1", "0"],
        ["y", "1", "0", "1", "0", "0"],
    ]
    assert reasons(verdicts, REFUSED) == [("needs fork", 1)]
    assert verdicts[2].line() == "x\t3\trefused\tneeds fork"


def test_outcomes_agree() -> None:
    assert Outcome(0, b"x").agrees_with(Outcome(0, b"x"))
    assert not Outcome(0, b"x").agrees_with(Outcome(0, b"y"))
    assert not Outcome(0, b"x").agrees_with(Outcome(1, b"x"))
    assert Outcome(0, b"x").agrees_with(Outcome(0, None)) and not Outcome(1, None).agrees_with(
        Outcome(0, b"")
    )


def chosen(folder: Path, number: int, wanted: Outcome | None) -> Chosen:
    bitcode = folder / f"{number}.bc"
    bitcode.write_bytes(b"")
    return Chosen("s", str(number), Prepared(bitcode, wanted))


def test_what_is_recorded_of_a_half(tmp_path: Path) -> None:
    """A disk's coverage is of one program: those in the machine have each run on a disk of their own."""
    half = [chosen(tmp_path, 0, Outcome(3, b"x")), *(chosen(tmp_path, n, None) for n in range(1, BOOTED + 1))]
    (tmp_path / "workload.toml").write_text(workload_text(half))
    runs = load_workload(tmp_path / "workload.toml").runs
    assert [run.platform for run in runs] == ["bare"] * 2 * BOOTED + ["linux"] * 2
    assert all(run.alone for run in runs if run.platform == "bare")
    assert [run.code for run in runs] == [3, 3] + [0] * 2 * BOOTED
    assert [run.config for run in runs[:2]] == [{"bitcode": PLACE, **POLICIES[name]} for name in RUN_UNDER]
    assert runs[2].files == {PLACE: tmp_path / "1.bc"}


def test_second_half_is_written_and_read(tmp_path: Path) -> None:
    for wanted in (None, Outcome(3, b"\0\xff"), Outcome(0, None)):
        made = chosen(tmp_path, 1, wanted)
        assert Chosen.from_fields(made.as_fields()) == made


def test_table_of_a_trim() -> None:
    lives = [
        Life("a", True, 0, False),
        Life("b", True, 2, False),
        Life("c", False, 1, True),
        Life("d", True, 1, True),
    ]
    rows = dict(line.strip("| ").split(" | ") for line in table(lives, (200, 100), 7).splitlines()[2:])
    assert rows == {
        "functions removed": "7",
        "bytes in memory, full and trimmed": "200, 100 (50% less)",
        "runs of the other half": "4",
        "wrong outputs or statuses": "1",
        "runs that missed a function": "3 (75%)",
        "misses, of each such run": "4, 1.3",
        "of these, went on in the same boot": "1",
        "the full kernel took over": "2",
        "right in the end, of those that missed": "2 of 3",
    }
