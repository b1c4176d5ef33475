"""The driver of the benches; the tables of the boot and of the vector widths, and what is read out of the
program's output for these."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from bareflow.bench import driver, page
from bareflow.bench.case import Case, take_turns
from bareflow.bench.guest_session import Boot, processor_seconds
from bareflow.bench.tables import boot_table
from bareflow.bench.width_cases import (
    Memory,
    WidthRun,
    Widths,
    parse_output,
    width_complaints,
    width_table,
)
from bareflow.qemu.guest import GuestError

EVENTS = b"""@bareflow {"event":"text_begin"}
@bareflow {"event":"text_end","bytes":17}
@bareflow {"event":"generate","tokens":5,"tokens_per_s":123.45,"prompt_tokens_per_s":67.5}
"""


def test_speed_and_text() -> None:
    text = b"Once upon\n a time"
    assert parse_output(text, EVENTS) == WidthRun(123.45, 5, text, 67.5)


def test_the_program_s_complaint_is_passed_on() -> None:
    assert parse_output(b"error: this CPU has no AVX-512\n", b"").error == "error: this CPU has no AVX-512"


def test_silence_is_an_error() -> None:
    assert "reported no speed" in parse_output(b"text", b"").error


def test_table_of_widths() -> None:
    """A width that the processor does not have says so in its row, and is no reason to fail."""
    runs = {"sse2": WidthRun(100.04, 64, b"text", 900.0), "avx512": WidthRun(error="error: no AVX-512")}
    memory = Memory(weight_bytes_per_token=50_000_000, bytes_per_s=10_000_000_000)
    assert width_table(Widths(memory, runs)).splitlines() == [
        "vector              tokens    tokens/s  prompt of 64    GB/s   of memory",
        "sse2                    64       100.0         900.0    5.00         50%",
        "avx512              error: no AVX-512",
        "",
        "weights: 50.0 MB a token; memory is read at 10.00 GB/s",
    ]
    assert width_table(Widths(None, runs)).splitlines()[1] == (
        "sse2                    64       100.0         900.0"
    )
    assert width_complaints(Widths(memory, runs)) == []
    other = Widths(None, runs | {"avx2": WidthRun(1.0, 64, b"other")})
    assert width_complaints(other) == ["the widths disagree about the text"]
    assert width_complaints(Widths(None, {"sse2": WidthRun(error="no")})) == ["no width could be measured"]


def test_table_of_boots() -> None:
    def boot(seconds: float, cycles: int) -> Boot:
        events = {
            "boot": {"loader_cycles": cycles, "kernel_cycles": 2 * cycles},
            "generate": {"first_token_cycles": 3 * cycles},
        }
        return Boot(seconds, events)

    assert boot_table([boot(0.5, 30), boot(0.25, 10), boot(0.75, 20)], 4).splitlines() == [
        "start                                  min      median",
        "stage1 to kernel, cycles                10          20",
        "kernel to main, cycles                  20          40",
        "main to first token, cycles             30          60",
        "QEMU start to first token, s         0.250       0.500",
        "least memory, MiB                        4",
    ]


def test_columns_take_turns(capsys: pytest.CaptureFixture[str]) -> None:
    order: list[str] = []

    def note(name: str) -> int:
        order.append(name)
        return len(order)

    columns = {name: partial(note, name) for name in "abc"}
    found = take_turns(columns, 2, "turn {turn} of {turns}", once=("b",))
    assert order == ["a", "b", "c", "a", "c"]
    assert found == {"a": [1, 4], "b": [2], "c": [3, 5]}
    assert capsys.readouterr().err == "bench: turn 1 of 2\nbench: turn 2 of 2\n"
    take_turns(columns, 1, "{name}")
    assert capsys.readouterr().err == "bench: a\nbench: b\nbench: c\n"
    take_turns(columns, 1)
    assert capsys.readouterr().err == ""


def test_driver(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Tables as they are measured, with a line between them; complaints in the end, and the status."""

    def hangs() -> int:
        raise GuestError("it hangs")

    fine = Case(lambda: 1, lambda one: [f"table {one}", "another"])
    wrong = Case(lambda: 2, lambda two: [f"table {two}"], lambda two: ["the bits differ"])
    benches = {"fine": [fine], "wrong": [fine, wrong], "hung": [wrong, Case(hangs, lambda _: [])]}
    monkeypatch.setattr(
        driver, "BENCHES", {name: lambda arguments, cases=cases: cases for name, cases in benches.items()}
    )
    assert driver.main(["fine", "image=x"]) == 0
    assert capsys.readouterr() == ("table 1\n\nanother\n", "")
    assert driver.main(["wrong"]) == 1
    assert capsys.readouterr() == ("table 1\n\nanother\n\ntable 2\n", "bench: the bits differ\n")
    assert driver.main(["hung"]) == 1
    output, errors = capsys.readouterr()
    assert (output, errors.strip()) == ("table 2\n", "bench: the bits differ\nbench: it hangs")


def test_command_on_a_page_can_be_repeated(tmp_path: Path) -> None:
    """By anybody: where this machine has its files is not said, and what the guest gets is not changed."""
    (tmp_path / "checkout/examples/lua").mkdir(parents=True)
    (tmp_path / "m.bin").touch()

    def shown(*arguments: str) -> str:
        return page.command_line(arguments, tmp_path / "checkout")

    assert shown("evolve", "app=examples/lua", "save=1") == "./bareflow evolve app=examples/lua"
    assert shown(f"app={tmp_path}/checkout/examples/lua") == "./bareflow app=examples/lua"
    assert shown("-j1", f"model={tmp_path}/m.bin", "bench") == "./bareflow model=m.bin bench"
    assert shown("args=/FIB.LUA 24 4") == "./bareflow 'args=/FIB.LUA 24 4'"


def test_page_says_when_where_and_how(tmp_path: Path) -> None:
    cpuinfo = "processor\t: 0\nmodel name\t: A CPU\nprocessor\t: 1\nmodel name\t: A CPU\n"
    cpu = page.processor(cpuinfo)
    arguments = ["-Q", "variant=full", "bench", "save=1", f"model={tmp_path}"]
    command = page.command_line(arguments, Path("/another"))
    text = page.page("jit", ["a  1\n", "b  2\n"], command, date(2026, 11, 29), cpu, 0.25)
    assert text == (
        "# full next to native, in QEMU\n\n"
        "- Date: 2026-11-29\n"
        "- Processor: A CPU, 2 threads; load before: 0.2\n"
        f"- Command: `./bareflow variant=full bench model={tmp_path.name}`\n\n"
        "```\na  1\n\nb  2\n```\n"
    )


def test_a_page_is_written_of_a_bench_that_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fine = Case(lambda: 1, lambda _: ["table\n"])
    wrong = Case(lambda: 1, lambda _: ["table\n"], lambda _: ["a complaint"])
    monkeypatch.setattr(driver, "BENCHES", {"jit": lambda options: [fine], "boot": lambda _: [wrong]})
    written, not_written = tmp_path / "a.md", tmp_path / "b.md"
    assert driver.main(["jit", f"page={written}", "command=./bareflow bench"]) == 0
    assert "- Command: `./bareflow bench`\n\n```\ntable\n```\n" in written.read_text()
    assert driver.main(["boot", f"page={not_written}", "command=x"]) == 1
    assert not not_written.exists()


WORK = """
import threading, time
def work():
    while time.thread_time() < 0.2:
        pass
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(time.process_time(), flush=True)
input()
"""


def test_processor_time_of_a_process() -> None:
    """Threads that have ended count."""
    with subprocess.Popen(
        [sys.executable, "-c", WORK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout
        said = float(process.stdout.readline())
        assert 0.2 <= said <= processor_seconds(process.pid) < said + 0.1
        process.stdin.close()
    assert processor_seconds(process.pid) == 0
