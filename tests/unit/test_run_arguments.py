"""Arguments of bareflow.run.run, the guest's configuration text, and the keyboard table."""

from __future__ import annotations

from pathlib import Path

import pytest
from bareflow.disk.fat_image import build_image
from bareflow.models.gguf_metadata import kv_cache_bytes
from bareflow.qemu.keys import keys_of
from bareflow.qemu.machine import MOST_CONFIG, Machine, QemuError, config_text
from bareflow.run.run import UsageError, default_memory, parse, summary
from gguf_file import gguf_file


def test_prompt_makes_it_generate() -> None:
    machine, timeout = parse(["image=a.img", "prompt=Hello = you", "steps=5"], terminal=True)
    assert machine == Machine(
        Path("a.img"), config={"prompt": "Hello = you", "steps": "5", "mode": "generate"}, crashes=0
    )
    assert timeout == 0


def test_sampling_options_reach_the_guest() -> None:
    options = ["temperature=0.8", "topk=40", "topp=0.95", "minp=0.05", "repeat=1.1", "seed=7"]
    machine, _ = parse(["image=a.img", "prompt=x", *options], terminal=False)
    assert machine.config == {
        "temperature": "0.8",
        "topk": "40",
        "topp": "0.95",
        "minp": "0.05",
        "repeat": "1.1",
        "seed": "7",
        "prompt": "x",
        "mode": "generate",
    }


def test_config_reaches_the_guest() -> None:
    """Any keys, several times; of one that is an option as well the configuration's counts."""
    pairs = ["steps=5", "config=jit.budget=100 prompt='Once upon'", "config=steps=9 a=b=c", "config="]
    machine, _ = parse(["image=a.img", *pairs], terminal=True)
    assert machine.config == {
        "jit.budget": "100",
        "prompt": "Once upon",
        "steps": "9",
        "a": "b=c",
        "mode": "generate",
    }


@pytest.mark.parametrize(
    ("arguments", "terminal", "mode"),
    [
        ([], True, "auto"),
        ([], False, "generate"),
        (["prompt="], True, "generate"),
        (["mode=bench"], True, "bench"),
        (["config=mode=bench"], True, "bench"),
        (["mode=", "steps="], True, "auto"),
        (["mode=chat"], False, "chat"),
    ],
)
def test_mode(arguments: list[str], terminal: bool, mode: str) -> None:
    machine, _ = parse(["image=a.img", *arguments], terminal=terminal)
    assert machine.config["mode"] == mode


def test_machine_options() -> None:
    arguments = ["image=a", "memory=16", "cpu=max", "machine=q35", "write=1", "timeout=9", "mode=bench"]
    machine, timeout = parse(arguments, terminal=False)
    assert machine == Machine(
        Path("a"),
        config={"mode": "bench"},
        memory=16,
        cpu="max",
        machine="q35",
        drive="ahci",
        snapshot=False,
        crashes=0,
    )
    assert timeout == 9


@pytest.mark.parametrize(("memory", "expected"), [([], 300), (["memory=16"], 16)])
def test_least_memory(memory: list[str], expected: int) -> None:
    machine, _ = parse(["image=a", "program=1", "least_memory=300", *memory], terminal=False)
    assert machine.memory == expected


@pytest.mark.parametrize(("gdb", "port"), [("", None), ("0", None), ("1", 1234), ("4321", 4321)])
def test_port_of_the_debugger(gdb: str, port: int | None) -> None:
    machine, _ = parse(["image=a", f"gdb={gdb}"], terminal=False)
    assert machine.gdb == port


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["image=a", "promt=x"], r"'promt=x' is not an option of run"),
        (["image=a", "verbose"], r"'verbose' is not an option of run"),
        (["steps=5"], "image=FILE is missing"),
        (["image=a", "mode=talk"], "mode=talk: not one of generate, auto, interactive"),
        (["image=a", "mode=chat", "prompt=x"], "mode=chat takes no prompt=: prompts are typed"),
        (["image=a", "mode=interactive", "prompt=x"], "mode=interactive takes no prompt=: prompts are typed"),
        (["image=a", "mode=interactive", "config=prompt=x"], "mode=interactive takes no prompt=: prompts"),
        (["image=a", "config=mode=talk"], "mode=talk: not one of generate, auto, interactive"),
        (["image=a", "config=jit.budget"], "config=: 'jit.budget' is not KEY=VALUE"),
        (["image=a", "config=steps=5 =7"], "config=: '=7' is not KEY=VALUE"),
        (["image=a", "config=prompt='a"], "config=: No closing quotation"),
        (["image=a", "memory=0"], "memory=0: not a whole number of at least 1"),
        (["image=a", "memory=big"], "memory=big: not a whole number"),
        (["image=a", "timeout=-1"], "timeout=-1: not a whole number of at least 0"),
        (["image=a", "timeout=-"], "timeout=-: not a whole number of at least 0"),
        (["image=a", "timeout=0x10"], "timeout=0x10: not a whole number of at least 0"),
        (["image=a", "timeout=²"], "timeout=²: not a whole number of at least 0"),
        (["image=a", "memory=000"], "memory=000: not a whole number of at least 1"),
        (["image=a", "timeout=1000000000"], "timeout=1000000000: too large"),
        (["image=a", "memory=" + "9" * 5000], "memory=9{40}: too large"),
        (["image=a", "machine=amiga"], "machine=amiga: not one of pc, q35"),
        (["image=a", "drive=tape"], "drive=tape: not one of ide, "),
        (["image=a", "write=yes"], "write=yes: not one of 0, 1"),
    ],
)
def test_wrong_arguments_are_named(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(arguments, terminal=False)


# Images of the models by that name; what they need at least: the weights, and keys and values of their layers
# for the whole context, 8 * dim bytes a token.
def test_kv_cache_of_a_gguf_model(tmp_path: Path) -> None:
    """It may take more than the weights do."""
    numbers = {"block_count": 30, "attention.head_count": 9, "attention.head_count_kv": 3}
    numbers |= {"embedding_length": 576, "context_length": 8192}
    header = gguf_file({f"llama.{key}": value for key, value in numbers.items()}, [])
    cache = 30 * 2 * 3 * 64 * 4  # keys and values of 3 heads of 576 / 9 dimensions, float32
    for positions in (4096, 100):
        assert kv_cache_bytes(header + bytes(99), positions) == cache * positions
    assert kv_cache_bytes(header, 1 << 20) == cache * 8192
    assert kv_cache_bytes(b"", 4096) == kv_cache_bytes(b"no GGUF file", 4096) == 0
    image = tmp_path / "a.img"
    build_image(image, bytes(510) + b"\x55\xaa", bytes(512), {"/model/model.bin": header + bytes(40 << 20)})
    assert default_memory(image) << 20 >= cache * 4096 + (56 << 20)


@pytest.mark.parametrize(
    ("image_bytes", "least"),
    [
        (17 << 20, 17 << 20),
        (70 << 20, 60816028 + 6 * 256 * 8 * 288),  # stories15M
        (169 << 20, 167020572 + 8 * 1024 * 8 * 512),  # stories42M
        (428 << 20, 438381596 + 12 * 1024 * 8 * 768),  # stories110M
    ],
)
def test_default_memory_holds_the_model(tmp_path: Path, image_bytes: int, least: int) -> None:
    image = tmp_path / "a.img"
    with image.open("wb") as file:
        file.truncate(image_bytes)
    memory = default_memory(image) << 20
    assert least + (16 << 20) <= memory <= (64 << 20) + 2 * least


@pytest.mark.parametrize(
    ("tokens", "tokens_per_s", "first_token_us", "sentence"),
    [
        (256, 498.16, 21_300, "256 tokens, 498.2 tokens/s, first token after 0.02 s"),
        (2, 0.5, 12_345_678, "2 tokens, 0.5 tokens/s, first token after 12.35 s"),
        (1, 0.0, 4_000, "1 token, first token after 0.00 s"),
        (0, 0.0, 4_000, "0 tokens, first token after 0.00 s"),
    ],
)
def test_summary(tokens: int, tokens_per_s: float, first_token_us: int, sentence: str) -> None:
    event = {
        "event": "generate",
        "tokens": tokens,
        "tokens_per_s": tokens_per_s,
        "first_token_us": first_token_us,
    }
    assert summary(event) == sentence


def test_config_text_survives_any_bytes() -> None:
    config = {"prompt": 'say "hi"\\\n\tä', "steps": 5}
    assert config_text(config) == 'prompt = "say \\"hi\\"\\\\\\x0a\\x09\\xc3\\xa4"\nsteps = "5"\n'


def test_long_configuration_is_no_argument() -> None:
    """Linux allows an argument 128 KiB; a byte of a prompt may become four."""
    machine = Machine(Path(__file__), config={"prompt": "ä," * 90_000})
    with machine.config_file() as file:
        assert Path(f"/proc/self/fd/{file.fileno()}").read_text() == config_text(machine.config)
        command = machine.command(3, 4, file.fileno())
        value = command[command.index("-fw_cfg") + 1]
        assert value == f"name=opt/bareflow/config,file=/proc/self/fd/{file.fileno()}"


def test_configuration_that_no_guest_takes() -> None:
    assert MOST_CONFIG == 1 << 20
    room = MOST_CONFIG - len(config_text({"prompt": ""}))
    with Machine(Path(__file__), config={"prompt": "x" * room}).config_file():
        pass
    with pytest.raises(QemuError, match=r"the settings have 1048577 bytes, .* shorten the prompt"):
        Machine(Path(__file__), config={"prompt": "x" * (room + 1)}).config_file()


def test_image_of_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nbd:a,b.img").touch()
    command = Machine(Path("nbd:a,b.img")).arguments(0)
    assert f"if=none,id=disk,file={tmp_path}/nbd:a,,b.img,format=raw,snapshot=on" in command


@pytest.mark.parametrize(
    ("character", "keys"),
    [
        ("a", ("a",)),
        ("A", ("shift", "a")),
        ("7", ("7",)),
        ("?", ("shift", "slash")),
        ('"', ("shift", "apostrophe")),
        ("\n", ("ret",)),
        ("\b", ("backspace",)),
    ],
)
def test_keys(character: str, keys: tuple[str, ...]) -> None:
    assert keys_of(character) == keys


def test_character_without_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match="no key of a US keyboard makes 'ä'"):
        keys_of("ä")
