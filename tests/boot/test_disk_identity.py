"""Several disks in one machine: the guest reads and writes the one that was booted, and no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bareflow.qemu.guest import Guest
from copied_file import BIOS, CONTENTS, COPY, with_input
from disk_tools import BY_DRIVER, DiskImage
from fixture_types import Boot, Disk, GuestImage
from sparse_copy import copy_sparse
from unusual_disk import UnusualDisk

DEVICES = {
    "ide": ["-device", "ide-hd,bus=ide.0,drive=twin"],
    "ahci": ["-device", "ich9-ahci,id=second", "-device", "ide-hd,bus=second.0,drive=twin"],
    "virtio-blk": ["-device", "virtio-blk-pci,drive=twin"],
    "nvme": ["-device", "nvme,serial=twin,drive=twin"],
    # On the controller that the booted disk is at.
    "same ahci": ["-device", "ide-hd,bus=ahci.1,drive=twin"],
    "same usb": ["-device", "usb-storage,drive=twin"],
    "behind a bridge": [
        *("-device", "pci-bridge,id=bridge,chassis_nr=1"),
        *("-device", "virtio-blk-pci,bus=bridge,addr=1,drive=twin"),
    ],
}


@pytest.mark.parametrize(
    ("drive", "twin"),
    [
        *(("usb-storage", twin) for twin in ("ahci", "virtio-blk", "nvme", "same usb")),
        *(("virtio-blk", twin) for twin in ("ide", "virtio-blk", "nvme", "behind a bridge")),
        *(("ahci", twin) for twin in ("ahci", "same ahci", "virtio-blk", "nvme")),
        *(("nvme", twin) for twin in ("nvme", "ahci", "virtio-blk")),
        *(("ide", twin) for twin in ("ide", "ahci", "virtio-blk", "nvme")),
        ("nvme-4096", "nvme"),
    ],
)
def test_twin_is_left_alone(
    boot: Boot, disk: Disk, guest_image: GuestImage, tmp_path: Path, drive: str, twin: str
) -> None:
    """Another disk has the same contents."""
    image = with_input(disk(guest_image("disk_files")))
    other = tmp_path / "twin.img"
    copy_sparse(image.path, other)
    before = other.read_bytes()
    extra = ["-drive", f"if=none,id=twin,file={other},format=raw", *DEVICES[twin]]
    guest = boot(image, drive=drive, snapshot=False, extra=extra)
    assert guest.wait_exit() == 0, guest.serial
    guest.expect(f"^disk: {BY_DRIVER.get(drive, BIOS)}\n")
    assert image.read(COPY) == CONTENTS
    assert other.read_bytes() == before


@pytest.fixture
def empty_disk(tmp_path: Path) -> DiskImage:
    """A disk that cannot be booted."""
    image = DiskImage(tmp_path / "empty.img")
    image.path.write_bytes(bytes(1 << 20))
    return image


def boot_another(first: DiskImage, extra: list[str], **machine: Any) -> Guest:
    """A guest that has this disk, and boots another one, which extra describes."""
    return Guest(UnusualDisk(first.path, extra=extra, change=("bootindex=0", "bootindex=9"), **machine))


@pytest.mark.parametrize(
    ("drive", "device"),
    [("virtio-blk", "virtio-blk-pci"), ("nvme", "nvme,serial=port")],
    ids=["virtio-blk", "nvme"],
)
def test_behind_a_root_port(
    disk: Disk, guest_image: GuestImage, empty_disk: DiskImage, drive: str, device: str
) -> None:
    image = with_input(disk(guest_image("disk_files")))
    extra = [
        *("-drive", f"if=none,id=port-disk,file={image.path},format=raw"),
        *("-device", "pcie-root-port,id=root,chassis=1"),
        *("-device", f"{device},bus=root,drive=port-disk,bootindex=1"),
    ]
    with boot_another(empty_disk, extra, machine="q35", drive="ahci") as guest:
        assert guest.wait_exit() == 0, guest.serial
        guest.expect(f"^disk: {BY_DRIVER[drive]}\n")
    assert image.read(COPY) == CONTENTS


def test_namespaces(disk: Disk, guest_image: GuestImage, tmp_path: Path, empty_disk: DiskImage) -> None:
    """Two disks with the same contents behind one NVMe controller: the BIOS boots the one with the lower
    number."""
    image = with_input(disk(guest_image("disk_files")))
    twin = DiskImage.copy(image.path, tmp_path / "twin.img")
    before = twin.path.read_bytes()
    extra = ["-device", "nvme,id=several,serial=several"]
    for number, each in ((3, image), (7, twin)):
        extra += ["-drive", f"if=none,id=space{number},file={each.path},format=raw"]
        extra += ["-device", f"nvme-ns,bus=several,nsid={number},drive=space{number},bootindex={number}"]
    with boot_another(empty_disk, extra) as guest:
        assert guest.wait_exit() == 0, guest.serial
        guest.expect(f"^disk: {BY_DRIVER['nvme']}\n")
    assert image.read(COPY) == CONTENTS
    assert twin.path.read_bytes() == before


def test_unusable_disk_stays_with_the_bios(
    disk: Disk, guest_image: GuestImage, empty_disk: DiskImage
) -> None:
    """A namespace whose sectors have metadata: the driver says that it cannot use it, and has changed
    nothing."""
    image = with_input(disk(guest_image("disk_files")))
    extra = [
        *("-device", "nvme,id=unusual,serial=unusual"),
        *("-drive", f"if=none,id=space,file={image.path},format=raw"),
        *("-device", "nvme-ns,bus=unusual,nsid=1,drive=space,ms=8,bootindex=1"),
    ]
    with image.path.open("ab") as file:
        file.write(bytes(1 << 20))  # where QEMU keeps the metadata
    with boot_another(empty_disk, extra) as guest:
        assert guest.wait_exit() == 0, guest.serial
        guest.expect(r"^note: The NVMe disk's sectors .* The BIOS reads and writes the disk\.\n")
        guest.expect(f"^disk: {BIOS}\n")
    assert image.read(COPY) == CONTENTS
