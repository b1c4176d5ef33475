"""Code from the disk that is wrong, although its checksum is right: the machine comes up again by itself."""

from __future__ import annotations

import re

from bareflow.qemu.guest import Guest
from disk_tools import DiskImage
from fixture_types import Boot, Disk, ModelImage
from profile_tools import CACHE_PATH, PROFILE_PATH, spoil_cache

LIMIT = 300.0
STOPPED = 1
UD2 = b"\x0f\x0b"
ENDLESS_LOOP = b"\xeb\xfe"  # JMP to itself
ANEW = [
    f"{path} begins anew: the boot that used it last did not come to its first token."
    for path in (PROFILE_PATH, CACHE_PATH)
]


def messages(guest: Guest) -> list[str]:
    return [
        line for line in guest.console.splitlines() if " begins anew" in line or line.startswith("warning")
    ]


def test_comes_up_again(boot: Boot, disk: Disk, model_image: ModelImage) -> None:
    copy: DiskImage = disk(model_image("default"))

    def start() -> Guest:
        # Little that is to be compiled, and fast.
        config = {"mode": "generate", "temperature": 0, "steps": 4, "jit.max_level": "O0", "life.settle": 0}
        return boot(copy, config=config, memory=256, snapshot=False, timeout=LIMIT)

    def generate() -> Guest:
        guest = start()
        assert guest.wait_exit() == 0, guest.serial
        return guest

    first = generate()
    assert messages(first) == []

    spoil_cache(copy, ENDLESS_LOOP)
    stuck = start()
    stuck.expect_event("llvm")  # from here on the application runs
    stuck.kill()
    again = generate()
    assert messages(again) == ANEW
    assert again.text == first.text

    spoil_cache(copy, UD2)
    stopped = start()
    assert stopped.wait_exit() == STOPPED
    assert messages(stopped) == []
    name = r"[\w.]+ \((?:O\d[^)]*|interpreter)\)(?:\+0x\w+)?"
    assert re.search(rf"^exception: #UD invalid opcode.*\n  in {name}$", stopped.serial, re.MULTILINE)
    callers = r"^backtrace:\n(?:  .*\n)*  app_main\+0x.*\n  kernel_start"
    assert re.search(callers, stopped.serial, re.MULTILINE)
    assert messages(generate()) == ANEW
