"""The life of an image: full writes its native successor, the next boot is that, and when it is damaged its
parent boots again. Every kernel generates the same tokens with the same logits."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from bareflow.bench.linux_session import make_root
from bareflow.kernel.kernel_file import parse_header, seal
from disk_tools import DiskImage
from fixture_types import Boot, Disk, MadeDisk
from life_tools import (
    LIMIT,
    PROFILE,
    ROOT,
    SNAPSHOT,
    forget_slots,
    generate,
    index,
    results,
    slots,
)
from profile_tools import profile_times
from project_files import DEFAULT_MODEL, DEFAULT_TOKENIZER


@pytest.fixture
def exported(successor: MadeDisk, disk: Disk) -> DiskImage:
    """A copy of a disk on which full has written its successor, after a text."""
    return disk(successor.disk.path)


def test_says_what_it_wrote(successor: MadeDisk) -> None:
    event = successor.event("export")
    assert event["hot"] > 5 and event["clones"] > 0 and event["needs"] == ""
    assert f"{SNAPSHOT}, native, {event['kernel_bytes']} bytes" in successor.console
    assert successor.event("life") == {
        "event": "life",
        "kernel": "0001.KRN",
        "kind": "native",
        "bytes": event["kernel_bytes"],
        "parent": "BAREFLOW.KRN",
        "boots": 0,
        "result": "new",
    }


def test_compiles_what_is_hot(successor: MadeDisk) -> None:
    """What the build has compiled is not compiled again but for the hot functions, their clones, and the
    general bodies of these."""
    event = successor.event("export")
    calls, times = profile_times(successor.disk.newest(PROFILE).decode())
    most = max(time for name, time in times.items() if calls[name] >= 100)
    hot = [name for name, time in times.items() if calls[name] >= 100 and time * 200 >= most]
    called = [name for name in calls if calls[name] > 0]
    assert 5 < len(hot) <= event["hot"] < len(called) / 3
    assert event["clones"] < event["compiled"] <= event["clones"] + 2 * event["hot"]


def test_same_bytes_on_linux(exported: DiskImage, linux_program: Path, tmp_path: Path) -> None:
    """The same engine makes the same kernel of the same profile as a Linux program; trimmed as well."""
    root = make_root(tmp_path / "root", DEFAULT_MODEL, DEFAULT_TOKENIZER)
    (root / "boot" / "snapshots").mkdir(parents=True)
    (root / "profile" / "GUEST.PRF").write_bytes(exported.newest(PROFILE))
    command = [str(linux_program), f"root={root}", "mode=interactive"]
    command.append("jit.export_profile=/profile/GUEST.PRF")
    subprocess.run(command, input=b"/export\n/exit\n", check=True, capture_output=True, timeout=LIMIT)
    assert (root / SNAPSHOT[1:]).read_bytes() == exported.read(SNAPSHOT)


def test_successor_and_its_parent(exported: DiskImage, tmp_path: Path) -> None:
    kernel = exported.read(SNAPSHOT)
    header = parse_header(kernel)
    assert seal(kernel) == kernel, "build id and CRC are those that the image builder would make"
    assert len(kernel) < 158_000
    assert slots(exported) == (SNAPSHOT, ROOT)
    entry = index(exported)["0001.KRN"]
    assert entry["build"] == header.build_id.hex()
    assert entry["model"].startswith("dim=") and "cpu" not in entry

    full = DiskImage.copy(exported.path, tmp_path / "full.img")
    forget_slots(full)
    assert [event["event"] for event in generate(full).events].count("llvm") == 1
    for cpu in ("qemu64", "Haswell", "max"):
        native = generate(exported, memory=32, cpu=cpu)
        assert native.event("boot")["build_id"] == header.build_id.hex()
        assert not [event for event in native.events if event["event"] in ("llvm", "tier")]
        assert results(exported) == results(full)
    entry = index(exported)["0001.KRN"]
    assert (entry["boots"], entry["result"]) == ("3", "good")

    offset = exported.file_offset(SNAPSHOT) + 4000
    exported.patch(offset, bytes([kernel[4000] ^ 1]))
    parent = generate(exported)
    assert f"error: {SNAPSHOT} is corrupt (wrong CRC-32)" in parent.serial
    assert f"{SNAPSHOT} did not come up; {ROOT} is the kernel again." in parent.console
    assert results(exported) == results(full)
    assert slots(exported) == (ROOT, ROOT)
    assert index(exported)["0001.KRN"]["result"] == "failed"


def test_says_what_it_was_made_from(exported: DiskImage, boot: Boot) -> None:
    guest = boot(exported, config={"mode": "interactive"}, memory=32)
    guest.expect("> $")
    guest.send("/jit\r")
    guest.expect("clones for argument values")
    maker = index(exported)["0001.KRN"]["maker"]
    assert f"The profile is that of kernel {maker}: 1 boots" in guest.console
    assert f"model: {index(exported)['0001.KRN']['model']}" in guest.console
    assert "instruction sets: none" in guest.console
