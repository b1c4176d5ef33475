"""The workload file, and the image that it runs on being as before afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from bareflow.coverage.workload import Run, WorkloadError, load_workload
from bareflow.disk.fat import FatError, read_file, replaced_files
from bareflow.disk.fat_image import build_image

ROOT = Path(__file__).resolve().parents[2]


def written(folder: Path, text: str) -> Path:
    path = folder / "variants" / "workload.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_all_keys(tmp_path: Path) -> None:
    (tmp_path / "other.bin").write_bytes(b"x")
    text = """
        timeout = 5
        memory = 99
        [[run]]
        name = "a"
        config = { mode = "interactive", steps = 3 }
        input = "x\\n"
        files = { "/model/model.bin" = "other.bin" }
        code = 1
        memory = 32
        drive = "ahci"
        machine = "q35"
        model = "v0"
        alone = true
        cpu = "max"
        platform = "linux"
        layouts = true
        levels = { steps = 1 }
        [[run]]
        name = "b"
        config = {}
    """
    workload = load_workload(written(tmp_path, text))
    assert workload.timeout == 5
    files = {"/model/model.bin": tmp_path.resolve() / "other.bin"}
    config = {"mode": "interactive", "steps": 3}
    assert workload.runs == [
        Run("a", config, "x\n", files, 1, 32, "ahci", "q35", "v0", True, "max", "linux", True, {"steps": 1}),
        Run("b", {}, memory=99),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"there is no \[\[run\]\]"),
        ("runs = 1", "there is no key 'runs'"),
        ("[[run]]\nname = 'a'", r"run 1 \(a\): config must be given"),
        ("[[run]]\nconfig = {}", "run 1: name must be given"),
        ("[[run]]\nname = 'a'\nconfig = {}\nplatform = 'x'", "platform must be one of bare, linux"),
        ("[[run]]\nname = 'a'\nconfig = {}\nprompt = 'x'", "there is no key 'prompt'"),
        ("[[run]]\nname = 'a'\nconfig = {}\ncode = '1'", "code must be of type int"),
        ("[[run]]\nname = 'a'\nconfig = {}\nfiles = { x = 'none' }", "there is no file .*none"),
        ("[[run]]\nname = 'a'\nconfig = {}\nmodel = 'v9'", "model must be one of v0, v2"),
        ("[[run", "workload.toml: "),
    ],
)
def test_wrong(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(WorkloadError, match=message):
        load_workload(written(tmp_path, text))


def test_the_projects_own() -> None:
    workload = load_workload(ROOT / "variants" / "workload.toml")
    assert len({run.name for run in workload.runs}) == len(workload.runs)


def test_files_for_one_run(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    tree = {"/model/model.bin": b"the model", "/profile/": b""}
    build_image(image, bytes(510) + b"\x55\xaa", bytes(4096), tree)
    with replaced_files(image, {"/model/model.bin": b"other", "/profile/new.bin": b"new"}):
        assert read_file(image, "/model/model.bin") == b"other"
        assert read_file(image, "/profile/new.bin") == b"new"
    assert read_file(image, "/model/model.bin") == b"the model"
    with pytest.raises(FatError):
        read_file(image, "/profile/new.bin")
