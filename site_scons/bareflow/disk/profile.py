"""The profile of a guest's JIT, to compile with (kernel_lib/jit/store/profile_file.h)."""

from pathlib import Path

from bareflow.disk.fat import FatError
from bareflow.disk.generations import newest, read_generation

HEAD = b"bareflow jit profile "
PATHS = ("/profile/EXPORT.PRF", "/profile/JIT.PRF")
"""The one that the guest's own successor was made from counts before what was learnt since."""


def read_profile(path: Path) -> bytes:
    """The profile that is in a file, or in a disk image. Raises FatError when there is none."""
    data = path.read_bytes()
    if data.startswith(HEAD):
        return newest([data])
    for name in PATHS:
        if found := read_generation(path, name):
            return found
    raise FatError(f"{path}: a JIT has left no profile on this disk: boot variant=full on it first")
