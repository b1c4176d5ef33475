"""The variant with the JIT as a Linux program: the reference's numbers on the real processor, what the second
run has of the first one, a damaged cache, the rights of pages, and another model on the same folder."""

from __future__ import annotations

import array
import subprocess
from pathlib import Path

import pytest
from bareflow.bench.linux_session import Generations, generate_texts, make_root, record, run
from bareflow.models.synthetic_model import ModelConfig, random_checkpoint, tokenizer
from project_files import DEFAULT_MODEL, DEFAULT_TOKENIZER
from reference_model import ReferenceModel
from second_boot import BY_CALLS, compiled

STEPS = 64
FEW_STEPS = 12
STORIES = 40
# Enough for copies.
MANY_STORIES = 500
# Until copies for other arguments are worth what they are expected to cost, which is what an unknown machine
# may take: seconds of running.
VERY_MANY_STORIES = 6000
PROMPT = "Once upon a time"
STORY = {"steps": STEPS}
SECOND_BOOT = {**STORY, **BY_CALLS}
CACHE = "profile/JIT.OBJ"
PRODUCTS = ("matmul_f32", "multiply_panel_f32")
NEWEST = 20
"""Events, of one text."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_root(tmp_path / "root", DEFAULT_MODEL, DEFAULT_TOKENIZER)


@pytest.fixture(scope="module")
def first(linux_program: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Generations]:
    """A folder, and the run that has left its profile and compiled code there. Not to be changed."""
    root = make_root(tmp_path_factory.mktemp("first"), DEFAULT_MODEL, DEFAULT_TOKENIZER)
    return root, generate_texts(linux_program, root, SECOND_BOOT, PROMPT, STORIES)


def copy(root: Path, to: Path) -> Path:
    subprocess.run(["cp", "-r", root, to], check=True)
    return to


def test_reference(linux_program: Path, first: tuple[Path, Generations], root: Path, tmp_path: Path) -> None:
    """Hardly compiled, and with the code that many stories have left: the same bits, which are the
    reference's numbers."""
    few = {"steps": FEW_STEPS}
    ids, logits = record(linux_program, root, {**few, "jit.max_level": "O0"})
    assert (ids, logits) == record(linux_program, copy(first[0], tmp_path / "hot"), few)
    model = ReferenceModel(DEFAULT_MODEL, DEFAULT_TOKENIZER)
    model.check([int(number) for number in ids.split()], array.array("f", logits))


def named(generations: Generations, event: str) -> set[object]:
    """The functions that these events are about."""
    return {found["function"] for found in generations.events if found["event"] == event}


def test_products_are_compiled_as_a_whole(first: tuple[Path, Generations]) -> None:
    """Their calls are many and short: no loop is left for better code, their next calls begin in it."""
    _, told = first
    levels = {found["function"]: found["level"] for found in told.events if found["event"] == "tier"}
    assert levels["multiply_panel_q8"] in ("O2", "O3")
    assert "multiply_panel_q8" not in named(told, "continue")


def test_second_run_compiles_nothing_again(
    linux_program: Path, first: tuple[Path, Generations], root: Path, tmp_path: Path
) -> None:
    """Nor for a higher level, but for what took long in a loop: a machine that stands still may be why."""
    left, told = first
    again_root = copy(left, tmp_path / "again")
    again = generate_texts(linux_program, again_root, SECOND_BOOT, PROMPT, STORIES)
    assert told.costs["compiled"] > 10 and told.costs["from_cache"] == 0
    assert again.costs["from_cache"] > 10
    assert not compiled(again.events)
    assert record(linux_program, again_root, STORY) == record(linux_program, root, STORY)


def test_damaged_cache(
    linux_program: Path, first: tuple[Path, Generations], root: Path, tmp_path: Path
) -> None:
    """Is noticed, said, and replaced."""
    damaged = copy(first[0], tmp_path / "damaged")
    content = bytearray((damaged / CACHE).read_bytes())
    content[len(content) // 2] ^= 0x10
    (damaged / CACHE).write_bytes(content)
    output, events = run(linux_program, damaged, {"mode": "generate", "temperature": 0, **STORY})
    assert "/profile/JIT.OBJ begins anew: " in output
    assert [event["from_cache"] for event in events if event["event"] == "jit"] == [0]
    assert record(linux_program, damaged, STORY) == record(linux_program, root, STORY)
    output, events = run(linux_program, damaged, {"mode": "generate", "temperature": 0, **STORY})
    assert "begins anew" not in output
    assert [event["from_cache"] > 0 for event in events if event["event"] == "jit"] == [True]


def rights_of_pages(process: int) -> set[str]:
    """As proc(5) has them: "r-xp"."""
    return {line.split()[1] for line in Path(f"/proc/{process}/maps").read_text().splitlines()}


def test_no_page_can_be_written_and_executed(linux_program: Path, root: Path) -> None:
    """Whenever one looks while functions are compiled; code that was made lies in memory of its own."""
    config = {"root": root, "mode": "interactive", "temperature": 0, **STORY}
    command = [str(linux_program), *(f"{key}={value}" for key, value in config.items())]
    seen = set()
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stderr
        process.stdin.write(f"{PROMPT}\n")
        process.stdin.flush()
        while not process.stderr.readline().startswith('@bareflow {"event":"text_begin"'):
            pass
        for line in process.stderr:
            seen |= rights_of_pages(process.pid)
            if '"event":"jit"' in line:
                break
        maps = Path(f"/proc/{process.pid}/maps").read_text().splitlines()
        executable = len([line for line in maps if " r-xp " in line and line.split()[4] == "0"])
        process.communicate("/poweroff\n", timeout=60)
    assert process.returncode == 0
    assert not [rights for rights in seen if "w" in rights and "x" in rights]
    assert {"r--p", "rw-p", "r-xp"} <= seen
    assert executable > 10


def new_arguments(told: Generations) -> set[str]:
    """The functions that were compiled again because of their arguments."""
    tiers = (event for event in told.events if event["event"] == "tier")
    return {event["function"] for event in tiers if event["reason"] == "new arguments"}


def has_new_products(told: Generations) -> bool:
    """Looks at the newest events only: there are very many."""
    newest = Generations(events=told.events[-NEWEST:])
    return any(name.startswith(PRODUCTS) for name in new_arguments(newest))


def test_another_shape(linux_program: Path, tmp_path: Path) -> None:
    """The same folder gets a model of other sizes, and the first one again: the code that is there stays
    right, and is made anew for the arguments of now."""
    files = {}
    for name, shape in {
        "small": ModelConfig(),
        "large": ModelConfig(dim=96, hidden=256, heads=6, kv_heads=6),
    }.items():
        files[name] = tmp_path / f"{name}.bin"
        files[name].write_bytes(random_checkpoint("v0", shape, seed=1))
    words = tmp_path / "tokenizer.bin"
    words.write_bytes(tokenizer(ModelConfig().vocabulary))
    root = tmp_path / "root"
    config = {**STORY, "jit.budget": 100}
    bits = []
    anew: list[set[str]] = []
    for name, stories in (("small", MANY_STORIES), ("large", VERY_MANY_STORIES), ("small", STORIES)):
        make_root(root, files[name], words)
        alone = make_root(tmp_path / f"alone-{name}", files[name], words)
        told = generate_texts(linux_program, root, config, PROMPT, stories, has_new_products)
        assert told.costs["failed"] == 0
        anew.append(new_arguments(told))
        bits.append(record(linux_program, root, config))
        assert bits[-1] == record(linux_program, alone, {**STORY, "jit.max_level": "O0"})
        assert len(bits[-1][0].split()) == STEPS
    assert bits[0] == bits[2] != bits[1]
    assert any(name.startswith(PRODUCTS) for name in anew[1])
