"""Many boots in a row on one disk: everything that is remembered adds up, and nothing grows."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median

import pytest
from bareflow.coverage.guest_coverage import COVERAGE_PATH, read_recording
from bareflow.qemu.guest import Guest
from disk_tools import DiskImage
from fixture_types import Boot, Disk
from profile_tools import CACHE_PATH, PROFILE_PATH, fsck, read_cache, read_profile, space_taken

FEW_BOOTS = 3
BOOTS = int(os.environ.get("BAREFLOW_BOOTS", "10"))
ENOUGH_FOR_A_TREND = 30
"""What a start happens to compile changes the memory that it takes by half: fewer boots tell nothing."""
SATURATED = 1.02
"""Growth in the last third of the boots: of the profile, whose sums get another digit now and then."""
STORY = {
    "mode": "generate", "prompt": "Once upon a time", "temperature": 0, "steps": 32, "coverage": "on",
    "life.settle": 0,  # the kernel stays the same
}  # fmt: skip
MEMORY = 256


def has_a_jit(disk: DiskImage) -> bool:
    return bool(disk.newest(PROFILE_PATH))


def heap_used(guest: Guest) -> int:
    return int(guest.event("profile_saved")["heap_used"])


@pytest.mark.timeout(120 + 60 * BOOTS)
@pytest.mark.parametrize("boots", [FEW_BOOTS, pytest.param(BOOTS, marks=pytest.mark.soak)])
def test_many_boots(boot: Boot, disk: Disk, image: Path, tmp_path: Path, boots: int) -> None:
    copy = disk(image)
    text, heap, sizes, space = None, [], [], []
    for number in range(1, boots + 1):
        guest = boot(copy, config=STORY, memory=MEMORY, snapshot=False, timeout=300)
        assert guest.wait_exit() == 0, guest.serial
        assert "begins anew" not in guest.console and "warning:" not in guest.console
        text = text or guest.text
        assert guest.text == text
        assert read_recording(copy.path).boots == number
        assert fsck(copy.path, tmp_path) == []
        files = [COVERAGE_PATH]
        if has_a_jit(copy):
            profile = read_profile(copy)
            assert profile.boots == number
            assert profile.calls["app_main"] == number
            # Functions are compiled in later starts too, so the cache grows: up to one object for each.
            assert set(read_cache(copy)) <= set(profile.calls)
            files += [PROFILE_PATH, CACHE_PATH]
            heap.append(heap_used(guest))
        sizes.append([len(copy.newest(path)) for path in files])
        owned = [len(copy.read(name.removeprefix("::"))) for name in copy.listing("/profile")]
        space.append(copy.free_bytes() + space_taken(copy.path, owned))
        guest.close()
    print(f"bytes of {files}: {sizes}\nheap used: {heap}")
    assert set(space) == {space[0]}  # no cluster is lost: what is not free belongs to these files
    third = boots // 3
    if boots >= ENOUGH_FOR_A_TREND:
        for path, before, after in zip(files, sizes[-third], sizes[-1], strict=True):
            assert after <= before * SATURATED, f"{path} still grows"
    if len(heap) >= ENOUGH_FOR_A_TREND:
        assert median(heap[-third:]) <= median(heap[:third]) * 1.1
