"""The application as a person uses it: typed on the keyboard and on the serial line, read on the screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from bareflow.qemu import Guest
from bareflow.qemu_machine import config_text
from fixture_types import Boot, Disk, ModelImage, Reference

CONFIG: dict[str, object] = {"mode": "interactive", "temperature": 0, "steps": 64}
INPUTS: dict[str, Callable[[Guest, str], None]] = {
    "keyboard": lambda guest, line: guest.type_text(line + "\n"),
    "serial": lambda guest, line: guest.send(line + "\r"),
}
PROMPT = "Once upon a time"
CORRECTED = "Once upom\bn a time"  # the same, typed with a mistake


@pytest.mark.parametrize("way", INPUTS)
def test_dialogue(boot: Boot, model_image: ModelImage, reference: Reference, way: str) -> None:
    enter = INPUTS[way]
    guest = boot(model_image("v0"), config=CONFIG)
    guest.expect("^> ")
    enter(guest, CORRECTED)
    guest.expect_event("generate")
    # With this prompt the reference continues as without one; 64 steps are its first part.
    assert guest.text == reference("greedy_n64")
    guest.expect("^> ")
    enter(guest, "")
    guest.expect_event("generate")
    assert guest.text == reference("greedy_n64") * 2
    guest.expect("^> ")
    enter(guest, "/poweroff")
    assert guest.wait_exit() == 0


def test_screen_shows_what_is_typed_and_told(
    boot: Boot, model_image: ModelImage, reference: Reference
) -> None:
    guest = boot(model_image("v0"), config=CONFIG)
    guest.expect_screen("^>")
    guest.type_text(CORRECTED)
    guest.expect_screen(f"^> {PROMPT}$")
    guest.type_text("\n")
    guest.expect_event("generate")
    guest.expect_screen(r"^>$(?!\n>)")
    # The screen breaks lines every 80 columns, so compare without line breaks and trailing spaces.
    shown = "".join(line.ljust(80) if len(line) > 70 else line for line in guest.screen())
    assert reference("greedy_n64").replace("\n", "") in shown


def test_interactive_is_the_default(boot: Boot, model_image: ModelImage) -> None:
    guest = boot(model_image("v0"))
    guest.expect("^> ")
    guest.send("/poweroff\r")
    assert guest.wait_exit() == 0


def test_config_file_on_the_disk(
    boot: Boot, model_image: ModelImage, disk: Disk, reference: Reference
) -> None:
    copy = disk(model_image("v0"))
    config = {"mode": "generate", "temperature": 0, "steps": 64}
    copy.write("/boot/BAREFLOW.CFG", b"# a comment\n\n" + config_text(config).encode())
    guest = boot(copy)
    assert guest.wait_exit() == 0
    assert guest.text == reference("greedy_n64")


def test_fw_cfg_wins_over_the_config_file(
    boot: Boot, model_image: ModelImage, disk: Disk, reference: Reference
) -> None:
    copy = disk(model_image("v0"))
    copy.write("/boot/BAREFLOW.CFG", b"mode = bench\nsteps = 7\ntemperature = 0\n")
    guest = boot(copy, config={"mode": "generate", "steps": 64})
    assert guest.wait_exit() == 0
    assert guest.text == reference("greedy_n64")
