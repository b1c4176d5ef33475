"""What the JIT remembers from start to start, with an engine that only pretends (guests/profile.c)."""

from __future__ import annotations

import os
import random
import time
import zlib
from pathlib import Path

import pytest
from bareflow.disk.generations import sibling
from bareflow.qemu.guest import Guest
from disk_tools import BY_DRIVER, DiskImage
from fixture_types import Boot, Disk, GuestImage
from profile_tools import CACHE_PATH, MARK_PATH, PROFILE_PATH, beyond_a_cut, fsck, read_cache, read_profile
from unusual_disk import UnusualDisk, boot_faulty

FEW_CUTS = 3
CUTS = int(os.environ.get("BAREFLOW_BOOTS", "10"))
OBJECT_BYTES = 60000
O1, O3 = 2, 4  # enum jit_level


@pytest.fixture
def image(disk: Disk, guest_image: GuestImage) -> DiskImage:
    return disk(guest_image("profile"))


def run(boot: Boot, image: DiskImage, **config: object) -> Guest:
    guest = boot(image, config=config, snapshot=False)
    assert guest.wait_exit() == 0, guest.serial
    return guest


def messages(guest: Guest) -> list[str]:
    return [line for line in guest.console.splitlines() if line.startswith(("/profile", "warning"))]


def test_first_start(boot: Boot, image: DiskImage) -> None:
    guest = run(boot, image)
    assert messages(guest) == []
    assert "hot was on level 0, has 0 tuples\n" in guest.console
    profile = read_profile(image)
    assert profile.build == guest.event("boot")["build_id"]
    assert (profile.boots, profile.calls) == (1, {"hot": 1000, "warm": 10})
    assert profile.lines[4] == "features sse3"
    assert profile.lines[5:] == [
        "function hot calls 1000 level 4 specialised 1 arguments 2 because calls",
        "times 4 calls 1 total 500 min 500 max 500",
        "tuple calls 100 values 64 172",
        "candidate hot shape 0 cycles 510 chosen 0",
        "candidate warm shape 3 cycles 500 chosen 1",
        "function warm calls 10 level 2 specialised 0 arguments 0 because calls",
        "times 2 calls 1 total 2001 min 2001 max 2001",
    ]
    cache = read_cache(image)
    assert set(cache) == {"hot", "warm"}
    hot, warm = cache["hot"], cache["warm"]
    assert (hot.level, hot.specialised, hot.tuples) == (O3, True, [(100, 64, 172)])
    assert (warm.level, warm.specialised, warm.tuples) == (O1, False, [])
    assert hot.content == warm.content == b"b" * OBJECT_BYTES
    event = guest.event("profile_saved")
    assert event["profile_bytes"] == len(image.newest(PROFILE_PATH))
    assert event["cache_bytes"] == len(image.newest(CACHE_PATH))


def test_starts_add_up(boot: Boot, image: DiskImage) -> None:
    run(boot, image, saves=3)  # saving often does not count calls twice
    guest = run(boot, image, saves=2)
    assert f"loaded hot level {O3}, {OBJECT_BYTES} bytes\n" in guest.console
    assert f"loaded warm level {O1}, {OBJECT_BYTES} bytes\n" in guest.console
    assert f"hot was on level {O3}, has 1 tuples\n" in guest.console
    assert "cold was on level 0, has 0 tuples\n" in guest.console
    profile = read_profile(image)
    assert (profile.boots, profile.calls) == (2, {"hot": 5000, "warm": 50})
    assert "times 4 calls 5 total 2500 min 500 max 500" in profile.lines
    assert "times 2 calls 5 total 10009 min 2001 max 2003" in profile.lines
    assert "tuple calls 500 values 64 172" in profile.lines


def test_switched_off(boot: Boot, image: DiskImage) -> None:
    run(boot, image, **{"jit.profile": "off", "jit.cache": "off"})
    assert image.listing("/profile") == []
    run(boot, image, **{"jit.profile": "off"})
    assert image.listing("/profile") == ["::/profile/JIT.OBJ"]
    guest = run(boot, image, **{"jit.cache": "off"})
    assert "loaded" not in guest.console
    assert read_profile(image).boots == 1


def test_settings_choose_what_is_loaded(boot: Boot, image: DiskImage) -> None:
    run(boot, image)
    before = image.read(CACHE_PATH)
    guest = run(boot, image, **{"jit.max_level": "O2"})
    assert "loaded warm" in guest.console and "loaded hot" not in guest.console
    image.write(CACHE_PATH, before)
    guest = run(boot, image, **{"jit.specialise": "off"})
    assert "loaded warm" in guest.console and "loaded hot" not in guest.console


def test_cache_too_small(boot: Boot, image: DiskImage) -> None:
    """The function with the most calls is kept; with no room at all, none is."""
    run(boot, image, **{"jit.cache_mb": 0})
    assert read_cache(image) == {}


def sealed_profile(text: bytes) -> bytes:
    return text + f"crc {zlib.crc32(text):08x}\n".encode()


def test_damaged_files_begin_anew(boot: Boot, image: DiskImage) -> None:
    run(boot, image)
    profile, cache = image.newest(PROFILE_PATH), image.newest(CACHE_PATH)
    image.write(PROFILE_PATH, profile.replace(b"1000", b"1001"))
    image.write(CACHE_PATH, cache[:-1])
    guest = run(boot, image)
    assert messages(guest) == [
        f"{PROFILE_PATH} begins anew: it is damaged or cut short.",
        f"{CACHE_PATH} begins anew: it is damaged.",
    ]
    assert (read_profile(image).boots, read_profile(image).calls["hot"]) == (1, 1000)
    assert "loaded" not in guest.console and set(read_cache(image)) == {"hot", "warm"}


def test_another_build_begins_anew(boot: Boot, image: DiskImage) -> None:
    build = str(run(boot, image).event("boot")["build_id"]).encode()
    profile, cache = image.newest(PROFILE_PATH)[:-13], image.newest(CACHE_PATH)[:-4]
    other = b"0" * 32
    image.write(PROFILE_PATH, sealed_profile(profile.replace(build, other)))
    changed = cache.replace(build, other)
    image.write(CACHE_PATH, changed + zlib.crc32(changed).to_bytes(4, "little"))
    assert messages(run(boot, image)) == [
        f"{PROFILE_PATH} begins anew: it is of another build, {other.decode()}.",
        f"{CACHE_PATH} begins anew: it is of another build, {other.decode()}.",
    ]


def test_another_cpu_begins_anew(boot: Boot, image: DiskImage) -> None:
    run(boot, image)
    cpu = read_profile(image).cpu
    guest = boot(image, cpu="max", snapshot=False)
    assert guest.wait_exit() == 0
    assert messages(guest) == [
        f"{PROFILE_PATH} begins anew: it is of another CPU, {cpu}.",
        f"{CACHE_PATH} begins anew: it is of another CPU, {cpu}.",
    ]
    assert read_profile(image).cpu != cpu
    assert run(boot, image).console.count("of another CPU") == 2


PANICKED = 1
NO_TOKEN = "the boot that used it last did not come to its first token"
NO_END = "of 3 boots in a row that used it none came to its end"


def stop(boot: Boot, image: DiskImage, progress: str) -> Guest:
    """A boot that stops all of a sudden; what it has come to: guests/profile.c."""
    guest = boot(image, config={"stop": progress}, snapshot=False)
    assert guest.wait_exit() == PANICKED
    return guest


def begins_anew(boot: Boot, image: DiskImage, why: str) -> None:
    """This boot and, as it cannot save, the next one; and the one after that uses what it has saved."""
    said = [f"{path} begins anew: {why}." for path in (PROFILE_PATH, CACHE_PATH)]
    not_trusted = read_cache(image)["hot"].content
    for guest in (stop(boot, image, "gr"), run(boot, image)):
        assert messages(guest) == said
        assert "loaded" not in guest.console
    assert read_profile(image).boots == 1
    for path in (CACHE_PATH, sibling(CACHE_PATH)):
        assert not_trusted not in image.read(path)
    guest = run(boot, image)
    assert messages(guest) == []
    assert "loaded hot" in guest.console
    assert image.newest(MARK_PATH) == b"good\n"


@pytest.mark.parametrize("progress", ["g", "wg"])
def test_without_a_result(boot: Boot, image: DiskImage, progress: str) -> None:
    """Whether the code is wrong, is not known: it must not run in every boot from now on."""
    run(boot, image, saves=2)
    assert "loaded hot" in stop(boot, image, progress).console
    begins_anew(boot, image, NO_TOKEN)


def test_not_trusted_with_the_cache_off(boot: Boot, image: DiskImage) -> None:
    """What has not been replaced is not trusted afterwards."""
    run(boot, image, saves=2)
    stop(boot, image, "g")
    run(boot, image, **{"jit.cache": "off"})
    begins_anew(boot, image, NO_TOKEN)


def test_switched_off_while_waiting(boot: Boot, image: DiskImage) -> None:
    run(boot, image)
    for _ in range(4):
        assert "loaded hot" in stop(boot, image, "w").console
    assert messages(run(boot, image)) == []


def test_result_but_no_end(boot: Boot, image: DiskImage) -> None:
    """A person may switch off in the middle of a story, but not each time."""
    run(boot, image, saves=2)
    for progress in ("r", "wgr", "w", "r"):
        assert "loaded hot" in stop(boot, image, progress).console
    begins_anew(boot, image, NO_END)


def test_mark_cannot_be_written(boot: Boot, image: DiskImage) -> None:
    run(boot, image)
    image.write("/profile/FILLER", bytes(image.free_bytes()))
    guest = run(boot, image)
    assert "loaded" not in guest.console
    assert messages(guest)[0].startswith(f"warning: the code in {CACHE_PATH} is not used")


def test_full_disk_is_a_message(boot: Boot, image: DiskImage) -> None:
    run(boot, image)
    before = image.read(PROFILE_PATH), image.read(CACHE_PATH)
    image.write("/profile/FILLER", bytes(image.free_bytes()))
    guest = run(boot, image)
    said = messages(guest)
    for path in (PROFILE_PATH, CACHE_PATH):
        assert any(line.startswith(f"warning: {path} is not written: The disk is full") for line in said)
    assert (image.read(PROFILE_PATH), image.read(CACHE_PATH)) == before


STOPPED = "Nothing is saved any more until /save asks for it.\n"


@pytest.mark.parametrize("drive", [*BY_DRIVER, "usb-storage"])
def test_failing_disk_is_told_once(image: DiskImage, drive: str) -> None:
    with boot_faulty(image, "write_aio", once=False, drive=drive, config={"saves": 5}) as guest:
        assert guest.wait_exit() == 0
        assert "saved 5\n" in guest.console
        (message,) = messages(guest)
        assert message.startswith(f"warning: {PROFILE_PATH} is not written: ")
        assert guest.console.count(STOPPED) == 1


def test_removed_disk_is_told_once(image: DiskImage) -> None:
    """A USB stick is pulled while the guest saves without end: it goes on, and asks for the stick once."""
    machine = UnusualDisk(
        image.path,
        drive="usb-storage",
        config={"saves": 0},
        snapshot=False,
        change=("usb-storage,", "usb-storage,id=stick,"),
    )
    with Guest(machine) as guest:
        guest.expect(r"^saved 2\n")
        guest.qmp("device_del", id="stick")
        guest.expect(f"^{STOPPED}")
        guest.expect(r"^saved \d+\nsaved \d+\nsaved \d+\nsaved \d+\n")
        assert len(messages(guest)) == 1


@pytest.mark.timeout(60 + 20 * CUTS)
@pytest.mark.parametrize("cuts", [FEW_CUTS, pytest.param(CUTS, marks=pytest.mark.soak)])
def test_power_cuts(boot: Boot, image: DiskImage, tmp_path: Path, cuts: int) -> None:
    """The guest saves without end and QEMU is killed at some moment, again and again: each time the disk
    holds the profile and the cache of the last save or of the one that was under way."""
    moments = random.Random(31)
    calls = 0
    for cut in range(1, cuts + 1):
        guest = boot(image, config={"saves": 0}, snapshot=False)
        guest.expect(r"^saved 2\n")
        time.sleep(moments.uniform(0, 0.1))
        guest.kill()
        guest.close()
        saved = max(int(line.split()[1]) for line in guest.console.splitlines() if line.startswith("saved "))
        assert beyond_a_cut(fsck(image.path, tmp_path)) == []
        profile, cache = read_profile(image), read_cache(image)
        assert profile.boots == cut
        # What the serial line did not deliver any more may have been saved as well.
        saves = (profile.calls["hot"] - calls) // 1000
        assert saved <= saves <= saved + 3
        assert profile.calls["warm"] * 100 == profile.calls["hot"]
        assert {name: item.level for name, item in cache.items()} == {"hot": O3, "warm": O1}
        assert all(item.content == item.content[:1] * OBJECT_BYTES for item in cache.values())
        assert cache["hot"].content == cache["warm"].content
        calls = profile.calls["hot"]
    guest = run(boot, image)
    assert messages(guest) == []
    assert read_profile(image).boots == cuts + 1
    assert fsck(image.path, tmp_path) == []  # what the cuts have left behind is gone
