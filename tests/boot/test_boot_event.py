"""What the kernel says of itself and of the machine when it is up: the event "boot"."""

from __future__ import annotations

import re

import pytest
from bareflow.kernel.kernel_file import parse_header
from disk_tools import DiskImage
from fixture_types import Boot, GuestImage
from project_files import ROOT

MIB = 1 << 20
CHANGELOG = ROOT / "CHANGELOG.md"


def test_machine_and_build(boot: Boot, guest_image: GuestImage) -> None:
    image = guest_image("power")
    guest = boot(image, config={"end": "exit"}, memory=64)
    guest.wait_exit()
    event = guest.event("boot")
    header = parse_header(DiskImage(image).read("/boot/BAREFLOW.KRN"))
    assert event["version"] == re.findall(r"^## (\d+\.\d+\.\d+)", CHANGELOG.read_text(), re.MULTILINE)[0]
    assert event["build_id"] == header.build_id.hex()
    # The BIOS keeps the addresses from 640 KiB to 1 MiB and some 100 KiB at the end.
    assert 63 * MIB < event["ram_bytes"] < 64 * MIB
    assert 62 * MIB < event["heap_bytes"] < event["ram_bytes"] - MIB // 2
    assert event["tcg"] is True
    assert 0 < event["loader_cycles"] and 0 < event["kernel_cycles"]


def test_cpu_of_any_name(boot: Boot, guest_image: GuestImage) -> None:
    name = 'A "quoted" CPU \\ {"event":1}'
    guest = boot(guest_image("power"), config={"end": "exit"}, cpu=f"qemu64,model-id={name}")
    guest.wait_exit()
    assert guest.event("boot")["cpu"] == name


@pytest.mark.parametrize(
    ("cpu", "features"),
    [
        ("qemu64", ["sse2"]),
        ("max", ["sse2", "avx2"]),
        ("Haswell", ["sse2", "avx2"]),
        ("max,-xsave", ["sse2"]),  # AVX without XSAVE cannot be switched on
        ("max,-avx", ["sse2"]),
        ("qemu64,-hypervisor", ["sse2"]),  # QEMU's configuration is read nevertheless
    ],
)
def test_cpu_features(boot: Boot, guest_image: GuestImage, cpu: str, features: list[str]) -> None:
    guest = boot(guest_image("power"), config={"end": "exit"}, cpu=cpu)
    assert guest.wait_exit() == 7
    assert guest.event("boot")["features"].split() == features
