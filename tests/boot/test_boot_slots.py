"""Two kernels on one disk: the loader counts the attempts of one and takes the other when it does not come
up, or cannot be loaded (boot/boot_slots.h)."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from bareflow.qemu.guest import Guest, GuestError
from disk_tools import DiskImage
from fixture_types import Boot
from loader_disk import FALLBACK, KERNEL, LoaderDisk, kernel
from slots_record import RECORD, SIZE, record, state
from unusual_disk import UnusualDisk, boot_faulty

MIB = 1 << 20
NEWEST_RUNS = "kernel runs\n"
FALLBACK_RUNS = "\n/boot/FALLBACK.KRN is loaded instead\nfallback runs\n"
PAYLOAD = bytes(range(256)) * 64


def error(path: str, what: str) -> str:
    """What the loader prints; a new line ends it when nothing is left to try."""
    return f"\nerror: {path} {what}; copy a good kernel there"


@pytest.fixture
def two(tmp_path: Path) -> LoaderDisk:
    """A disk with two kernels, neither of which ever reports success."""
    kernels = {KERNEL: kernel(PAYLOAD), FALLBACK: kernel(PAYLOAD, "-DFALLBACK")}
    return LoaderDisk.create(tmp_path / "disk.img", kernels)


@pytest.fixture
def output(boot: Boot) -> Callable[..., str]:
    """Boots a disk, which the loader may write to, until the kernel ends the machine; what that printed."""

    def run(disk: DiskImage, drive: str = "ide") -> str:
        guest = boot(disk, drive=drive, snapshot=False)
        assert guest.wait_exit() == 0, guest.serial
        return guest.serial

    return run


Output = Callable[..., str]


# ---- The loader ----


@pytest.mark.parametrize("drive", ["ide", "virtio-blk", "nvme-4096", "floppy"])
def test_the_other_kernel_after_three_attempts(output: Output, two: LoaderDisk, drive: str) -> None:
    """Written through INT 13h, with the extensions and by cylinder, head and sector."""
    sector = two.path.read_bytes()[RECORD : RECORD + 512]
    assert sector == state(slot=0, attempts=3).ljust(512, b"\0")
    before, rest = two.path.read_bytes()[:RECORD], two.path.read_bytes()[RECORD + 512 :]
    for attempts in (2, 1, 0):
        assert output(two, drive) == NEWEST_RUNS
        assert record(two) == state(0, attempts)
    used_up = error(KERNEL, "did not come up in 3 boots")
    assert output(two, drive) == used_up + FALLBACK_RUNS
    assert record(two) == state(1, 2)
    for attempts in (1, 0):
        assert output(two, drive) == FALLBACK_RUNS
        assert record(two) == state(1, attempts)
    again = error(FALLBACK, "did not come up in 3 boots") + f"\n{KERNEL} is loaded instead\n"
    assert output(two, drive) == again + NEWEST_RUNS
    assert record(two) == state(0, 2)
    after = two.path.read_bytes()
    assert after[:RECORD] == before and after[RECORD + 512 :] == rest, "nothing else is changed"


def test_the_screen_says_so_too(boot: Boot, tmp_path: Path) -> None:
    kernels = {KERNEL: kernel(), FALLBACK: kernel(b"", "-DFALLBACK", "-DSTAY")}
    disk = LoaderDisk.create(tmp_path / "disk.img", kernels)
    disk.patch(RECORD, state(0, 0))
    guest = boot(disk)
    guest.expect("^fallback runs$")
    guest.expect_screen(
        "^error: /boot/BAREFLOW.KRN did not come up in 3 boots; copy a good kernel there\n"
        "/boot/FALLBACK.KRN is loaded instead$"
    )


@pytest.mark.parametrize("slot", [0, 1])
def test_requested_slot_is_booted_once(output: Output, two: LoaderDisk, slot: int) -> None:
    runs = [NEWEST_RUNS, FALLBACK_RUNS]
    two.patch(RECORD, state(slot, 3, requested=1 - slot))
    assert output(two) == runs[1 - slot]
    assert record(two) == state(slot, 3), "and not counted"
    assert output(two) == runs[slot]
    assert record(two) == state(slot, 2)


DAMAGED = {
    "no record": bytes(SIZE),
    "another signature": b"TOLS" + state(1, 3)[4:],
    "another version": state(1, 3, version=1),
    "no such slot": state(2, 3),
    "check of another state": state(1, 3)[:32] + state(0, 3)[32:],
    **{
        f"bit {bit} of byte {byte}": (byte, bit)
        for byte, bit in [(4, 0), (5, 0), (6, 7), (7, 3), (19, 0), (35, 1)]
    },
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_record_means_the_newest(
    output: Output, two: LoaderDisk, damage: bytes | tuple[int, int]
) -> None:
    if isinstance(damage, tuple):
        changed = bytearray(state(1, 0))
        changed[damage[0]] ^= 1 << damage[1]
        damage = bytes(changed)
    two.patch(RECORD, damage)
    assert output(two) == NEWEST_RUNS
    assert record(two) == damage, "it is left alone"


def flip_a_bit(disk: LoaderDisk, path: str) -> None:
    offset = disk.file_offset(path) + 2000
    disk.patch(offset, bytes([disk.path.read_bytes()[offset] ^ 1]))


def truncate(disk: LoaderDisk, path: str) -> None:
    disk.write(path, disk.read(path)[:5000])


def end_the_chain(disk: LoaderDisk, path: str) -> None:
    disk.link(disk.chain(path)[1], 0)


def replace_by_text(disk: LoaderDisk, path: str) -> None:
    disk.write(path, b"no kernel" * 1000)


def ask_for_memory(disk: LoaderDisk, path: str) -> None:
    disk.write(path, kernel(PAYLOAD, bss=200 * MIB))


def delete(disk: LoaderDisk, path: str) -> None:
    disk.delete(path)


BAD = [
    (flip_a_bit, "is corrupt (wrong CRC-32)"),
    (truncate, "is truncated: its size is not what its header says"),
    (replace_by_text, "is no BareFlow kernel (no FLUD signature)"),
    (delete, "is not there"),
]
BAD_CHAIN = "\nerror: the cluster chain of /boot or of its kernel is damaged; write the image again"
TOO_LARGE = "\nerror: too little memory: the kernel needs 202 MiB; give the machine more"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        *[(damage, error(KERNEL, what)) for damage, what in BAD],
        (end_the_chain, BAD_CHAIN),
        (ask_for_memory, TOO_LARGE),
    ],
)
@pytest.mark.parametrize("has_record", [True, False])
def test_bad_newest_is_passed_over_at_once(
    output: Output,
    two: LoaderDisk,
    damage: Callable[[LoaderDisk, str], None],
    message: str,
    has_record: bool,
) -> None:
    damage(two, KERNEL)
    if not has_record:
        two.patch(RECORD, bytes(SIZE))
    assert output(two) == message + FALLBACK_RUNS
    assert record(two) == (state(0, 2) if has_record else bytes(SIZE))


@pytest.mark.parametrize(("damage", "what"), BAD)
def test_bad_fallback(
    output: Output, two: LoaderDisk, damage: Callable[[LoaderDisk, str], None], what: str
) -> None:
    """What may not work is still better than what cannot."""
    two.patch(RECORD, state(0, 0))
    damage(two, FALLBACK)
    assert output(two) == (
        error(KERNEL, "did not come up in 3 boots")
        + (f"\n{FALLBACK} is loaded instead\n" if damage is not delete else "")
        + error(FALLBACK, what)
        + f"\n{KERNEL} is loaded instead\n"
        + NEWEST_RUNS
    )


@pytest.mark.parametrize("drive", ["ide", "floppy"])
def test_both_bad(boot: Boot, two: LoaderDisk, drive: str) -> None:
    flip_a_bit(two, KERNEL)
    truncate(two, FALLBACK)
    guest = boot(two, drive=drive)
    messages = (
        error(KERNEL, "is corrupt (wrong CRC-32)")
        + f"\n{FALLBACK} is loaded instead\n"
        + error(FALLBACK, "is truncated: its size is not what its header says")
        + "\n"
    )
    guest.expect("is truncated.*\n")
    assert guest.serial == messages
    guest.expect_screen("^error: /boot/FALLBACK.KRN is truncated: its size")
    assert guest.serial == messages, "nothing more is tried"


@pytest.mark.parametrize(("damage", "what"), BAD[:-1])
def test_one_kernel_and_that_is_bad(
    boot: Boot, tmp_path: Path, damage: Callable[[LoaderDisk, str], None], what: str
) -> None:
    """As it is without any slots: one message."""
    disk = LoaderDisk.create(tmp_path / "disk.img", {KERNEL: kernel(PAYLOAD)})
    assert record(disk) == bytes(SIZE)
    damage(disk, KERNEL)
    guest = boot(disk)
    guest.expect("copy a good kernel there\n")
    assert guest.serial == error(KERNEL, what) + "\n"


@pytest.mark.parametrize("drive", ["virtio-blk", "floppy"])
def test_disk_that_cannot_be_written(two: LoaderDisk, drive: str) -> None:
    machine = UnusualDisk(
        two.path, drive=drive, snapshot=False, change=("format=raw", "format=raw,readonly=on")
    )
    for _ in range(4):
        with Guest(machine) as guest:
            assert guest.wait_exit() == 0
            assert guest.serial == NEWEST_RUNS
    assert record(two) == state(0, 3)


@pytest.mark.parametrize("event", ["read_aio", "write_aio"])
def test_bad_sector_under_the_record(two: LoaderDisk, event: str) -> None:
    with boot_faulty(two, event, once=False, sector=RECORD // 512) as guest:
        assert guest.wait_exit() == 0
        assert guest.serial.endswith(
            f"\n{KERNEL} is loaded instead\n{NEWEST_RUNS}" if event == "read_aio" else NEWEST_RUNS
        )
        assert ("error: disk read failed, BIOS status 0x" in guest.serial) == (event == "read_aio")
    assert record(two) == state(0, 3)


def test_bad_sector_under_the_newest(two: LoaderDisk) -> None:
    with boot_faulty(two, "read_aio", once=False, sector=two.file_offset(KERNEL) // 512 + 1) as guest:
        assert guest.wait_exit() == 0
        assert guest.serial.startswith("\nerror: disk read failed, BIOS status 0x")
        assert guest.serial.endswith(FALLBACK_RUNS)


# ---- Snapshots ----

SNAPSHOT = "/boot/snapshots/0002.KRN"
PARENT = "/boot/snapshots/0001.KRN"
OF_SNAPSHOTS = b"0002    KRN\1" + b"0001    KRN\1"


@pytest.fixture
def three(tmp_path: Path) -> LoaderDisk:
    """A disk with two snapshots in its slots, and the kernel that all begins with."""
    kernels = {
        KERNEL: kernel(PAYLOAD, "-DROOT"),
        SNAPSHOT: kernel(PAYLOAD),
        PARENT: kernel(PAYLOAD, "-DFALLBACK"),
    }
    disk = LoaderDisk.create(tmp_path / "disk.img", kernels)
    disk.patch(RECORD, state(0, 3, names=OF_SNAPSHOTS))
    return disk


ROOT_RUNS = f"\n{KERNEL} is loaded instead\nroot runs\n"
PARENT_RUNS = f"\n{PARENT} is loaded instead\nfallback runs\n"


def test_snapshots_are_booted_from_their_folder(output: Output, three: LoaderDisk) -> None:
    assert output(three) == NEWEST_RUNS
    assert record(three) == state(0, 2, names=OF_SNAPSHOTS)
    flip_a_bit(three, SNAPSHOT)
    assert output(three) == error(SNAPSHOT, "is corrupt (wrong CRC-32)") + PARENT_RUNS


@pytest.mark.parametrize("drive", ["ide", "floppy"])
def test_neither_snapshot_can_be_loaded(output: Output, three: LoaderDisk, drive: str) -> None:
    flip_a_bit(three, SNAPSHOT)
    replace_by_text(three, PARENT)
    expected = error(SNAPSHOT, "is corrupt (wrong CRC-32)") + f"\n{PARENT} is loaded instead\n"
    expected += error(PARENT, "is no BareFlow kernel (no FLUD signature)") + ROOT_RUNS
    assert output(three, drive) == expected
    three.delete(PARENT)
    three.delete(SNAPSHOT)
    assert output(three, drive) == error(SNAPSHOT, "is not there") + ROOT_RUNS


def test_root_is_booted_on_request(output: Output, three: LoaderDisk) -> None:
    three.patch(RECORD, state(0, 3, requested=2, names=OF_SNAPSHOTS))
    assert output(three) == ROOT_RUNS
    assert record(three) == state(0, 3, names=OF_SNAPSHOTS)
    assert output(three) == NEWEST_RUNS
    three.delete(KERNEL)
    three.patch(RECORD, state(0, 3, requested=2, names=OF_SNAPSHOTS))
    expected = error(KERNEL, "is not there") + f"\n{SNAPSHOT} is loaded instead\n" + NEWEST_RUNS
    assert output(three) == expected


@pytest.mark.parametrize(("key", "expected"), [("0", ROOT_RUNS), ("1", NEWEST_RUNS)])
def test_a_key_chooses_the_kernel(boot: Boot, three: LoaderDisk, key: str, expected: str) -> None:
    """It takes the newest's place. QEMU's keys do not repeat when they are held down, so the key must be
    pressed between the BIOS's start of the keyboard and the loader's look. It boots until that was met."""
    three.write(PARENT, kernel(PAYLOAD))
    three.delete(SNAPSHOT)
    for _ in range(40):
        guest = boot(three)
        with suppress(GuestError):  # QEMU has ended
            while "slot" not in guest.serial and "runs" not in guest.serial:
                guest.send_key(key)
                time.sleep(0.03)
        guest.wait_end()
        if guest.serial == expected:
            return
        assert guest.serial.startswith(error(SNAPSHOT, "is not there"))
    pytest.fail("no key was seen")
