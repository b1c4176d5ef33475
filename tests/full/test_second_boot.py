"""What a boot has compiled, the next one on the same disk compiles neither again nor for a higher level."""

from __future__ import annotations

from bareflow.bench.guest_session import generate_texts
from bareflow.qemu.machine import Machine
from fixture_types import Disk, ModelImage
from second_boot import BY_CALLS, compiled

STEPS = 64
STORIES = 2
# Enough on a busy machine: compiling is slow in an emulator.
LIMIT = 300.0


def test_compiles_nothing_again(disk: Disk, model_image: ModelImage) -> None:
    copy = disk(model_image("default"))
    config = {"mode": "interactive", "temperature": 0, "steps": STEPS, **BY_CALLS}
    machine = Machine(copy.path, config=config, memory=256, snapshot=False)
    first = generate_texts(machine, "Once upon a time", STORIES * STEPS, LIMIT)
    again = generate_texts(machine, "Once upon a time", STORIES * STEPS, LIMIT)
    assert {story.text for story in first.generations} == {story.text for story in again.generations}
    assert len(first.generations) == len(again.generations) >= STORIES
    before, after = first.generations[-1].costs, again.generations[-1].costs
    assert before["compiled"] > 10
    assert before["from_cache"] == 0
    assert after["from_cache"] > 10
    assert not compiled(again.events)
