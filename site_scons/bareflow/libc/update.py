"""Regenerates llvm-libc/SHA256SUMS after llvm-libc/source.toml has changed.

    .venv/bin/python -m bareflow.libc.update TARBALL        (with PYTHONPATH=site_scons)

The tarball is Debian's source package of the pinned version, whose own hash is checked first, or LLVM's
release tarball with any hash as the second argument. Listed are the sources that source.toml names, what its
headers are made of, and all that their #include lines lead to, in any configuration. What else is not below
libc/src stays as it is listed.
"""

import hashlib
import re
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from bareflow.errors import BareFlowError
from bareflow.libc.source import SourceError, load_pin

_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.MULTILINE)
_TYPE = re.compile(rb"type_name: *(\w+)")
_FOLDERS = ("libc/src/", "libc/hdr/", "libc/include/", "libc/shared/", "libc/utils/hdrgen/", "libc/LICENSE")
_OTHER_MACHINES = {
    "aarch64", "amdgpu", "arm", "darwin", "gpu", "linux", "nvptx", "riscv", "spirv", "uefi", "wasm",
    "windows",
}  # fmt: skip


def _read(tarball: Path) -> dict[str, bytes]:
    """All files of the folders that anything can come from."""
    found = {}
    with tarfile.open(tarball, "r|*") as archive:
        for member in archive:
            name = member.name.partition("/")[2]
            if member.isfile() and name.startswith(_FOLDERS):
                content = archive.extractfile(member)
                found[name] = content.read() if content else b""
            elif found and not name.startswith("libc"):
                break
    return found


def _resolve(include: str, includer: str, files: Mapping[str, bytes]) -> str | None:
    """The file that an #include "..." means: beside the includer, or from libc's root."""
    for candidate in (PurePosixPath(includer).parent / include, PurePosixPath("libc") / include):
        parts: list[str] = []
        for part in candidate.parts:
            if part == "..":
                parts.pop()
            else:
                parts.append(part)
        name = "/".join(parts)
        if name in files and not _OTHER_MACHINES & set(parts):
            return name
    return None


def closure(sources: list[str], files: Mapping[str, bytes]) -> set[str]:
    """The sources and everything that they include, directly or not; raises SourceError for one not there."""
    reached: set[str] = set()
    pending = list(sources)
    while pending:
        name = pending.pop()
        if name in reached:
            continue
        if name not in files:
            raise SourceError(f"there is no {name} in the tarball")
        reached.add(name)
        for match in _INCLUDE.findall(files[name]):
            if included := _resolve(match.decode(), name, files):
                pending.append(included)
    return reached


def parts_of_header(name: str, files: Mapping[str, bytes]) -> list[str]:
    """What hdrgen makes a header of: its description, its template if it has one, its types."""
    description = f"libc/include/{name}.yaml"
    types = [
        f"libc/include/llvm-libc-types/{found.decode()}.h" for found in _TYPE.findall(files[description])
    ]
    return [name for name in (description, f"libc/include/{name}.h.def", *types) if name in files]


def sums(wanted: set[str], files: Mapping[str, bytes]) -> str:
    """The lines of SHA256SUMS."""
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(wanted))


def main(arguments: list[str]) -> None:
    folder = Path(__file__).resolve().parents[3] / "llvm-libc"
    tarball = Path(arguments[0])
    pin = load_pin(folder)
    expected = arguments[1] if len(arguments) > 1 else pin.debian_sha256
    with tarball.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual != expected:
        raise SourceError(f"{tarball} has SHA-256 {actual} instead of {expected}")
    files = _read(tarball)
    named = (*pin.sources, *pin.hosted, *pin.glibc_abi, *pin.internal_headers)
    sources = [f"libc/src/{name}" for name in named]
    for name in pin.header_names:
        sources += parts_of_header(name, files)
    kept = {name for name in pin.files if not name.startswith("libc/src/")}
    (folder / "SHA256SUMS").write_text(sums(kept | closure(sources, files), files))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (BareFlowError, OSError, IndexError) as error:
        sys.exit(f"bareflow: {error or __doc__}")
