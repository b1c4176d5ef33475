"""A kernel that was compiled for what a machine had leaves another machine to a kernel that fits."""

from __future__ import annotations

from pathlib import Path

import pytest
from bareflow.models.synthetic_model import ModelConfig, random_checkpoint, tokenizer
from disk_tools import DiskImage
from fixture_types import Boot, Disk, MadeDisk, ModelImage
from life_tools import (
    ROOT,
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

SECOND = "/boot/snapshots/0002.KRN"
CONFIG = ModelConfig()


@pytest.mark.timeout(900)
def test_another_cpu(disk: Disk, boot: Boot, model_image: ModelImage, build_dir: Path) -> None:
    """The successor has the AVX2 kernel that was measured to be fastest; a CPU without AVX2 gets full."""
    copy = disk(model_image("default"))
    generate(copy, cpu="Haswell")
    expected = results(copy)
    own, avx2, _ = widths_of("matmul_q8", build_dir)
    choose(copy, own, avx2)
    event = export(copy, cpu="Haswell").event("export")
    assert event["chosen"] == 1 and event["needs"].startswith("avx2,")
    assert index(copy)["0001.KRN"]["cpu"] == event["needs"]

    native = generate(copy, cpu="Haswell", memory=32)
    assert native.event("vector")["reason"] == "measured by the JIT"
    assert not [event for event in native.events if event["event"] == "llvm"]
    assert results(copy) == expected

    parent = generate(copy, cpu="qemu64")
    assert f"{SNAPSHOT} needs avx2, which this CPU does not have: {ROOT} boots instead." in parent.console
    assert parent.event("passed_over") == {"event": "passed_over", "kernel": SNAPSHOT, "takes": ROOT}
    assert [event["event"] for event in parent.events].count("llvm") == 1
    assert results(copy) == expected and slots(copy) == (ROOT, SNAPSHOT)

    copy.write(ROOT, copy.read(SNAPSHOT))  # as the only kernel: it ends before it uses what there is not
    forget_slots(copy)
    alone = boot(copy, cpu="qemu64", memory=32)
    assert alone.wait_exit() == 1
    assert "error: This kernel needs avx2, which this CPU does not have." in alone.console


@pytest.mark.timeout(900)
def test_another_model(disk: Disk, once: DiskImage, successor: MadeDisk) -> None:
    """Full learns another model's sizes; each model gets the kernel that was made for it."""
    copy = disk(successor.disk.path)
    files = ("/model/model.bin", "/model/tokenizer.bin")
    first = {path: copy.read(path) for path in files}
    second = dict(zip(files, (random_checkpoint("v0", CONFIG, 1), tokenizer(CONFIG.vocabulary)), strict=True))

    put(copy, second)
    parent = generate(copy)
    this = "dim=64,hidden=172,layers=5,heads=8/4,head_size=8,vocabulary=512,group=0"
    assert f"{SNAPSHOT} was made for the model dim=128," in parent.console
    assert f"and this one is {this}: {ROOT} boots instead." in parent.console
    assert slots(copy) == (ROOT, SNAPSHOT)
    expected_second = results(copy)
    export(copy, texts=1)
    native = generate(copy, memory=32)
    assert [event["event"] for event in native.events].count("boot") == 1
    assert results(copy) == expected_second and slots(copy) == (SECOND, ROOT)

    put(copy, first)
    native = generate(copy, memory=32)
    assert native.event("passed_over") == {"event": "passed_over", "kernel": SECOND, "takes": SNAPSHOT}
    assert results(copy) == results(once) and slots(copy) == (SNAPSHOT, ROOT)


def put(disk: DiskImage, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        disk.write(path, data)
