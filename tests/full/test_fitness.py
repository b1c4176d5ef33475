"""A kernel that was compiled for what a machine had leaves another machine to a kernel that fits."""

from __future__ import annotations

from pathlib import Path

import pytest
from bareflow.models.synthetic_model import ModelConfig, random_checkpoint, tokenizer
from disk_tools import DiskImage
from fixture_types import Boot, Disk, MadeDisk
from life_tools import (
    ROOT,
    SECOND,
    SNAPSHOT,
    choose,
    export,
    forget_slots,
    generate,
    index,
    results,
    slots,
    widths_of,
)

CONFIG = ModelConfig()
FILES = ("/model/model.bin", "/model/tokenizer.bin")


def put(disk: DiskImage, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        disk.write(path, data)


@pytest.fixture(scope="module")
def two_models(successor: MadeDisk, build_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> DiskImage:
    """A disk with a successor for each of two models. The second one, whose model is there, has the AVX2
    kernel that was measured to be fastest."""
    copy = DiskImage.copy(successor.disk.path, tmp_path_factory.mktemp("models") / "disk.img")
    other = (random_checkpoint("v0", CONFIG, 1), tokenizer(CONFIG.vocabulary))
    put(copy, dict(zip(FILES, other, strict=True)))
    parent = generate(copy, cpu="Haswell")
    this = "dim=64,hidden=172,layers=5,heads=8/4,head_size=8,vocabulary=512,group=0"
    assert f"{SNAPSHOT} was made for the model dim=128," in parent.console
    assert f"and this one is {this}: {ROOT} boots instead." in parent.console
    assert slots(copy) == (ROOT, SNAPSHOT)
    expected = results(copy)

    own, avx2, _ = widths_of("matmul_f32", build_dir)
    choose(copy, own, avx2)
    event = export(copy, cpu="Haswell").event("export")
    assert event["chosen"] == 1 and event["needs"].startswith("avx2,")
    assert index(copy)["0002.KRN"]["cpu"] == event["needs"]
    native = generate(copy, cpu="Haswell", memory=32)
    assert native.event("vector")["reason"] == "measured by the JIT"
    assert [event["event"] for event in native.events].count("boot") == 1
    assert not [event for event in native.events if event["event"] == "llvm"]
    assert results(copy) == expected and slots(copy) == (SECOND, ROOT)
    return copy


@pytest.mark.timeout(900)
def test_another_cpu(two_models: DiskImage, disk: Disk, boot: Boot) -> None:
    """A CPU without AVX2 gets full, by way of the kernel that was made for the other model."""
    copy = disk(two_models.path)
    expected = results(copy)
    parent = generate(copy, cpu="qemu64")
    assert f"{SECOND} needs avx2, which this CPU does not have: {SNAPSHOT} boots instead." in parent.console
    assert f"{SNAPSHOT} was made for the model dim=128," in parent.console
    assert [
        (event["kernel"], event["takes"]) for event in parent.events if event["event"] == "passed_over"
    ] == [
        (SECOND, SNAPSHOT),
        (SNAPSHOT, ROOT),
    ]
    assert [event["event"] for event in parent.events].count("llvm") == 1
    assert results(copy) == expected and slots(copy) == (ROOT, SNAPSHOT)

    copy.write(ROOT, copy.read(SECOND))  # as the only kernel: it ends before it uses what there is not
    forget_slots(copy)
    alone = boot(copy, cpu="qemu64", memory=32)
    assert alone.wait_exit() == 1
    assert "error: This kernel needs avx2, which this CPU does not have." in alone.console


@pytest.mark.timeout(900)
def test_another_model(two_models: DiskImage, once: DiskImage, disk: Disk) -> None:
    """The first model gets the kernel that was made for it."""
    copy = disk(two_models.path)
    put(copy, {path: once.read(path) for path in FILES})
    native = generate(copy, cpu="Haswell", memory=32)
    assert native.event("passed_over") == {"event": "passed_over", "kernel": SECOND, "takes": SNAPSHOT}
    assert results(copy) == results(once) and slots(copy) == (SNAPSHOT, ROOT)
