"""The build graph itself: the same bytes anywhere, and never more work than there is."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from bareflow.llvm import llvm_tool
from bareflow.qemu.machine import QEMU
from disk_tools import DiskImage
from fixture_types import Story
from project_files import DEFAULT_MODEL, DEFAULT_TOKENIZER, ROOT

MODEL = "/model/model.bin"
LIMIT = 900  # seconds for a whole build on a busy machine

# The first test waits for a whole build. (Workers take whole files, so there is only one.)
pytestmark = pytest.mark.timeout(2 * LIMIT)

PYTHON = ".venv/bin/python"
NOT_COPIED = (".git", ".venv", "build", "custom.py", "__pycache__", ".*_cache")
COMPARED = ("bareflow.elf", "bareflow.krn", "bareflow.map", "size.json", "bareflow.img")
# What some steps use, and what takes longer to import than the rest of a build that has nothing to do.
HEAVY = {"elftools", "lief", "numpy", "pytest", "qemu"}
# A quiet build prints a line such as "[      CC] tinyllama/main.c" for all that it does.
STEP = re.compile(r"^\[ *\S+\] .*$", re.MULTILINE)


@dataclass(frozen=True)
class Checkout:
    """A copy of the sources with a build of its own."""

    folder: Path
    build: Path

    def scons(self, *arguments: str, **environment: str) -> str:
        """Runs the build; returns what it printed."""
        inherited = {name: value for name, value in os.environ.items() if name != "BAREFLOW_CACHE"}
        result = subprocess.run(
            [self.folder / PYTHON, "-m", "SCons", "-Q", f"build={self.build.parents[1]}", *arguments],
            cwd=self.folder,
            env=inherited | environment,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def steps(self) -> list[str]:
        """What a build of the default targets has to do now."""
        return STEP.findall(self.scons())


@pytest.fixture(scope="module")
def checkout(build_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Another checkout, built from nothing. What it is in, what it builds in and the Python that it is built
    with have names that shells, SCons and lists of paths would take for something else."""
    place = tmp_path_factory.mktemp("elsewhere") / "it's $HOME: a `c`"
    folder = place / 'a  "copÿ"'
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / PYTHON).symlink_to(os.path.realpath(sys.executable))
    for name in ("pyvenv.cfg", "lib"):
        (folder / ".venv" / name).symlink_to(Path(sys.prefix) / name)
    copy = Checkout(folder, place / "its $x 'build'" / build_dir.parent.name / build_dir.name)
    assert copy.steps(), "the first build did nothing"
    return copy


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def digests(checkout: Checkout) -> dict[str, str]:
    """Of what the other checkout has built, by name."""
    checkout.steps()  # whatever another test has left to do
    return {name: digest(checkout.build / name) for name in COMPARED}


@pytest.mark.parametrize("name", COMPARED)
def test_two_builds_are_identical(digests: dict[str, str], build_dir: Path, name: str) -> None:
    if name == "bareflow.img" and DiskImage(build_dir / name).read(MODEL) != DEFAULT_MODEL.read_bytes():
        pytest.skip("the image under test was built with model=, the copy's without")
    assert digests[name] == digest(build_dir / name)


def test_run_builds_and_prints_only_the_story(checkout: Checkout, story: Story, tmp_path: Path) -> None:
    """With a model that is not in the project: the default one under another name."""
    model, tokenizer = tmp_path / "a model.bin", tmp_path / "its tokenizer.bin"
    model.write_bytes(DEFAULT_MODEL.read_bytes())
    tokenizer.write_bytes(DEFAULT_TOKENIZER.read_bytes())
    output = checkout.scons(
        "run",
        f"model={model}",
        f"tokenizer={tokenizer}",
        f"prompt={story.beginning}",
        "temperature=0",
        f"steps={story.steps}",
    )
    assert output == story.text + "\n"


def test_run_boots_what_it_has_built(checkout: Checkout, story: Story, tmp_path: Path) -> None:
    """Although another build puts another model into the image's file before QEMU opens it."""
    other, done = tmp_path / "other.bin", tmp_path / "done"
    other.write_bytes(b"no model")
    build = [checkout.folder / PYTHON, "-m", "SCons", "-Q", f"build={checkout.build.parents[1]}"]
    build += [f"model={other}", f"tokenizer={DEFAULT_TOKENIZER}"]
    qemu = tmp_path / QEMU
    qemu.write_text(
        f"#!/bin/sh\n{shlex.join(map(str, build))} >{shlex.quote(str(done))} 2>&1\n"
        f'exec {shutil.which(QEMU)} "$@"\n'
    )
    qemu.chmod(0o755)
    output = checkout.scons(
        "run",
        f"prompt={story.beginning}",
        "temperature=0",
        f"steps={story.steps}",
        PATH=f"{tmp_path}:{os.environ['PATH']}",
    )
    assert output == story.text + "\n"
    assert "IMAGE]" in done.read_text()
    assert DiskImage(checkout.build / "bareflow.img").read(MODEL) == other.read_bytes()


def test_run_with_nothing_else_tells_a_story(checkout: Checkout) -> None:
    """What someone does first who has cloned the project: the model's own, from its own beginning."""
    story = checkout.scons("run", "seed=1")
    words = re.findall(r"[A-Za-z']+", story)
    assert len(words) > 30
    assert "@bareflow" not in story and "[" not in story


def test_null_build_does_nothing(checkout: Checkout) -> None:
    checkout.steps()  # whatever another test has left to do
    before = {path: path.stat().st_mtime_ns for path in checkout.build.rglob("*") if path.is_file()}
    assert checkout.steps() == []
    after = {path: path.stat().st_mtime_ns for path in checkout.build.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize("variant", ["native", "full", "trimmed"])
def test_the_graph_is_made_without_what_the_steps_need(
    checkout: Checkout, tmp_path: Path, variant: str
) -> None:
    """A build that has nothing to do is to take less than a second."""
    coverage = tmp_path / "coverage.txt"
    coverage.write_text("")
    result = subprocess.run(
        [
            checkout.folder / PYTHON,
            "-X",
            "importtime",
            "-m",
            "SCons",
            "-n",
            f"variant={variant}",
            f"coverage={coverage}",
        ],
        cwd=checkout.folder,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert result.returncode == 0, result.stderr
    imported = set(re.findall(r"^import time:.*\| +(\w+)", result.stderr, re.MULTILINE))
    assert "SCons" in imported
    assert imported & HEAVY == set()


def test_a_changed_source_rebuilds_only_what_depends_on_it(checkout: Checkout) -> None:
    source = checkout.folder / "tinyllama" / "sampler.c"
    original = source.read_text()
    checkout.steps()
    try:
        source.write_text(
            original + "\nint added_by_a_test(void);\nint added_by_a_test(void) { return 1; }\n"
        )
        compiled = [step for step in checkout.steps() if re.search(r"\.(c|cpp|asm)\b", step)]
    finally:
        source.write_text(original)
    assert len(compiled) == 1 and "sampler.c" in compiled[0]


def test_a_changed_comment_stops_at_the_object(checkout: Checkout) -> None:
    """The object comes out the same, so nothing is linked again."""
    source = checkout.folder / "tinyllama" / "sampler.c"
    original = source.read_text()
    kernel = checkout.build / "bareflow.krn"
    checkout.steps()
    before = kernel.stat().st_mtime_ns
    try:
        source.write_text(original + "/* a comment at the end changes no line number */\n")
        steps = checkout.steps()
    finally:
        source.write_text(original)
    assert len(steps) == 1 and "sampler.c" in steps[0]
    assert kernel.stat().st_mtime_ns == before


def test_install(checkout: Checkout, tmp_path: Path) -> None:
    """The image with its checksums and the list of its inputs, which does not depend on place or time."""
    folder = tmp_path / "stage $d"
    checkout.scons("install", f"DESTDIR={folder}", "verbose=1")
    image, listing = (next(folder.glob(f"bareflow-*{end}")) for end in (".img", ".cdx.json"))
    assert sorted(path.name for path in folder.iterdir()) == sorted(["SHA256SUMS", image.name, listing.name])
    assert image.read_bytes() == (checkout.build / "bareflow.img").read_bytes()
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, check=True)
    contents = json.loads(listing.read_text())
    assert contents["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": digest(image)}]
    components = {part["name"]: part for part in contents["components"]}
    assert components["model.bin"]["hashes"][0]["content"] == digest(DEFAULT_MODEL)
    assert components["tokenizer.bin"]["hashes"][0]["content"] == digest(DEFAULT_TOKENIZER)
    assert {"llvm-libc", llvm_tool("clang"), "nasm", "scons"} <= components.keys()
    assert any(name.startswith("libclang_rt") for name in components)
    text = listing.read_text()
    assert str(checkout.folder) not in text and str(checkout.build) not in text and "timestamp" not in text
    before = listing.read_bytes()
    shutil.rmtree(checkout.build / "dist")
    checkout.scons("dist")
    assert (checkout.build / "dist" / listing.name).read_bytes() == before


def test_another_assembler_of_equal_date(checkout: Checkout, tmp_path: Path) -> None:
    """A program is told apart by its bytes; that it makes the same objects ends the rebuild there."""
    nasm, path = tmp_path / "nasm", f"{tmp_path}:{os.environ['PATH']}"

    def install(version: int) -> None:
        nasm.write_text(f'#!/bin/sh\nexec {shutil.which("nasm")} "$@" # {version}\n')
        nasm.chmod(0o755)
        os.utime(nasm, (0, 0))

    def steps() -> list[str]:
        return STEP.findall(checkout.scons(PATH=path))

    install(1)
    steps()
    assert steps() == []
    install(2)
    assembled = steps()
    assert assembled and all(step.startswith("[    NASM]") for step in assembled)
    assert steps() == []
