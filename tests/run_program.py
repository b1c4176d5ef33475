"""Runs the image of a program as `./bareflow app=DIR run` does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from project_files import ROOT

LIMIT = 60.0


def run(
    image: Path, *arguments: str, stdin: bytes = b"", limit: float = LIMIT
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "bareflow.run.run", f"image={image}", "program=1", *arguments],
        input=stdin,
        capture_output=True,
        timeout=limit,
        env={**os.environ, "PYTHONPATH": str(ROOT / "site_scons")},
        check=False,
    )
