"""Fixtures of all tests that boot something.

BAREFLOW_BUILD   build folder of the variant under test, set by `./bareflow test`
                 (default: build/x86_64/native)
BAREFLOW_ENGINE_BUILD
                 build folder of full for tests/full and tests/linux, where the other tests of the same run
                 are about another variant (default: BAREFLOW_BUILD)
BAREFLOW_TRIMMED_BUILD
                 build folder of a trimmed variant for tests/trimmed, and for tests/full a second time
                 (default: BAREFLOW_BUILD, and not)
BAREFLOW_MODELS  folder that holds stories260K/ (a reference model with texts and logits that other
                 programs made of it; not part of the project): without it only the tests about these are
                 skipped; default: ../shared/models beside the checkout
"""

from __future__ import annotations

import array
import fcntl
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from project_files import DEFAULT_MODEL, DEFAULT_TOKENIZER, ROOT

sys.path.insert(0, str(ROOT / "site_scons"))

from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import Machine
from disk_tools import DiskImage
from fixture_types import (
    Boot,
    Disk,
    GuestImage,
    ModelFiles,
    ModelImage,
    OneFolder,
    Processor,
    Reference,
    Story,
    Tell,
)
from loader_disk import BUILD, assemble
from reference_model import ReferenceModel

# The reference model's files: kind -> checkpoint.
CHECKPOINTS = {"v0": "stories260K.bin", "v1": "stories260K_v1.bin", "q80": "stories260K_q80_gs4.bin"}

ENGINE, TRIMMED, I386 = "BAREFLOW_ENGINE_BUILD", "BAREFLOW_TRIMMED_BUILD", "BAREFLOW_I386_BUILD"
VARIABLES = {"full": ENGINE, "linux": ENGINE, "trimmed": TRIMMED}
"""By the folder of tests, what names the build that they are about, if it is not the main one."""

ALSO_ON_I386 = {
    f"test_{name}.py"
    for name in (
        "boot_event boot_slots_kernel clock coverage disk_faults disk_identity exceptions gdb image keyboard "
        "language_runtime large_clusters memory missing_devices power profile slow_reader storage story"
    ).split()
}
"""Tests of images that are run for both architectures, unless they soak."""

FEW_ON_I386 = {
    f"test_{name}" for name in ("each_boot_takes_the_newest few_power_cuts old_ones_make_room").split()
}
"""Those of other files, which take long; `soak` runs these files whole (tests/SConscript)."""

SOAK_ON_I386 = {
    f"test_{name}"
    for name in (
        # They wait for seconds, which an emulated processor spends computing.
        "disk_that_does_not_answer removed_disk removed_disk_is_told_once "
        # They restart a machine many times, and what they are about is the same C for both.
        "twin_is_left_alone on_by_the_setting power_cuts_while_it_is_saved success_gives_the_attempts_back "
        "kernel_that_never_reports kernel_that_asks_for_the_other power_cut_at_any_moment "
        "bios_by_the_config_file without_a_result not_trusted_with_the_cache_off switched_off_while_waiting "
        "result_but_no_end failing_disk_is_told_once"
    ).split()
}
"""Of the tests for both architectures, those that only `soak` runs on i386."""

STORY_STEPS = 64

CPU_OF_32_BITS = "qemu32,+nx"
"""QEMU's default of 32 bits lacks NX, about which there is a line at every boot."""

# Written by the reference program after the text: no part of the story.
REFERENCE_END = "\n"

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what is in the background that way; the programs that are tested would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives `build_dir` the variable that names the build folder of a test. As a parameter, so that what is
    made once of an image is made once for each variant. tests/full tests trimmed when that is there alone."""
    if "build_dir" in metafunc.fixturenames:
        folder = metafunc.definition.path.parent.name
        variable = VARIABLES.get(folder, "BAREFLOW_BUILD")
        if folder == "full" and ENGINE not in os.environ and TRIMMED in os.environ:
            variable = TRIMMED
        variables = [pytest.param(variable, id=pytest.HIDDEN_PARAM)]
        short = not metafunc.definition.get_closest_marker("soak")
        chosen = metafunc.definition.path.name in ALSO_ON_I386 or metafunc.definition.name in FEW_ON_I386
        if I386 in os.environ and short and chosen:
            soaks = [pytest.mark.soak] if metafunc.definition.name in SOAK_ON_I386 else []
            variables.append(pytest.param(I386, id="i386", marks=soaks))
        metafunc.parametrize("build_dir", variables, indirect=True, scope="session")


@pytest.fixture(scope="session")
def build_dir(request: pytest.FixtureRequest) -> Path:
    """Build folder of the variant under test."""
    given = os.environ.get(request.param) or os.environ.get("BAREFLOW_BUILD")
    path = Path(given or ROOT / "build" / "x86_64" / "native").resolve()
    if not path.is_dir():
        pytest.fail(f"there is no build in {path}; `./bareflow test` makes one and sets BAREFLOW_BUILD")
    return path


@pytest.fixture
def plugin(build_dir: Path) -> Path:
    """Of clang and opt: what makes of mathematics calls of the C library."""
    return build_dir.parents[1] / "tools/library_functions.so"


def _built(path: Path) -> Path:
    if not path.is_file():
        pytest.fail(f"{path} was not built; `./bareflow test` builds what the tests need")
    return path


@pytest.fixture(scope="session")
def image(build_dir: Path) -> Path:
    """The application's disk image as built; boot it with snapshot=True (the default) only."""
    return _built(build_dir / "bareflow.img")


@pytest.fixture(scope="session")
def linux_program(build_dir: Path) -> Path:
    """The same application as a Linux program."""
    return _built(build_dir / "linux" / "bareflow")


@pytest.fixture(scope="session")
def guest_image(build_dir: Path) -> GuestImage:
    """The image of a test guest: guest_image("divide_error") is tests/boot/guests/divide_error.c."""
    return lambda name: _built(build_dir / "guests" / name / f"{name}.img")


@pytest.fixture(scope="session")
def session_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disk whose boot sector is tests/system/session.asm: a guest of known behaviour."""
    path = tmp_path_factory.mktemp("session") / "session.img"
    sector = assemble(ROOT / "tests" / "system" / "session.asm")
    path.write_bytes(sector.ljust(1440 * 1024, b"\0"))
    return path


@pytest.fixture(scope="session")
def architecture(build_dir: Path) -> str:
    """Of the variant under test: "x86_64" or "i386"."""
    return build_dir.parent.name


@pytest.fixture
def processor(request: pytest.FixtureRequest) -> Processor:
    """The QEMU for what was built, and its CPU, as arguments of Machine."""
    built = "build_dir" in request.fixturenames
    architecture = request.getfixturevalue("architecture") if built else BUILD.parent.name
    chosen = {"qemu": f"qemu-system-{architecture}"}
    return chosen | {"cpu": CPU_OF_32_BITS} if architecture == "i386" else chosen


@pytest.fixture
def boot(processor: Processor) -> Iterator[Boot]:
    """Boots images, in the QEMU for what was built; every guest is ended at the end of the test."""
    with ExitStack() as stack:

        def start(image: Path | DiskImage, *, timeout: float = 60.0, **machine: Any) -> Guest:
            path = image.path if isinstance(image, DiskImage) else image
            machine = {**processor, **machine}
            return stack.enter_context(Guest(Machine(path, **machine), timeout=timeout))

        yield start


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """Private copy of an image, to be changed by the test or (with snapshot=False) by the guest."""
    return lambda source: DiskImage.copy(source, tmp_path / source.name)


@pytest.fixture(scope="session")
def models() -> Path:
    """Folder of the reference model stories260K and what is expected of it."""
    given = os.environ.get("BAREFLOW_MODELS")
    folder = (Path(given) if given else ROOT.parent / "shared" / "models") / "stories260K"
    if folder.is_dir():
        return folder
    if given:
        pytest.fail(f"BAREFLOW_MODELS={given}: there is no folder stories260K in it")
    pytest.skip(
        "this compares with what other programs made of the model stories260K, which is not here; "
        "set BAREFLOW_MODELS to the folder that holds it"
    )


@pytest.fixture(scope="session")
def model_files(request: pytest.FixtureRequest) -> ModelFiles:
    """The checkpoint and the tokenizer of the "default" model, or of the reference model as "v0", "v1" or
    "q80"."""

    def files(kind: str) -> tuple[Path, Path]:
        if kind == "default":
            return DEFAULT_MODEL, DEFAULT_TOKENIZER
        models: Path = request.getfixturevalue("models")
        return models / CHECKPOINTS[kind], models / "tok512.bin"

    return files


@pytest.fixture(scope="session")
def model_image(image: Path, model_files: ModelFiles, tmp_path_factory: pytest.TempPathFactory) -> ModelImage:
    """The application's image with a model put in by mtools, whichever it was built with.

    Made once per kind; for boots with snapshot=True. For one to change: disk(model_image("v0")).
    """
    folder = tmp_path_factory.mktemp("images")

    def make(kind: str) -> Path:
        path = folder / f"{kind}.img"
        if not path.exists():
            model, tokenizer = model_files(kind)
            copy = DiskImage.copy(image, path.with_suffix(".part"))
            copy.write("/model/model.bin", model.read_bytes())
            copy.write("/model/tokenizer.bin", tokenizer.read_bytes())
            copy.path.rename(path)
        return path

    return make


@pytest.fixture(scope="session")
def one_folder(tmp_path_factory: pytest.TempPathFactory) -> OneFolder:
    """What takes long and several files of tests begin with."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of all workers

    def made(name: str, fill: Callable[[Path], None]) -> Path:
        result = folder / name
        with open(f"{result}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not result.exists():
                part = tmp_path_factory.mktemp(name)
                fill(part)
                part.rename(result)
        return result

    return made


def _tell_story(image: Path, folder: Path) -> None:
    """Leaves text, tokens and first words of the story that the guest tells, after a comparison with the
    reference."""
    disk = DiskImage.copy(image, folder / "story.img")
    files = {"ids": "/profile/IDS.TXT", "logits": "/profile/LOGITS.F32"}
    config = {"mode": "generate", "temperature": 0, "steps": STORY_STEPS, **files}
    with Guest(Machine(disk.path, config=config, snapshot=False)) as guest:
        assert guest.wait_exit() == 0, guest.serial
        text = guest.text
    ids = [int(number) for number in disk.read(files["ids"]).split()]
    model = ReferenceModel(DEFAULT_MODEL, DEFAULT_TOKENIZER)
    model.check(ids, array.array("f", disk.read(files["logits"])))
    assert text == model.decode(ids)

    words = next(n for n in range(4, len(ids)) if model.pieces[ids[n]].startswith(b" "))
    (folder / "story.json").write_text(json.dumps([text, ids, model.decode(ids[:words])]))


@pytest.fixture(scope="session")
def story(model_image: ModelImage, build_dir: Path, architecture: str, one_folder: OneFolder) -> Story:
    """The default model's story as the guest tells it once, compared with the reference."""
    image = model_image("default")
    folder = one_folder(f"{architecture}-{build_dir.name}-story", lambda folder: _tell_story(image, folder))
    text, ids, beginning = json.loads((folder / "story.json").read_text())
    return Story(image, len(ids), text, ids, beginning)


@pytest.fixture
def tell(boot: Boot) -> Tell:
    """Tells a story; config adds to the defaults, keyword arguments are those of `boot`."""

    def run(image: Path | DiskImage, config: dict[str, object], **machine: Any) -> Guest:
        guest = boot(image, config={"mode": "generate", "temperature": 0, **config}, **machine)
        assert guest.wait_exit() == 0, guest.serial
        return guest

    return run


@pytest.fixture(scope="session")
def reference(models: Path) -> Reference:
    """The texts that the reference program made of the reference model."""
    return lambda name: (models / f"ref_{name}.txt").read_text().removesuffix(REFERENCE_END)
