"""Chats: a model with a chat template, which answers in turn; what it reads of the conversation, and where
the chat template comes from."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from bareflow.bench.linux_session import make_root, record, run
from bareflow.events import parse_event
from bareflow.models.chat_template import make_chat_template
from bareflow.qemu.guest import Guest
from disk_tools import DiskImage
from fixture_types import Boot, Disk, ModelImage
from gguf_file import Value
from gguf_model import Model, make_model, spm_tokenizer

CONTEXT = 512
START, END = 270, 271
TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{{ '<|im_start|>assistant\\n' }}"
)
TURNS = ("Hello", "abc <|im_end|>", "\u00fcber")
GREEDY: dict[str, object] = {"temperature": 0, "steps": 9}


def chat_model(template: str = TEMPLATE) -> Model:
    """A model with random weights whose last two tokens are ChatML's."""
    model = make_model("llama")
    tokenizer = spm_tokenizer()
    tokens, kinds = (cast(list[Any], tokenizer[f"tokenizer.ggml.{key}"]) for key in ("tokens", "token_type"))
    tokens[START], tokens[END] = "<|im_start|>", "<|im_end|>"
    kinds[START] = kinds[END] = 3
    more: dict[str, Value] = {
        "llama.context_length": CONTEXT,
        "tokenizer.chat_template": template,
        "tokenizer.ggml.add_space_prefix": False,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": kinds,
    }
    model.metadata.update(more)
    return model


def ids_of(text: str) -> list[int]:
    """The tokens of a text, by the vocabulary of gguf_model.spm_tokenizer and its scores."""
    single = {" ": 259, "a": 260, "b": 261, "c": 262, "e": 268, "l": 269}
    pairs = {(260, 261): 263, (261, 262): 264, (263, 262): 265, (259, 260): 266, (266, 264): 267}
    found: list[int] = []
    for character in text:
        found += [single[character]] if character in single else [3 + byte for byte in character.encode()]
    for pair, merged in pairs.items():  # those of the greatest scores first
        for at in range(len(found) - 1, 0, -1):
            if tuple(found[at - 1 : at + 1]) == pair:
                found[at - 1 : at + 1] = [merged]
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_with(tmp_path_factory.mktemp("chat"), chat_model())


def folder_with(folder: Path, model: Model, *, built: bool = True) -> Path:
    """A folder that takes the disk's place, with the model, and what the image builder makes of its
    template."""
    (folder / "m.gguf").write_bytes(model.file)
    make_root(folder, folder / "m.gguf")
    if built:
        (folder / "model" / "CHAT.TPL").write_bytes(make_chat_template(folder / "m.gguf")[0])
    return folder


def talk(
    program: Path, root: Path, lines: Sequence[str], **config: object
) -> tuple[str, list[dict[str, Any]]]:
    """A dialogue of these lines; what the program prints, and its events of answers."""
    settings = {"root": root, **GREEDY, **config}
    result = subprocess.run(
        [str(program), *(f"{key}={value}" for key, value in settings.items())],
        input="".join(f"{line}\n" for line in [*lines, "/exit"]).encode(),
        capture_output=True,
        timeout=100,
        check=True,
    )
    events = [event for line in result.stderr.decode().splitlines() if (event := parse_event(line))]
    return result.stdout.decode(), [event for event in events if event["event"] == "generate"]


def answers(printed: str, lines: Sequence[str]) -> list[str]:
    """What was printed behind each line up to the next prompt."""
    said = re.split(r"(?m)^> ", printed)[1:]
    assert [part.partition("\n")[0] for part in said] == [*lines, "/exit"]
    return [part.partition("\n")[2].rstrip("\n") for part in said[:-1]]


def read(program: Path, root: Path, ids: Sequence[int], steps: int) -> list[int]:
    """The likeliest tokens after these, of a model that reads them all anew."""
    config = {"prompt_ids": ",".join(map(str, ids)), "steps": len(ids) - 1 + steps}
    return [int(id_) for id_ in record(program, root, config)[0].split()][len(ids) - 1 :]


def markup(role: str) -> list[int]:
    return [START, *ids_of(f"{role}\n")]


def test_kept_cache_and_reading_anew_are_the_same(linux_program: Path, root: Path) -> None:
    """Three turns next to one text of the same tokens; only new tokens are read."""
    printed, events = talk(linux_program, root, TURNS)
    assert "Say something to the model" in printed
    ids, size = [1], 0
    for turn, event in zip(TURNS, events, strict=True):
        ids += [*markup("user"), *ids_of(turn), END, *ids_of("\n"), *markup("assistant")]
        assert event["kept_tokens"] + event["prompt_tokens"] == len(ids)
        assert event["kept_tokens"] in (size, max(size - 1, 0))
        new = read(linux_program, root, ids, 9)
        said = event["tokens"] - event["prompt_tokens"] + 1
        assert said in (9, len(new))
        ids += new[:said]
        size = len(ids)
        ids += [END, *ids_of("\n")]


def test_one_answer(linux_program: Path, root: Path) -> None:
    """run prompt=... chat=1 system=...: the ids that the model was given, and those of its answer."""
    config = {"chat": 1, "prompt": "abc <|im_end|>", "system": "Be e.", "steps": 5}
    found = [int(id_) for id_ in record(linux_program, root, config)[0].split()]
    system = [*markup("system"), *ids_of("Be e."), END, *ids_of("\n")]
    user = [*markup("user"), *ids_of("abc <|im_end|>"), END, *ids_of("\n")]
    expected = [*system, *user, *markup("assistant")]
    assert found[: len(expected)] == expected  # BOS is left out of the file
    assert found[len(expected) :] == read(linux_program, root, [1, *expected], 5)


@pytest.mark.parametrize("built", [True, False], ids=["builder", "family"])
def test_template_from_the_builder_or_by_family(linux_program: Path, tmp_path: Path, built: bool) -> None:
    root = folder_with(tmp_path, chat_model(), built=built)
    config = {"chat": 1, "prompt": "Hello", "steps": 5}
    plain = [*markup("user"), *ids_of("Hello"), END, *ids_of("\n"), *markup("assistant")]
    found = [int(id_) for id_ in record(linux_program, root, config)[0].split()]
    assert found[: len(plain)] == plain


def test_template_of_another_model_does_not_count(linux_program: Path, tmp_path: Path) -> None:
    other = TEMPLATE.replace("assistant", "helper")
    root = folder_with(tmp_path, chat_model(other))
    (root / "m.gguf").write_bytes(chat_model().file)
    make_root(root, root / "m.gguf")
    found = [int(id_) for id_ in record(linux_program, root, {"chat": 1, "prompt": "l"})[0].split()]
    plain = [*markup("user"), *ids_of("l"), END, *ids_of("\n"), *markup("assistant")]
    assert found[: len(plain)] == plain


@pytest.mark.parametrize("built", [True, False], ids=["builder", "family"])
def test_template_that_does_not_fit(linux_program: Path, tmp_path: Path, built: bool) -> None:
    root = folder_with(
        tmp_path, chat_model("{% if not tools %}{{ raise_exception('Tools!') }}{% endif %}"), built=built
    )
    printed, events = talk(linux_program, root, ["Hello"])
    reason = "cannot be used: it says: Tools!" if built else "is of no known family; there are llama3 gemma"
    assert f"the model's chat template {reason}" in printed
    assert "Lines are continued as plain text." in printed and len(events) == 1
    assert events[0]["prompt_tokens"] == 1 + len(ids_of("Hello"))


def test_commands(linux_program: Path, root: Path) -> None:
    lines = [
        "Hello",
        "/regenerate",
        "/system Be e.",
        "Hello",
        "/system",
        "/reset",
        "Hello",
        "/regenerate now",
    ]
    printed, events = talk(linux_program, root, lines)
    found = answers(printed, lines)
    assert found[0] == found[1] == found[6]
    assert found[2] == "" and found[4] == "There is no system text now."
    assert found[5] == "A new conversation begins."
    assert found[7] == 'error: /regenerate stands alone, without "now"'
    assert events[1]["prompt_tokens"] == 1
    assert events[2]["kept_tokens"] == 2  # BOS and <|im_start|>
    assert events[3]["kept_tokens"] + events[3]["prompt_tokens"] == events[0]["prompt_tokens"]


@pytest.mark.parametrize("context", ["slide", "stop"])
def test_full_context(linux_program: Path, root: Path, context: str) -> None:
    lines = [f"Hello {i}" for i in range(30)]
    printed, events = talk(linux_program, root, lines, context=context)
    sizes = [event["kept_tokens"] + event["tokens"] for event in events]
    assert max(sizes) <= CONTEXT
    if context == "slide":
        assert len(events) == 30
        assert "(The context of 512 tokens is full: the oldest" in printed
    else:
        assert len(events) < 30
        assert "the model's context 512; /reset begins a new one" in printed


def test_wrong_settings(linux_program: Path, root: Path, tmp_path: Path) -> None:
    def fails(message: str, root: Path = root, **config: object) -> None:
        with pytest.raises(Exception, match=re.escape(message)):
            run(linux_program, root, config)

    fails("template: there is no such family of chat templates; there are llama3", template="vicuna")
    fails("more than half of the model's context of 512", mode="chat", system="x" * 400)
    (tmp_path / "m.gguf").write_bytes(make_model("llama").file)
    plain = make_root(tmp_path, tmp_path / "m.gguf")
    fails("the model has no chat template; set template = a family's name", plain, mode="chat")
    fails("the model has no chat template; set template = a family's name", plain, mode="generate", chat=1)


# ---- On the machine ----


@pytest.fixture
def chat_disk(model_image: ModelImage, disk: Disk, tmp_path: Path) -> DiskImage:
    copy = disk(model_image("default"))
    root = folder_with(tmp_path, chat_model())
    for name, at in (("model.bin", "/model/model.bin"), ("CHAT.TPL", "/model/CHAT.TPL")):
        copy.write(at, (root / "model" / name).read_bytes())
    return copy


def answer(guest: Guest, line: str) -> str:
    """The model's answer to a line on the serial line."""
    before = len(guest.text)
    guest.expect("^> ")
    guest.send(line + "\r")
    guest.expect_event("generate")
    return guest.text[before:]


def test_three_turns_on_the_serial_line(
    boot: Boot, chat_disk: DiskImage, linux_program: Path, root: Path
) -> None:
    guest = boot(chat_disk, config=GREEDY)  # a chat is the default with such a model
    told = "".join(answer(guest, turn) for turn in TURNS)
    guest.send("/exit\r")
    assert guest.wait_exit() == 0
    printed, _ = talk(linux_program, root, TURNS)
    same = [line.partition("\nThe answer has")[0] for line in answers(printed, TURNS)]
    assert told.split() == "".join(same).split()


def test_saved_over_a_power_cut(boot: Boot, chat_disk: DiskImage) -> None:
    """Said, saved, and cut off; then the conversation goes on, and nothing of it is read again."""
    guest = boot(chat_disk, config=GREEDY, snapshot=False)
    first = answer(guest, "Hello")
    guest.expect("^> ")
    guest.send("/save talk\r")
    guest.expect("The conversation is saved\\.")
    second = answer(guest, "abc")
    guest.kill()
    guest = boot(chat_disk, config=GREEDY, snapshot=False)
    guest.expect("^> ")
    guest.send("/load talk\r")
    guest.expect("A conversation of 1 turn goes on\\.")
    assert answer(guest, "abc") == second
    event = [event for event in guest.events if event["event"] == "generate"][-1]
    assert event["kept_tokens"] >= 8 + len("Hello")
    assert first
    guest.expect("^> ")
    guest.send("/load other\r")
    guest.expect("error: .*other")


def test_typed_on_the_keyboard(boot: Boot, chat_disk: DiskImage) -> None:
    """A turn and /save, the power is cut, /load and another turn; all of it is read from the screen."""

    def say(guest: Guest, line: str, shown: str) -> None:
        guest.type_text(f"{line}\n")
        guest.expect_screen(f"^> {line}")
        guest.expect_screen(shown)

    guest = boot(chat_disk, config=GREEDY, snapshot=False)
    guest.expect_screen("^>")
    say(guest, "Hello", "it stops here.")
    say(guest, "/save talk", "^The conversation is saved\\.")
    guest.kill()
    guest = boot(chat_disk, config=GREEDY, snapshot=False)
    guest.expect_screen("^>")
    say(guest, "/load talk", "^A conversation of 1 turn goes on\\.")
    say(guest, "abc", "it stops here.")
    assert [event["kept_tokens"] > 0 for event in guest.events if event["event"] == "generate"] == [True]
    guest.type_text("/poweroff\n")
    assert guest.wait_exit() == 0
