"""When a precompiled header is made again, and which sources use it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from project_files import ROOT

sys.path.append(str(ROOT / "site_scons" / "site_tools"))

from precompiled_header import _includes_others, _remove_if_outdated


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A precompiled header of a project's header and of one from outside the project."""
    made = tmp_path / "made.pch"
    outside = tmp_path / "outside.h"
    outside.write_text("")
    made.write_text("")
    os.utime(made, (outside.stat().st_ctime + 1,) * 2)
    Path(f"{made}.d").write_text(f"made.pch: in/the/project.h \\\n  {outside}\n")
    return made


def test_stays_while_nothing_changes(made: Path) -> None:
    _remove_if_outdated(made, Path(f"{made}.d"))
    assert made.exists()


def test_is_removed_for_a_header_that_came_later(made: Path) -> None:
    """Packages bring files with old dates: what counts is when they came."""
    outside = made.with_name("outside.h")
    os.utime(made, (outside.stat().st_ctime - 1,) * 2)
    os.utime(outside, (0, 0))
    _remove_if_outdated(made, Path(f"{made}.d"))
    assert not made.exists()


def test_is_removed_with_a_header(made: Path) -> None:
    made.with_name("outside.h").unlink()
    _remove_if_outdated(made, Path(f"{made}.d"))
    assert not made.exists()


@pytest.mark.parametrize(
    ("header", "others"), [("direct", True), ("by_the_way", True), ("beside", False), ("own", False)]
)
def test_sources_that_use_it(tmp_path: Path, header: str, others: bool) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    texts = {
        "direct": '#include "llvm/IR/Module.h"\n',
        "by_the_way": '#include "folder/direct"\n',
        "beside": '#include "own"\n',
        "own": "#include <string.h>\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    assert _includes_others(tmp_path, f"folder/{header}") == others
