"""The application as a person uses it: typed on the keyboard and on the serial line, read on the screen."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import config_text
from fixture_types import Boot, Disk, ModelImage, Story

CONFIG: dict[str, object] = {"mode": "interactive", "temperature": 0, "steps": 64}
INPUTS: dict[str, Callable[[Guest, str], None]] = {
    "keyboard": lambda guest, line: guest.type_text(line + "\n"),
    "serial": lambda guest, line: guest.send(line + "\r"),
}


def corrected(line: str) -> str:
    """The same, typed with a mistake."""
    return line[:8] + "x\b" + line[8:]


@pytest.mark.parametrize("way", INPUTS)
def test_dialogue(boot: Boot, model_image: ModelImage, story: Story, way: str) -> None:
    enter = INPUTS[way]
    guest = boot(model_image("default"), config=CONFIG)
    guest.expect("^> ")
    enter(guest, corrected(story.beginning))
    guest.expect_event("generate")
    assert guest.text == story.text
    guest.expect("^> ")
    enter(guest, "")
    guest.expect_event("generate")
    assert guest.text == story.text * 2
    guest.expect("^> ")
    enter(guest, "/poweroff")
    assert guest.wait_exit() == 0


def test_screen_shows_what_is_typed_and_told(boot: Boot, model_image: ModelImage, story: Story) -> None:
    guest = boot(model_image("default"), config=CONFIG)
    guest.expect_screen("^>")
    guest.type_text(corrected(story.beginning))
    guest.expect_screen(f"^> {re.escape(story.beginning)}$")
    guest.type_text("\n")
    guest.expect_event("generate")
    guest.expect_screen(r"^>$(?!\n>)")
    # The screen breaks lines every 80 columns, so compare without line breaks and trailing spaces.
    shown = "".join(line.ljust(80) if len(line) > 70 else line for line in guest.screen())
    assert story.text.replace("\n", "") in shown


def test_interactive_is_the_default(boot: Boot, model_image: ModelImage) -> None:
    guest = boot(model_image("default"))
    guest.expect("^> ")
    guest.send("/poweroff\r")
    assert guest.wait_exit() == 0


def test_config_file_on_the_disk(boot: Boot, model_image: ModelImage, disk: Disk, story: Story) -> None:
    copy = disk(model_image("default"))
    config = {"mode": "generate", "temperature": 0, "steps": 64}
    copy.write("/boot/BAREFLOW.CFG", b"# a comment\n\n" + config_text(config).encode())
    guest = boot(copy)
    assert guest.wait_exit() == 0
    assert guest.text == story.text


def test_fw_cfg_wins_over_the_config_file(
    boot: Boot, model_image: ModelImage, disk: Disk, story: Story
) -> None:
    copy = disk(model_image("default"))
    copy.write("/boot/BAREFLOW.CFG", b"mode = bench\nsteps = 7\ntemperature = 0\n")
    guest = boot(copy, config={"mode": "generate", "steps": 64})
    assert guest.wait_exit() == 0
    assert guest.text == story.text
