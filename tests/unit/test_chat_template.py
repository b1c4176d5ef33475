"""What the builder makes of chat templates: the texts around a conversation, or why there are none."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import jinja2
import pytest
from bareflow.models import chat_template
from bareflow.models.chat_template import encode, make_chat_template, probe
from bareflow.models.gguf_metadata import ChatProgram, read_chat_program
from gguf_file import gguf_file
from project_files import ROOT

FOLDER = ROOT / "tests" / "unit" / "chat_templates"
NAMES = sorted(path.stem for path in FOLDER.glob("*.jinja"))
TALK = ["Hello there", "Hi! How are you?", "Two lines:\nand \u00fcber", "I see.", "Bye <|im_end|> & </s>"]
SYSTEM = "You speak like a pirate.\nAlways."
WITHOUT_SYSTEM = {"mistral"}


def program(name: str) -> ChatProgram:
    return ChatProgram((FOLDER / f"{name}.jinja").read_bytes(), "<s>", "</s>")


def jinja(name: str, messages: Sequence[dict[str, str]]) -> str:
    """As programs render published templates, by jinja2 itself."""

    def refuse(message: str) -> None:
        raise AssertionError(message)

    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = refuse
    template = environment.from_string(program(name).text.decode())
    return template.render(
        messages=messages, add_generation_prompt=True, bos_token="<s>", eos_token="</s>", tools=None
    )


def rendered(found: dict[str, str | bool], texts: Sequence[str], system: str) -> str:
    """As the guest does (tinyllama/chat/conversation.c)."""
    begin = f"{found['system_begin']}{system}{found['system_end']}" if system else str(found["begin"])
    behind = {"user": found["past_answer"], "assistant": found["turn"]}
    roles = ["user", "assistant"] * 3
    parts = [f"{text}{behind[role]}" for text, role in zip(texts[:-1], roles, strict=False)]
    return f"{begin}{''.join(parts)}{texts[-1]}{found['answer']}"


def messages_of(texts: Sequence[str], system: str) -> list[dict[str, str]]:
    first = [{"role": "system", "content": system}] if system else []
    roles = ["user", "assistant"] * 3
    said = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=False)]
    return first + said


def test_there_are_ten() -> None:
    assert len(NAMES) == 10
    described = (FOLDER / "README.md").read_text()
    assert all(f"`{name}.jinja`" in described for name in NAMES)


@pytest.mark.parametrize("system", ["", SYSTEM], ids=["plain", "system"])
@pytest.mark.parametrize("name", NAMES)
def test_renders_as_jinja_does(name: str, system: str) -> None:
    found = probe(program(name))
    assert "reason" not in found
    if name in WITHOUT_SYSTEM:
        assert found["system_begin"] == found["system_end"] == ""
        system = ""
    for turns in (1, 3, 5):
        expected = jinja(name, messages_of(TALK[:turns], system))
        assert rendered(found, TALK[:turns], system) == expected


def test_some_texts() -> None:
    assert probe(program("zephyr")) == {
        "begin": "<|user|>\n",
        "system_begin": "<|system|>\n",
        "system_end": "</s>\n<|user|>\n",
        "answer": "</s>\n<|assistant|>\n",
        "past_answer": "</s>\n<|assistant|>\n",
        "turn": "</s>\n<|user|>\n",
        "system_last": False,
        "drops_thoughts": False,
        "thoughts_space": "",
    }
    assistant = "<\uff5cAssistant\uff5c>"
    r1 = probe(program("deepseek-r1"))
    assert (r1["answer"], r1["past_answer"]) == (f"{assistant}<think>\n", assistant)
    llama2 = probe(program("llama2"))
    assert (llama2["past_answer"], llama2["turn"]) == (" [/INST] ", " </s><s>[INST] ")
    found = {name: probe(program(name)) for name in NAMES}
    spaces = {name: texts["thoughts_space"] for name, texts in found.items() if texts["drops_thoughts"]}
    assert spaces == {"deepseek-r1": "", "qwen3": "\n"}


LAST = (
    "{{ bos_token }}{% for m in messages if m['role'] != 'system' %}{% if m['role'] == 'user' %}[INST]"
    "{% if loop.last and messages[0]['role'] == 'system' %}{{ messages[0]['content'] + '\\n\\n' }}{% endif %}"
    "{{ m['content'] }}[/INST]{% else %}{{ m['content'] + eos_token }}{% endif %}{% endfor %}"
)


def test_system_text_in_the_last_turn() -> None:
    found = probe(ChatProgram(LAST.encode(), "<s>", "</s>"))
    assert (found["begin"], found["turn"]) == ("<s>[INST]", "</s>[INST]")
    assert (found["system_begin"], found["system_end"], found["system_last"]) == ("", "\n\n", True)


MARKED = (
    "{% for m in messages %}<{{ m['role'] }}>"
    "{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] }}</>{% endgeneration %}"
    "{% else %}{{ m['content'] }}{% endif %}{% endfor %}<assistant>"
)


def test_answers_marked_for_training() -> None:
    found = probe(ChatProgram(MARKED.encode(), "", ""))
    assert (found["begin"], found["past_answer"]) == ("<user>", "<assistant>")
    assert (found["turn"], found["answer"]) == ("</><user>", "<assistant>")


USER = "{{ messages[-1]['content'] }}"
WRONG = {
    "no jinja": ("{% for m in %}", "it is no Jinja: line 1: "),
    "wants tools": (
        "{% if not tools %}{{ raise_exception('Tools are needed') }}{% endif %}",
        "it says: Tools",
    ),
    "unknown filter": ("{{ messages | frobnicate }}", "it is no Jinja: line 1: No filter named 'frobnicate'"),
    "forgets a message": (USER, "a message's text is not once and in its place"),
    "says it twice": (f"{USER}{USER}", "a message's text is not once and in its place"),
    "changes texts": (
        "{% for m in messages %}[{{ m['content'] | replace(' ', '_') }}]{% endfor %}",
        "it changes the texts of messages",
    ),
    "counts": (
        "{% for m in messages %}[{{ loop.index }}{{ m['content'] }}]{% endfor %}",
        "what it puts in front of a past answer is not the same in every turn",
    ),
    "looks around": ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "access to attribute"),
    "too large": ("{{ range(100000000) | list }}", "Range too big"),
    "a zero byte": ("{% for m in messages %}\0{{ m['content'] }}{% endfor %}", "a zero byte"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit(name: str) -> None:
    text, reason = WRONG[name]
    found = probe(ChatProgram(text.encode(), "", ""))
    assert set(found) == {"reason"}
    assert reason in str(found["reason"]) and "\n" not in str(found["reason"])


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{{ ('a' * 999999999) * 99 }}",
    ],
)
def test_one_that_takes_all(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_template, "_SECONDS", 2)
    found = probe(ChatProgram(text.encode(), "", ""))
    assert set(found) == {"reason"}
    assert str(found["reason"]).startswith(("it does not end within 2 seconds", "it takes too much memory"))


def tokenizer(**more: object) -> dict[str, object]:
    return {
        "tokenizer.ggml.tokens": ["<unk>", "<s>", "</s>"],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        **more,
    }


def test_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    program_text = (FOLDER / "llama2.jinja").read_text()
    path.write_bytes(gguf_file(tokenizer(**{"tokenizer.chat_template": program_text}), []))  # type: ignore[arg-type]
    assert read_chat_program(path) == program("llama2")
    content, reason = make_chat_template(path)
    assert reason == ""
    crc = f"{zlib.crc32(program_text.encode()):08x}"
    assert content.startswith(b"BareFlow chat template 2\n8:%s,0:,10:<s>[INST] ," % crc.encode())
    assert content.endswith(b"8: [/INST],9: [/INST] ,15: </s><s>[INST] ,0:,0:,0:,")


def test_files_without_one(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf_file(tokenizer(), []))  # type: ignore[arg-type]
    assert make_chat_template(path) == (b"", "")
    whole = gguf_file(tokenizer(**{"tokenizer.chat_template": "x" * 50}), [])  # type: ignore[arg-type]
    for size in range(1, len(whole) - 40):
        path.write_bytes(whole[:size])
        assert make_chat_template(path) == (b"", "")


def test_reason_reaches_the_file(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf_file(tokenizer(**{"tokenizer.chat_template": "{% if %}"}), []))  # type: ignore[arg-type]
    content, reason = make_chat_template(path)
    assert reason.startswith("it is no Jinja: line 1: ")
    assert content == encode(ChatProgram(b"{% if %}", "<s>", "</s>"), {"reason": reason})
    assert json.dumps(reason)[1:-1].encode() in content and content.endswith(b",0:,0:,0:,0:,0:,0:,0:,0:,0:,")


def test_lengths_count_bytes() -> None:
    found: dict[str, str | bool] = {"begin": "\u00fc", "drops_thoughts": True, "thoughts_space": "\n"}
    parts = encode(ChatProgram(b"", "", ""), found).split(b"\n", 1)[1]
    assert b"2:\xc3\xbc," in parts and parts.endswith(b"8:thoughts,1:\n,")
