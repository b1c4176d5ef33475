"""The file that tests/boot/guests/disk_files.c copies."""

from __future__ import annotations

import random

from disk_tools import DiskImage

INPUT = "/profile/the input file.bin"
COPY = "/profile/COPY.BIN"
FIRST_CONTENTS = b"not the last word\0"  # what the guest writes to COPY before it replaces it
CONTENTS = random.Random(20).randbytes(300_001)  # no multiple of a sector
SECTOR = 512
BIOS = "BIOS disk"
"""What the guest calls a disk that it reaches through the BIOS."""


def with_input(image: DiskImage) -> DiskImage:
    """The guest's image, with the input file."""
    image.write(INPUT, CONTENTS)
    return image
