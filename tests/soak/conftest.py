"""Fixtures of the tests that soak."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def full_image(image: Path, build_dir: Path) -> Path:
    """The image as built, of a variant that writes its successors."""
    if "libLLVMCore.a" not in json.loads((build_dir / "size.json").read_text())["parts"]:
        pytest.skip("native has no such life")
    return image
