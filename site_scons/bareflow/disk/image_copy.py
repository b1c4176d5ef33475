"""Copies of disk images."""

import subprocess
from pathlib import Path


def copy_image(image: str | Path, copy: Path) -> Path:
    """Copies an image over a file, or to a new one. Holes stay holes; the copy, which is returned,
    has the permissions."""
    subprocess.run(["cp", "--reflink=auto", "--sparse=always", "--preserve=mode", image, copy], check=True)
    return copy
