"""Which functions have run, as the guest saw it: guests/coverage.c, whose calls are known by hand."""

from __future__ import annotations

import random
import zlib
from pathlib import Path

import pytest
from bareflow.coverage.guest_coverage import COVERAGE_PATH, LinkedProgram, Recording, read_recording
from bareflow.disk.generations import sibling
from bareflow.kernel.kernel_file import parse_header
from bareflow.qemu.guest import Guest
from disk_tools import DiskImage
from fixture_types import Boot, Disk, GuestImage, Processor
from power_cut import LoggedDisk, PowerCut, read_log
from profile_tools import beyond_a_cut, fsck

ALL = {
    "called_once", "called_deeper", "called_often", "called_with_floats", "called_by_pointer",
    "called_on_request", "never_called",
}  # fmt: skip
# What the guest's letters call.
CALLS = {
    "": set(),
    "d": {"called_once", "called_deeper"},
    "o": {"called_often"},
    "f": {"called_with_floats"},
    "p": {"called_by_pointer"},
    "q": {"called_on_request"},
    "dofp": {"called_once", "called_deeper", "called_often", "called_with_floats", "called_by_pointer"},
}
# What runs before the breakpoints are placed, while they are, and last of all.
OF_THE_START_AND_END = {
    "kernel_start", "app_main", "descriptors_load", "cpu_state_enable", "coverage_breakpoint",
    "coverage_start", "platform_exit", "generation_write", "coverage_save",
}  # fmt: skip
CUTS = 12


@pytest.fixture
def program(guest_image: GuestImage) -> LinkedProgram:
    image = guest_image("coverage")
    elf = image.with_suffix(".elf")
    build_id = parse_header(image.with_suffix(".krn").read_bytes()).build_id.hex()
    with elf.with_suffix(".map").open() as lines:
        return LinkedProgram(elf.read_bytes(), lines, build_id)


@pytest.fixture
def image(disk: Disk, guest_image: GuestImage) -> DiskImage:
    return disk(guest_image("coverage"))


def run(boot: Boot, image: DiskImage, call: str, **config: str) -> Recording:
    guest = boot(image, config={"call": call, **config}, snapshot=False)
    assert guest.wait_exit() == 0, guest.serial
    recording = read_recording(image.path)
    assert guest.event("boot")["build_id"] == recording.build_id
    if recording.boots == 1:
        assert guest.event("coverage")["hit"] == len(recording.order)
    return recording


def executed(program: LinkedProgram, recording: Recording) -> set[str]:
    return {function.symbol for function in program.covered(recording, "the guest") if function.hit}


@pytest.mark.parametrize("call", list(CALLS))
def test_just_what_is_called(boot: Boot, image: DiskImage, program: LinkedProgram, call: str) -> None:
    ran = executed(program, run(boot, image, call))
    assert ran & ALL == CALLS[call]
    assert ran >= OF_THE_START_AND_END & known(program)


def known(program: LinkedProgram) -> set[str]:
    """All functions that can be seen: of those above, the optimiser may have inlined some."""
    nothing = Recording(program.build_id, 1, program.table_size, (), {})
    return {function.symbol for function in program.covered(nothing, "nothing")}


def test_the_named_functions_can_be_seen(program: LinkedProgram) -> None:
    assert known(program) >= ALL | {"kernel_start", "app_main", "coverage_breakpoint"}


def test_registers_survive(boot: Boot, image: DiskImage) -> None:
    guest = boot(image, config={"call": "dofp"})
    assert guest.wait_exit() == 0
    assert guest.console == "deeper\nfloats ok\npointer\n"


def test_order_of_first_calls(boot: Boot, image: DiskImage, program: LinkedProgram) -> None:
    recording = run(boot, image, "qdq")
    rank = {function.symbol: function.rank for function in program.covered(recording, "the guest")}
    assert 0 < rank["called_on_request"] < rank["called_once"] < rank["called_deeper"]


def test_boots_are_merged(boot: Boot, image: DiskImage, program: LinkedProgram) -> None:
    assert run(boot, image, "d").boots == 1
    assert run(boot, image, "o").boots == 2
    recording = run(boot, image, "d")
    assert recording.boots == 3
    assert executed(program, recording) & ALL == CALLS["d"] | CALLS["o"]


@pytest.mark.parametrize("disk_setting", ["pio", "bios"])
def test_every_way_to_the_disk(
    boot: Boot, image: DiskImage, program: LinkedProgram, disk_setting: str
) -> None:
    """By the BIOS: the way through real mode has no exception handlers for a while."""
    assert executed(program, run(boot, image, "d", disk=disk_setting)) & ALL == CALLS["d"]


def test_off(boot: Boot, image: DiskImage) -> None:
    guest = boot(image, config={"call": "dofp", "coverage": "off"}, snapshot=False)
    assert guest.wait_exit() == 0
    assert guest.console == "deeper\nfloats ok\npointer\n"
    assert [event["event"] for event in guest.events] == ["boot", "exit"]
    assert image.listing("/profile") == []


def test_on_by_the_setting(boot: Boot, disk: Disk, guest_image: GuestImage) -> None:
    """In a program that is not covered by default."""
    image = disk(guest_image("clock"))
    guest = boot(image, config={"coverage": "on"}, snapshot=False)
    assert guest.wait_exit() == 0
    assert 0 < guest.event("coverage")["hit"] < guest.event("coverage")["functions"]
    guest = boot(disk(guest_image("clock")), snapshot=False)
    assert guest.wait_exit() == 0
    assert "coverage" not in guest.serial


def test_saved_before_a_restart(boot: Boot, image: DiskImage, program: LinkedProgram) -> None:
    guest = boot(image, config={"call": "qr"}, snapshot=False)
    assert guest.wait_end().how == "reset"
    assert executed(program, read_recording(image.path)) & ALL == CALLS["q"]


def test_a_breakpoint_of_the_program_is_an_exception(boot: Boot, image: DiskImage) -> None:
    guest = boot(image, config={"call": "di"})
    assert guest.wait_exit() == 1
    guest.expect(r"^exception: #BP breakpoint, vector 3, error code 0x0\n  in app_main\+")
    guest.expect(r"^backtrace:\n  kernel_start\+0x[0-9a-f]+\n  kernel_entry\+")


def test_power_cuts_while_it_is_saved(
    boot: Boot, image: DiskImage, program: LinkedProgram, processor: Processor, tmp_path: Path
) -> None:
    """The recording is that of the first boot or of both; the next boot adds to it."""
    run(boot, image, "d")
    before, log = image.path.read_bytes(), tmp_path / "writes.log"
    log.touch()
    with Guest(LoggedDisk(image.path, config={"call": "o"}, log=log, **processor)) as guest:
        assert guest.wait_exit() == 0, guest.serial
    writes, chance = read_log(log), random.Random(1)
    rebuilt, seen = DiskImage(tmp_path / "cut.img"), set()
    for number in range(CUTS):
        cut = PowerCut(before, writes, chance)
        rebuilt.path.write_bytes(cut.certain)
        certain = read_recording(rebuilt.path).boots
        rebuilt.path.write_bytes(cut.disk)
        recording = read_recording(rebuilt.path)
        assert certain <= recording.boots <= 2, f"cut {number}"
        saved = CALLS["d"] | (CALLS["o"] if recording.boots == 2 else set())
        assert executed(program, recording) & ALL == saved, f"cut {number}"
        assert beyond_a_cut(fsck(rebuilt.path, tmp_path)) == [], f"cut {number}"
        if recording.boots not in seen:
            seen.add(recording.boots)
            again = run(boot, rebuilt, "p")
            assert again.boots == recording.boots + 1
            assert executed(program, again) & ALL == saved | CALLS["p"]
    assert seen == {1, 2}


DAMAGES = [
    (b"B", "it is cut short"),
    (b"BFCOVER1 but no more", "it is cut short"),
    (bytes(4000), "it is of another version"),
]


@pytest.mark.parametrize(("content", "why"), DAMAGES)
def test_damaged_file_begins_anew(boot: Boot, image: DiskImage, content: bytes, why: str) -> None:
    image.write(COVERAGE_PATH, content)
    guest = boot(image, config={"call": "d"}, snapshot=False)
    assert guest.wait_exit() == 0
    assert f"{COVERAGE_PATH} begins anew: {why}.\n" in guest.console
    assert read_recording(image.path).boots == 1


def test_another_build_begins_anew(boot: Boot, image: DiskImage) -> None:
    run(boot, image, "d")
    data = bytearray(image.newest(COVERAGE_PATH))
    data[8:40] = b"0" * 32
    data[-4:] = zlib.crc32(data[:-4]).to_bytes(4, "little")
    image.write(COVERAGE_PATH, bytes(data))
    image.delete(sibling(COVERAGE_PATH))  # which has a footer, and would be the newer one
    guest = boot(image, config={"call": "o"}, snapshot=False)
    assert guest.wait_exit() == 0
    assert f"{COVERAGE_PATH} begins anew: it is of another build, {'0' * 32}.\n" in guest.console
    assert read_recording(image.path).boots == 1


def test_full_disk_is_a_message(boot: Boot, image: DiskImage) -> None:
    free = image.free_bytes()
    image.write("/profile/FILLER", bytes(free))
    guest = boot(image, config={"call": "d"}, snapshot=False)
    assert guest.wait_exit() == 0
    assert f"warning: {COVERAGE_PATH} is not written: The disk is full" in guest.console
