"""Fixtures of the tests of the full image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fixture_types import Disk, Record, Tell

# Enough on a busy machine: compiling is slow in an emulator.
LIMIT = 300.0


@pytest.fixture(scope="session")
def linux_program(build_dir: Path) -> Path:
    """Full as a Linux program, which is there for a trimmed variant as well."""
    return build_dir.with_name("full") / "linux" / "bareflow"


@pytest.fixture
def record(tell: Tell, disk: Disk) -> Record:
    """Tells a story; returns the guest, the token ids' file and the logits' file from the disk."""

    def run(image: Path, config: dict[str, object]) -> tuple[Any, bytes, bytes]:
        copy = disk(image)
        files = {"ids": "/profile/IDS.TXT", "logits": "/profile/LOGITS.F32"}
        guest = tell(copy, {**files, **config}, snapshot=False, memory=256, timeout=LIMIT)
        return guest, copy.read(files["ids"]), copy.read(files["logits"])

    return run
