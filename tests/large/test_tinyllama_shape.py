"""A made-up model of TinyLlama-1.1B's hyperparameters in a machine of 1500 MiB: it is loaded, and generates
the tokens that the Linux program generates. Slow: `./bareflow large`."""

from __future__ import annotations

from pathlib import Path

import pytest
from bareflow.bench.linux_session import record
from bareflow.disk.fat import read_file
from bareflow.disk.fat_image import build_image
from bareflow.models.synthetic_gguf import TINYLLAMA, write_model
from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import Machine

MEMORY = 1500
LIMIT = 1500.0
"""Seconds: an emulated processor takes some of them for a token."""
KERNEL = "/boot/BAREFLOW.KRN"
IDS = "/profile/IDS.TXT"
CONFIG = {"prompt_ids": "1,300,301", "steps": 5, "temperature": 0}


@pytest.mark.parametrize("mixture", ["Q8_0", "Q4_K_M"])
def test_tinyllama_shape(
    build_dir: Path, image: Path, linux_program: Path, tmp_path: Path, mixture: str
) -> None:
    model = tmp_path / "root" / "model" / "model.bin"
    for folder in (model.parent, tmp_path / "root" / "profile"):
        folder.mkdir(parents=True)
    write_model(model, TINYLLAMA, mixture)
    boot_dir = build_dir.parent / "boot"
    loader = [(boot_dir / f"{stage}.bin").read_bytes() for stage in ("stage1", "stage2")]
    disk = tmp_path / "disk.img"
    files = {KERNEL: read_file(image, KERNEL), "/model/model.bin": model.read_bytes(), "/profile/": b""}
    build_image(disk, loader[0], loader[1], files)
    config = {**CONFIG, "mode": "generate", "ids": IDS}
    machine = Machine(disk, config=config, memory=MEMORY, snapshot=False)
    with Guest(machine, timeout=LIMIT) as guest:
        assert guest.wait_exit() == 0, guest.serial
        loaded, generated = guest.event("model"), guest.event("generate")
    seconds = loaded["us"] / 1e6
    print(
        f"{mixture}: {loaded['bytes']} bytes in {seconds:.1f} s, {loaded['bytes'] / 1e6 / seconds:.0f} MB/s; "
    )
    print(
        f"{mixture}: {generated['tokens_per_s']} tokens/s, {generated['prompt_tokens_per_s']} of the prompt"
    )
    assert loaded["bytes"] == model.stat().st_size
    ids, _ = record(linux_program, tmp_path / "root", CONFIG)
    assert read_file(disk, IDS) == ids
    assert len(ids.split()) == CONFIG["steps"]
