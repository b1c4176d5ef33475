"""A guest that calls functions which the trim has removed (removed_guest/): what it says, what it notes, and
what boots then."""

from __future__ import annotations

from pathlib import Path

import pytest
from disk_tools import DiskImage
from fixture_types import Boot, Disk

MISSES = "/profile/MISSES.TXT"
MISSES_SIZE = 0x8000
STOPPED = 1  # exit code of a guest that cannot go on

# The key `call`, the function that it reaches and its caller. The compiler may call from app_main itself.
REMOVED = [
    ("direct", "direct", "(?:call_direct|app_main)"),
    ("virtual", "_ZNK4Bird5wingsEv", "wings_of_a_bird"),
    ("pointer", "_Z4halfi", "by_pointer"),
]


@pytest.fixture
def image(build_dir: Path, disk: Disk) -> DiskImage:
    """The trimmed guest, alone on its disk."""
    return disk(build_dir / "guests" / "removed" / "removed.img")


@pytest.mark.parametrize(("call", "name", "caller"), REMOVED)
def test_call_is_named_and_noted(boot: Boot, image: DiskImage, call: str, name: str, caller: str) -> None:
    guest = boot(image, config={"call": call}, snapshot=False)
    assert guest.wait_exit() == STOPPED
    guest.expect(rf"^removed function {name} called by {caller}$")
    event = guest.event("trap")
    assert event["removed"] is True and event["name"] == name
    assert image.newest(MISSES).decode() == f"{name}\n"
    guest.expect("^No other image takes over: ")


def test_use_of_data_is_named_and_noted(boot: Boot, image: DiskImage) -> None:
    guest = boot(image, config={"call": "data"}, snapshot=False)
    assert guest.wait_exit() == STOPPED
    guest.expect("^removed data weights used by weight$")
    event = guest.event("trap")
    assert event["removed"] is True and event["name"] == "weights" and event["caller"] == "weight"
    assert image.newest(MISSES).decode() == "weights\n"


@pytest.mark.parametrize(("call", "name"), [("part", "parted"), ("part_inside", "parted_inside")])
def test_part_that_is_reached_is_named_and_noted(boot: Boot, image: DiskImage, call: str, name: str) -> None:
    guest = boot(image, config={"call": call}, snapshot=False)
    assert guest.wait_exit() == STOPPED
    guest.expect(f"^removed part of {name} reached by {name}$")
    event = guest.event("trap")
    assert event["removed"] is True and event["name"] == event["caller"] == name
    assert image.newest(MISSES).decode() == f"{name}\n"


@pytest.mark.parametrize(
    ("call", "result"),
    [("kept", 12), ("missed", 101), ("missed_data", 40), ("other_part", 8), ("missed_part", 9)],
)
def test_kept_functions_work(boot: Boot, image: DiskImage, call: str, result: int) -> None:
    """One because it ran when coverage was recorded, one because the list of misses names it."""
    guest = boot(image, config={"call": call})
    assert guest.wait_exit() == 0
    guest.expect(f"^result {result}$")


@pytest.mark.parametrize(
    ("call", "result"),
    [
        ("direct", 400),
        ("virtual", 2),
        ("pointer", 4),
        ("kept", 12),
        ("data", 20),
        ("part", 6),
        ("part_inside", 7),
    ],
)
def test_untrimmed_guest_has_them_all(boot: Boot, build_dir: Path, call: str, result: int) -> None:
    guest = boot(build_dir / "guests" / "removed" / "full.img", config={"call": call})
    assert guest.wait_exit() == 0
    guest.expect(f"^result {result}$")


def test_list_grows_by_what_is_new(boot: Boot, image: DiskImage) -> None:
    for call in ("direct", "virtual", "direct", "virtual"):
        assert boot(image, config={"call": call}, snapshot=False).wait_exit() == STOPPED
    assert image.newest(MISSES).decode() == "direct\n_ZNK4Bird5wingsEv\n"


def test_name_that_begins_like_another(boot: Boot, image: DiskImage) -> None:
    image.write(MISSES, b"directly\nin_direct\n")
    assert boot(image, config={"call": "direct"}, snapshot=False).wait_exit() == STOPPED
    assert image.newest(MISSES).decode() == "directly\nin_direct\ndirect\n"


def test_full_list_stays(boot: Boot, image: DiskImage) -> None:
    full = b"x" * (MISSES_SIZE - 4) + b"\nab\n"
    image.write(MISSES, full)
    guest = boot(image, config={"call": "direct"}, snapshot=False)
    assert guest.wait_exit() == STOPPED
    guest.expect(rf"^It could not be noted: {MISSES} is full")
    assert image.newest(MISSES) == full


def test_disk_behind_the_bios(boot: Boot, image: DiskImage) -> None:
    """The way to the disk leads through real mode."""
    guest = boot(image, config={"call": "direct"}, snapshot=False, drive="usb-storage")
    assert guest.wait_exit() == STOPPED
    assert image.newest(MISSES) == b"direct\n"


def test_too_little_stack_to_note_it(boot: Boot, image: DiskImage) -> None:
    guest = boot(image, config={"call": "deep"}, snapshot=False)
    assert guest.wait_exit() == STOPPED
    guest.expect(r"^removed function direct called by \w+$")
    guest.expect("^It cannot be noted: the stack is nearly full")


def test_other_invalid_opcode_is_an_exception(boot: Boot, image: DiskImage) -> None:
    guest = boot(image, config={"call": "invalid_opcode"})
    assert guest.wait_exit() == STOPPED
    guest.expect("^exception: #UD invalid opcode")
    assert "removed function" not in guest.serial


def test_other_breakpoint_is_an_exception(boot: Boot, image: DiskImage) -> None:
    guest = boot(image, config={"call": "breakpoint"})
    assert guest.wait_exit() == STOPPED
    guest.expect("^exception: #BP breakpoint")
    assert "removed part" not in guest.serial


def test_full_image_takes_over(boot: Boot, build_dir: Path, disk: Disk) -> None:
    """QEMU ends where the machine would start again."""
    both = disk(build_dir / "guests" / "removed" / "both.img")
    first = boot(both, config={"call": "virtual"}, snapshot=False)
    assert first.wait_end().how == "reset"
    first.expect("^The full image takes over.$")
    second = boot(both, config={"call": "virtual"}, snapshot=False)
    assert second.wait_exit() == 0
    second.expect("^result 2$")
    assert both.newest(MISSES) == b"_ZNK4Bird5wingsEv\n"


def test_full_image_tells_the_text_again(boot: Boot, build_dir: Path) -> None:
    """In one run of QEMU. What is said in the middle of a text does not become part of it."""
    guest = boot(build_dir / "guests" / "removed" / "both.img", config={"call": "in_text"}, crashes=0)
    assert guest.wait_exit() == 0
    assert guest.text == "Once" + "Once upon"
    assert "removed function direct called by " in guest.console
    names = [event["event"] for event in guest.events]
    first = ["boot", "text_begin", "text_pause", "trap", "restart"]
    assert names == [*first, "boot", "text_begin", "text_end", "exit"]
