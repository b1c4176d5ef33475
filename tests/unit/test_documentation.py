"""The documents' links lead somewhere, and the files that they name exist; lines are not too long."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from project_files import ROOT

FOLDERS = "boot|docs|examples|kernel_lib|llvm-libc|site_scons|tests|tinyllama|variants"


def tracked(*patterns: str) -> list[Path]:
    """The project's files of these names, from the top folder."""
    command = ["git", "ls-files", *patterns]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted(map(Path, listed.split()))


DOCUMENTS = tracked("*.md")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as Markdown's renderers make them of their words."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", (ROOT / document).read_text()):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        page = (ROOT / document).parent / name if name else ROOT / document
        assert page.exists(), link
        assert not anchor or anchor in anchors(page), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_named_files_exist(document: Path) -> None:
    text = (ROOT / document).read_text()
    for name in re.findall(rf"`((?:{FOLDERS})/[\w./*-]+)`", text):
        if "NAME" not in name:  # a placeholder
            assert list(ROOT.glob(name.rstrip("/"))), f"{document} names {name}"


def test_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    for page in DOCUMENTS:
        if page.parent == Path("docs") and page.name != "README.md":
            assert f"]({page.name})" in index, page


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_prose_has_at_most_100_columns(document: Path) -> None:
    text = re.sub(r"^ *```.*?^ *```$", "", (ROOT / document).read_text(), flags=re.MULTILINE | re.DOTALL)
    long = [line for line in text.splitlines() if len(line) > 100 and not line.startswith("|")]
    # A link or a sample cannot be divided.
    assert [
        line for line in long if " " in line.strip("> ") and "](http" not in line and line[0] != ">"
    ] == []


def test_comments_of_c_have_at_most_100_columns() -> None:
    """clang-format sees to the code, and leaves comments alone."""
    for source in tracked("*.c", "*.h", "*.cpp"):
        for number, line in enumerate((ROOT / source).read_text().splitlines(), 1):
            assert len(line) <= 100, f"{source}:{number}"
