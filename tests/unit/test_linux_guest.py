"""The initramfs that a Linux guest begins with, read as the kernel's documentation describes the format."""

from __future__ import annotations

from pathlib import Path

from bareflow.bench.linux_guest import MODULES, initramfs


def entries(archive: bytes) -> dict[str, tuple[int, bytes]]:
    """Mode and contents by name. Fields are 8 hexadecimal digits behind the magic number; names and contents
    are padded to a multiple of four bytes from the beginning."""
    found: dict[str, tuple[int, bytes]] = {}
    at = 0
    while True:
        assert archive[at : at + 6] == b"070701" and at % 4 == 0
        fields = [int(archive[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        name_end = at + 110 + fields[11]
        name = archive[at + 110 : name_end - 1].decode()
        begin = -(-name_end // 4) * 4
        if name == "TRAILER!!!":
            return found
        found[name] = (fields[1], archive[begin : begin + fields[6]])
        at = -(-(begin + fields[6]) // 4) * 4


def test_initramfs(tmp_path: Path) -> None:
    for number, name in enumerate(MODULES):
        (tmp_path / f"{name}.ko").write_bytes(b"m" * number)
    (tmp_path / "init").write_bytes(b"init")
    (tmp_path / "lua").write_bytes(b"program")
    found = entries(initramfs(tmp_path, tmp_path / "init", tmp_path / "lua"))
    assert found["init"] == (0o100755, b"init") and found["program"] == (0o100755, b"program")
    assert found["dev/console"][0] == 0o20600
    assert [found[f"{number}.ko"][1] for number in range(len(MODULES))] == [
        b"m" * number for number in range(len(MODULES))
    ]
