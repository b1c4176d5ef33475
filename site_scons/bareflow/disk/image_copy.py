"""Copies of disk images."""

import subprocess
from pathlib import Path


def copy_image(image: Path, copy: Path) -> None:
    """Copies an image over a file, or to a new one. Holes stay holes; the copy has the permissions."""
    subprocess.run(["cp", "--reflink=auto", "--sparse=always", "--preserve=mode", image, copy], check=True)
