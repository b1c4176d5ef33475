"""An NMI at many moments, on every level of the JIT and without one: the report names the function, and its
callers up to app_main."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from interruptions import reports

MOMENTS = int(os.environ.get("BAREFLOW_BOOTS", "10"))
STORY: dict[str, object] = {"mode": "generate", "temperature": 0}
AT_ONCE = {"jit.tier0": "O0", "jit.budget": 100}
LEVELS: dict[str, dict[str, object]] = {
    "interpreter": {"jit.max_level": "interpreter", **STORY},
    "O0": {"jit.max_level": "O0", **AT_ONCE, **STORY},
    "O3": {"jit.thresholds": "1,2,3,4", **AT_ONCE, **STORY},
    "as it is": STORY,
    "ahead of time": {"mode": "bench"},
}


@pytest.mark.soak
@pytest.mark.timeout(120 + 20 * MOMENTS)
@pytest.mark.parametrize("level", LEVELS)
def test_every_caller_is_named(image: Path, build_dir: Path, level: str) -> None:
    has_jit = "libLLVMCore.a" in json.loads((build_dir / "size.json").read_text())["parts"]
    if has_jit == (level == "ahead of time"):
        pytest.skip("not of this variant")
    begin = '"event":"llvm".*\n' if has_jit else "^cycles "
    found = list(reports(image, LEVELS[level], MOMENTS, begin=begin, seconds=0.1, seed=7))
    assert [complaint for report in found for complaint in report.complaints()] == []
