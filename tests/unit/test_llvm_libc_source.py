"""LLVM-libc's source: only the files with the right hashes, from a tarball or the cache."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from bareflow import debian
from bareflow.libc import source as llvm_libc_source
from bareflow.libc.source import Pin, SourceError, find_files, lay_out, load_pin

ROOT = Path(__file__).resolve().parents[2]
FILES = {"libc/src/a.cpp": b"int a;\n", "libc/include/b.h": b"int b;\n"}
PIN = Pin(
    version="22.1.8",
    debian_path="pool/main/l/llvm/llvm_22.orig.tar.xz",
    debian_sha256="0" * 64,
    header_names=[],
    header_functions=[],
    hosted_functions=[],
    sources=["a.cpp"],
    hosted=[],
    glibc_abi=[],
    internal_headers=[],
    files={name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()},
)


def ignore(message: str) -> None:
    """Progress that nobody watches."""


def make_tarball(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:xz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"llvm-22/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_takes_what_is_listed_and_nothing_else(tmp_path: Path) -> None:
    tarball = make_tarball(tmp_path / "t.tar.xz", {"README": b"no", **FILES, "libc/src/c.cpp": b"no"})
    assert find_files(PIN, tarball, tmp_path / "cache", ignore) == FILES
    lay_out(FILES, tmp_path / "out")
    assert {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.*")} == set(FILES)


def test_refuses_a_changed_file(tmp_path: Path) -> None:
    tarball = make_tarball(tmp_path / "t.tar.xz", FILES | {"libc/src/a.cpp": b"int evil;\n"})
    with pytest.raises(SourceError, match=r"libc/src/a\.cpp is not LLVM-libc 22\.1\.8's"):
        find_files(PIN, tarball, tmp_path / "cache", ignore)


def test_names_a_missing_file(tmp_path: Path) -> None:
    tarball = make_tarball(tmp_path / "t.tar.xz", {"libc/src/a.cpp": FILES["libc/src/a.cpp"]})
    with pytest.raises(SourceError, match=r"lacks 1 files, libc/include/b\.h among them"):
        find_files(PIN, tarball, tmp_path / "cache", ignore)


def test_refuses_what_is_no_tarball(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"hello" * 1000)
    with pytest.raises(SourceError, match="cannot be read"):
        find_files(PIN, tmp_path / "t", tmp_path / "cache", ignore)


def test_fetches_once_and_then_uses_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = []

    def fetch(pin: Pin, folder: Path, progress: llvm_libc_source.Progress) -> Path:
        fetched.append(folder)
        return make_tarball(folder / "t.tar.xz", FILES)

    monkeypatch.setattr(llvm_libc_source, "_fetch_debian", fetch)
    cache = tmp_path / "cache"
    assert find_files(PIN, None, cache, ignore) == FILES
    assert find_files(PIN, None, cache, ignore) == FILES
    assert len(fetched) == 1
    (cached,) = cache.iterdir()
    cached.write_bytes(b"damaged")
    assert find_files(PIN, None, cache, ignore) == FILES
    assert len(fetched) == 2


def test_another_list_is_another_cache() -> None:
    assert replace(PIN, files={"libc/src/a.cpp": "0" * 64}).key != PIN.key


def test_without_apt_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "mirrors", list)
    with pytest.raises(SourceError, match=r"llvm_libc_tarball=FILE: Debian's llvm_22\.orig\.tar\.xz"):
        find_files(PIN, None, tmp_path / "cache", ignore)


def test_the_project_s_own_pin_is_complete() -> None:
    pin = load_pin(ROOT / "llvm-libc")
    assert {f"libc/src/{name}" for name in pin.sources} <= set(pin.files)
    assert {f"libc/include/{name}.yaml" for name in pin.header_names} <= set(pin.files)
    assert all(len(digest) == 64 for digest in pin.files.values())
