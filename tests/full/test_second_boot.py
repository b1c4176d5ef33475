"""What a boot has compiled, the next one on the same disk compiles neither again nor for a higher level."""

from __future__ import annotations

from bareflow.bench.guest_session import Session, generate_texts
from bareflow.qemu.machine import Machine
from fixture_types import Disk, ModelImage

STEPS = 64
STORIES = 2
# By calls, and not while waiting for the prompt: then it does not depend on how busy the machine is.
BY_CALLS = {"jit.budget": 100, "jit.thresholds": "10,1000,1000,1000", "jit.idle": "off"}
# Enough on a busy machine: compiling is slow in an emulator.
LIMIT = 300.0


def compiled(session: Session) -> set[object]:
    """The functions, but for those whose loop took long: a machine that stands still may be why."""
    return {found["function"] for found in session.events_named("tier") if found["reason"] != "a long loop"}


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
    assert not compiled(again)
