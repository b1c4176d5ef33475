"""The disk image as other programs see it, and its size."""

from __future__ import annotations

import json
import re
import struct
import subprocess
from pathlib import Path

import pytest
from disk_tools import PARTITION_OFFSET
from fixture_types import Boot, Disk, Story
from project_files import ROOT

KERNEL = "/boot/BAREFLOW.KRN"
MODEL_FOLDER = ROOT / "tinyllama" / "model"
KERNEL_LIMITS = {"x86_64": 100 * 1024, "i386": 92 * 1024}
"""In bytes; 100 KiB is the aim (docs/measurements/native-size.md)."""
SECTOR = 512


def test_partition_table(image: Path) -> None:
    """MBR: signature 55AA, one entry, FAT16 by LBA (type 0E), inside the image."""
    mbr = image.read_bytes()[:SECTOR]
    assert mbr[510:] == b"\x55\xaa"
    kind, start, length = struct.unpack_from("<4xB3xII", mbr, 446)
    assert (kind, start * SECTOR) == (0x0E, PARTITION_OFFSET)
    assert (start + length) * SECTOR == image.stat().st_size
    assert mbr[462:510] == bytes(48), "further partitions"


def test_kernel_file_is_small_and_is_what_was_built(
    image: Path, build_dir: Path, architecture: str, disk: Disk
) -> None:
    kernel = disk(image).read(KERNEL)
    assert kernel == (build_dir / "bareflow.krn").read_bytes()
    assert kernel[:4] == b"DULF"
    assert len(kernel) <= KERNEL_LIMITS[architecture]


def test_size_report(build_dir: Path) -> None:
    report = json.loads((build_dir / "size.json").read_text())
    assert report["kernel_file_bytes"] == (build_dir / "bareflow.krn").stat().st_size
    assert report["resident_bytes"] >= report["kernel_file_bytes"]
    for part in ("app", "kernel_lib", "libc"):
        assert report["parts"][part]["text"] > 0
    total = sum(size for part in report["parts"].values() for size in part.values())
    assert total <= report["resident_bytes"]


def test_mtools_reads_and_writes_the_partition(image: Path, disk: Disk) -> None:
    copy = disk(image)
    assert "::/boot/BAREFLOW.KRN" in copy.listing("/boot")
    data = bytes(range(256)) * 999
    copy.write("/profile/long name.dat", data)
    assert copy.read("/profile/long name.dat") == data
    copy.delete("/profile/long name.dat")
    assert copy.listing("/profile") == []


def test_default_model_is_in_the_image(image: Path, disk: Disk) -> None:
    copy = disk(image)
    assert sorted(copy.listing("/model")) == ["::/model/model.bin", "::/model/tokenizer.bin"]
    if copy.read("/model/model.bin") != (MODEL_FOLDER / "default.bin").read_bytes():
        pytest.skip("the image under test was built with model=; test_build.py makes one without")
    assert copy.read("/model/tokenizer.bin") == (MODEL_FOLDER / "tokenizer.bin").read_bytes()


def test_image_tells_a_story_by_itself(boot: Boot, image: Path) -> None:
    """Without any setting but the mode, in the memory that `run` gives."""
    guest = boot(image, config={"mode": "generate", "temperature": 0, "prompt": "Once upon a time"})
    assert guest.wait_exit() == 0, guest.serial
    assert guest.text.startswith("Once upon a time")
    assert len(guest.text.split()) > 30
    assert re.fullmatch("[\n -~]+", guest.text), "not only English text"


def test_plain_qemu_command_boots(disk: Disk, story: Story, architecture: str) -> None:
    """The command that README gives, or docs/i386.md, with nothing but the image; it powers off by ACPI."""
    copy = disk(story.image)
    copy.write("/boot/BAREFLOW.CFG", b"mode = generate\nsteps = 64\ntemperature = 0\n")
    qemu = f"qemu-system-{architecture}"
    result = subprocess.run(
        [qemu, "-drive", f"file={copy.path},format=raw", "-serial", "stdio", "-display", "none"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert story.text in result.stdout.decode().replace("\r\n", "\n")


def test_kernel_named_in_the_boot_event(boot: Boot, image: Path, disk: Disk) -> None:
    """The build id that the guest tells is the one in the kernel file's header (offset 48)."""
    build_id = disk(image).read(KERNEL)[48:64].hex()
    guest = boot(image, config={"mode": "interactive"})
    assert guest.expect_event("boot")["build_id"] == build_id
