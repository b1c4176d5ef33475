"""While the dialogue waits for input the JIT compiles: the stories after it do not, and say the same."""

from __future__ import annotations

import time

from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import Machine
from bareflow.qemu.serial import Event
from fixture_types import Disk, ModelImage

CONFIG: dict[str, object] = {"mode": "interactive", "temperature": 0, "steps": 48}
# Enough on a busy machine: compiling is slow in an emulator.
LIMIT = 300.0
PAUSE = 60.0
"""Seconds in which the JIT is done with what it does while waiting, or with a part of it."""
MOST_STORIES = 60
"""After the pause: candidates made meanwhile take turns on the stories' calls before one is chosen."""


def tell(guest: Guest) -> tuple[bytes, Event]:
    """One story: its text, and what the JIT says after it."""
    before = len(guest.text_bytes)
    guest.send("Once upon a time\r")
    costs = guest.expect_event("jit")
    return guest.text_bytes[before:], costs


def done_while_waiting(guest: Guest) -> set[str]:
    """The functions that waiting has brought to the highest level."""
    tiers = [event for event in guest.events if event["event"] == "tier" and event["reason"] == "idle"]
    return {event["function"] for event in tiers if event["level"] == "O3"}


def wait_until_saved(guest: Guest) -> None:
    """After what was compiled while waiting it is saved; that may be after a part of it, or not at all."""
    end = time.monotonic() + PAUSE
    count = len([event for event in guest.events if event["event"] == "profile_saved"])
    while time.monotonic() < end:
        time.sleep(0.5)
        if len([event for event in guest.events if event["event"] == "profile_saved"]) > count:
            return


def test_compiles_while_waiting(disk: Disk, model_image: ModelImage) -> None:
    copy = disk(model_image("v0"))
    machine = Machine(copy.path, config=CONFIG, memory=256, snapshot=False)
    with Guest(machine, timeout=LIMIT) as guest:
        guest.expect("> $")
        first, before = tell(guest)
        guest.expect_event("profile_saved")
        wait_until_saved(guest)
        # Typed while it may still be compiling: nothing gets lost.
        second, after = tell(guest)
        later = [tell(guest)]
        while len(done_while_waiting(guest)) <= 2 and len(later) < MOST_STORIES:
            later.append(tell(guest))
        guest.send("/poweroff\r")
        assert guest.wait_exit() == 0
        tiers = [event for event in guest.events if event["event"] == "tier"]
        done = done_while_waiting(guest)
    last = later[-1][1]
    assert {first, second, *(text for text, _ in later)} == {first}
    assert before["idle_compiled"] == before["idle_cycles"] == 0
    assert last["idle_compiled"] >= after["idle_compiled"] > 10
    assert last["waiting_cycles"] > last["idle_cycles"] > 0
    # What waiting has brought to the highest level, the stories behind it do not pay for again.
    first_idle = next(i for i, event in enumerate(tiers) if event["reason"] == "idle")
    assert len(done) > 2
    assert not done & {event["function"] for event in tiers[first_idle:] if event["reason"] != "idle"}


def test_switched_off(disk: Disk, model_image: ModelImage) -> None:
    copy = disk(model_image("v0"))
    config = {**CONFIG, "jit.idle": "off"}
    machine = Machine(copy.path, config=config, memory=256, snapshot=False)
    with Guest(machine, timeout=LIMIT) as guest:
        guest.expect("> $")
        tell(guest)
        time.sleep(3)
        _, last = tell(guest)
        guest.send("/poweroff\r")
        assert guest.wait_exit() == 0
    assert last["idle_compiled"] == last["idle_cycles"] == 0
    assert last["waiting_cycles"] > 0
