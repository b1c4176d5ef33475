"""Files of source packages: fetched once, and nothing but what is asked for."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from bareflow import debian
from bareflow.source_package import Source, SourceError, folder_of

FILES = {
    "top/wanted/a.c": b"a",
    "top/wanted/in/b.c": b"b",
    "top/wanted/../d.c": b"d",
    "top/other/c.c": b"c",
    "top/other/c.cpp": b"c",
}


def tarball(files: dict[str, bytes], mode: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def test_only_the_parts_are_kept_and_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source("pool/x.tar.gz", "0" * 64, ("wanted", "other/c.c"), inner="x/inner.tar.xz")
    fetched = []

    def fetch(path: str, sha256: str, folder: Path, _: object) -> Path:
        fetched.append((path, sha256))
        (folder / "x.tar.gz").write_bytes(tarball({"x/inner.tar.xz": tarball(FILES, "w:xz")}, "w:gz"))
        return folder / "x.tar.gz"

    monkeypatch.setattr(debian, "fetch", fetch)
    for _ in range(2):
        made = folder_of("x", source, tmp_path, lambda text: None)
        found = {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()}
        assert found == {"wanted/a.c", "wanted/in/b.c", "other/c.c"}
    assert fetched == [("pool/x.tar.gz", "0" * 64)]
    missing = Source("pool/x.tar.gz", "0" * 64, ("wanted", "missing"), inner="x/inner.tar.xz")
    with pytest.raises(SourceError, match=r"x\.tar\.gz has no missing"):
        folder_of("x", missing, tmp_path, lambda text: None)
