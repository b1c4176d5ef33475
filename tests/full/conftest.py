"""Fixtures of the tests of the full image."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bareflow.qemu.guest import Guest
from disk_tools import DiskImage
from fixture_types import Disk, MadeDisk, ModelImage, OneFolder, Record, Tell
from life_tools import SOON, boots_until, export, generate, logged

# Enough on a busy machine: compiling is slow in an emulator.
LIMIT = 300.0


@pytest.fixture(scope="session")
def linux_program(build_dir: Path) -> Path:
    """Full as a Linux program, which is there for a trimmed variant as well."""
    return build_dir.with_name("full") / "linux" / "bareflow"


@pytest.fixture(scope="session")
def trims_itself(build_dir: Path) -> bool:
    """Whether the kernel writes a trimmed copy of itself, or is trimmed already."""
    return not (build_dir / "bareflow.removed.jsonl").exists()


@pytest.fixture
def record(tell: Tell, disk: Disk) -> Record:
    """Tells a story; returns the guest, the token ids' file and the logits' file from the disk."""

    def run(image: Path, config: dict[str, object]) -> tuple[Any, bytes, bytes]:
        copy = disk(image)
        files = {"ids": "/profile/IDS.TXT", "logits": "/profile/LOGITS.F32"}
        guest = tell(copy, {**files, **config}, snapshot=False, memory=256, timeout=LIMIT)
        return guest, copy.read(files["ids"]), copy.read(files["logits"])

    return run


# ---- Disks that many tests begin with: what full writes takes it long ----

MakeOnce = Callable[[str, Callable[[DiskImage], list[Guest]]], MadeDisk]


@pytest.fixture(scope="session")
def make_once(build_dir: Path, model_image: ModelImage, one_folder: OneFolder) -> MakeOnce:
    """The disk of this name, on which the function boots, if it is not there yet."""

    def made(name: str, boot: Callable[[DiskImage], list[Guest]]) -> MadeDisk:
        def fill(folder: Path) -> None:
            boots = boot(DiskImage.copy(model_image("default"), folder / "disk.img"))
            last = [len(boots), boots[-1].console, boots[-1].events]
            (folder / "boots.json").write_text(json.dumps(last))

        result = one_folder(f"{build_dir.name}-{name}", fill)
        return MadeDisk(DiskImage(result / "disk.img"), *json.loads((result / "boots.json").read_text()))

    return made


@pytest.fixture(scope="session")
def once(make_once: MakeOnce) -> DiskImage:
    """A disk on which full has run once. Not to be changed."""
    return make_once("once", lambda disk: [generate(disk)]).disk


@pytest.fixture(scope="session")
def successor(make_once: MakeOnce) -> MadeDisk:
    """A disk on which full has generated a text and then written its native successor."""
    return make_once("successor", lambda disk: [export(disk, texts=1, **logged(disk))])  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def settled(make_once: MakeOnce, trims_itself: bool) -> MadeDisk:
    """A disk on which full has settled and written its trimmed copy."""
    if not trims_itself:
        pytest.skip("this kernel is trimmed: there is no copy")
    return make_once("settled", lambda disk: boots_until(disk, "trim", SOON, log=True))
