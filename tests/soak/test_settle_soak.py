"""A machine that has settled, on another processor, and with a key pressed while it writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import Machine
from disk_tools import DiskImage
from fixture_types import Disk
from life_tools import (
    AT_ONCE,
    LIMIT,
    MOST_BOOTS,
    PROMPT,
    ROOT,
    SECOND,
    SNAPSHOT,
    SOON,
    STEPS,
    TRIMS,
    boots_until,
    choose,
    counts,
    generate,
    index,
    results,
    slots,
    steps,
    widths_of,
)

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


def test_another_cpu(disk: Disk, full_image: Path, build_dir: Path) -> None:
    """The native kernel needs AVX2. A CPU without it gets full, which learns and writes another one."""
    copy = disk(full_image)
    generate(copy, AT_ONCE, cpu="Haswell")
    expected = results(copy)
    own, avx2, _ = widths_of("matmul_q8", build_dir)
    choose(copy, own, avx2)
    boots_until(copy, "export", AT_ONCE, cpu="Haswell")
    assert index(copy)["0001.KRN"]["cpu"].startswith("avx2,")

    first, *_, last = boots_until(copy, "export", AT_ONCE, cpu="qemu64")
    assert first.event("passed_over") == {"event": "passed_over", "kernel": SNAPSHOT, "takes": ROOT}
    assert not steps(first), "it learns before it writes"
    assert last is not first and "cpu" not in index(copy)["0002.KRN"]
    native = generate(copy, AT_ONCE, cpu="qemu64")
    assert not [event for event in native.events if event["event"] in ("llvm", "passed_over")]
    assert results(copy) == expected and slots(copy) == (SECOND, ROOT)


# ---- At the prompt ----


def talk(disk: DiskImage) -> Guest:
    """A dialogue in which the machine compiles only while it generates."""
    config = {"mode": "interactive", "temperature": 0, "steps": STEPS, "jit.idle": "off", **SOON}
    return Guest(Machine(disk.path, config=config, memory=160, snapshot=False), timeout=LIMIT)


def test_key_puts_it_off(disk: Disk, full_image: Path) -> None:
    copy = disk(full_image)
    for _ in range(MOST_BOOTS):
        with talk(copy) as guest:
            guest.send(f"{PROMPT}\r/poweroff\r")  # in a row: there is no pause
            assert guest.wait_exit() == 0, guest.serial
            assert not steps(guest)
        if counts(copy)["covered"] == 1:
            break
    with talk(copy) as guest:
        guest.send(f"{PROMPT}\r")
        guest.expect(TRIMS)
        guest.send("x")
        guest.expect("That is put off, because a key was pressed.")
        guest.expect("> x$")  # the key is not lost
        guest.send("\x03")  # another line: the next occasion
        guest.expect(TRIMS)
        guest.send("/life\r/poweroff\r")
        assert guest.wait_exit() == 0, guest.serial
        assert "This disk has no snapshots." in guest.console
        assert steps(guest) == [("trim", "put off")] * 2
    # Whether that boot has compiled something depends on how busy the machine was.
    assert {"covered": 1, "trims": 0, "exports": 0, "rehearsed": 0}.items() <= counts(copy).items()
    with talk(copy) as guest:
        guest.send(f"{PROMPT}\r")
        guest.expect(f"{SNAPSHOT}, trimmed, .* bytes: the next boot takes it.")
        guest.expect("> $")
        guest.send("/poweroff\r")
        assert guest.wait_exit() == 0, guest.serial
    assert slots(copy) == (SNAPSHOT, ROOT)
