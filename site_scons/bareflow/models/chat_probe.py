"""Finds out what a chat template, a program in Jinja, puts around the texts of a conversation.

    python -m bareflow.models.chat_probe <REQUEST >ANSWER

A program of its own, because what it runs is somebody else's: it may take all time or memory that there is.
REQUEST is a JSON object with program, bos and eos; ANSWER one with the fields of Texts, or with "reason".

The program renders conversations of marker texts. What stands between the markers must be the same in every
one of them; then it is tried on three turns of real texts.
"""

import dataclasses
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError
from jinja2.ext import Extension
from jinja2.nodes import Node
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

Message = dict[str, str]
Render = Callable[[Sequence[Message]], str]

SYSTEM, TEXTS = "MARKsystemMARK", [f"MARKtext{i}MARK" for i in range(5)]
THOUGHT = "MARKthoughtMARK"
CONVERSATION = (
    "What's \u201c2 + 2\u201d?\n\nExplain: {{ x }}",
    "4, d'accord.",
    "And <b>twice</b> that?",
    "8\n- eight",
    "Thanks \U0001f44d",
)
RULES = "Answer briefly.\nBe kind."
_LONGEST_REASON = 120


class _Generation(Extension):
    """{% generation %} ... {% endgeneration %} marks answers for training and renders what is in it."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class Misfit(Exception):
    """The template cannot be used; the message says why."""


@dataclass(frozen=True)
class Texts:
    """What tinyllama/chat/template.h has; no system text: "" for what is around it."""

    begin: str
    system_begin: str
    system_end: str
    answer: str
    past_answer: str
    turn: str
    system_last: bool
    drops_thoughts: bool
    thoughts_space: str


def conversation(texts: Sequence[str], system: str = "") -> list[Message]:
    """Messages by user and assistant in turn."""
    roles = ("user", "assistant")
    messages = [{"role": roles[i % 2], "content": text} for i, text in enumerate(texts)]
    return [{"role": "system", "content": system}, *messages] if system else messages


def renderer(program: str, bos: str, eos: str) -> Render:
    """The template as a function, with what published templates expect around them."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _Generation]
    )

    def refuse(message: str) -> None:
        raise Misfit(f"it says: {message}")

    environment.globals["raise_exception"] = refuse
    environment.filters["tojson"] = lambda value, **options: json.dumps(value, ensure_ascii=False, **options)
    try:
        template = environment.from_string(program)
    except TemplateSyntaxError as error:
        raise Misfit(f"it is no Jinja: line {error.lineno}: {error.message}") from None

    def render(messages: Sequence[Message]) -> str:
        try:
            return template.render(
                messages=messages, add_generation_prompt=True, bos_token=bos, eos_token=eos, tools=None
            )
        except Misfit:
            raise
        except TemplateError as error:
            raise Misfit(str(error)) from None
        except MemoryError:
            raise Misfit("it takes too much memory") from None
        except Exception as error:
            raise Misfit(f"{type(error).__name__}: {error}") from None

    return render


def _between(render: Render, texts: Sequence[str], system: str = "") -> list[str]:
    """What is rendered before, between and behind the texts."""
    rest, found = render(conversation(texts, system)), []
    for mark in [system, *texts] if system else texts:
        before, there, rest = rest.partition(mark)
        if not there or mark in rest:
            raise Misfit("a message's text is not once and in its place in what it makes")
        found.append(before)
    return [*found, rest]


def _same(name: str, *values: str) -> str:
    if len(set(values)) > 1:
        raise Misfit(f"what it puts {name} is not the same in every turn")
    return values[0]


def _system(render: Render, plain: Texts) -> Texts:
    """With the system text; without if the template takes none, or elsewhere than in front of the first or of
    the last text of the user."""
    first, answer, last = TEXTS[:3]
    try:
        before, _, behind = render(conversation(TEXTS[:3], SYSTEM)).partition(SYSTEM)
        past = f"{plain.begin}{first}{plain.past_answer}{answer}{plain.turn}"
        for begin, text, is_last in (before, first, False), (before.removeprefix(past), last, True):
            texts = dataclasses.replace(
                plain, system_begin=begin, system_end=behind.partition(text)[0], system_last=is_last
            )
            if texts.system_end and all(
                compose(texts, TEXTS[:count], SYSTEM) == render(conversation(TEXTS[:count], SYSTEM))
                for count in (1, 3, 5)
            ):
                return texts
    except Misfit:
        pass
    return plain


def _thoughts(render: Render) -> tuple[bool, str]:
    """Whether past answers lose what goes before "</think>", and which characters behind that."""

    def rendered(space: str) -> str:
        thinking = f"<think>\n{THOUGHT}\n</think>{space}{TEXTS[1]}"
        return render(conversation([TEXTS[0], thinking, TEXTS[2]]))

    if THOUGHT in rendered("\n\n"):
        return False, ""
    return True, "".join(space for space in "\n " if rendered(space) == rendered(""))


def compose(texts: Texts, said: Sequence[str], system: str = "") -> str:
    """The rendering of a conversation by the texts."""
    result = ""
    for i in range(0, len(said), 2):
        last = i == len(said) - 1
        begin = texts.turn if i else texts.begin
        if system and (last if texts.system_last else i == 0):
            begin = f"{begin if texts.system_last else ''}{texts.system_begin}{system}{texts.system_end}"
        result += begin + said[i] + (texts.answer if last else texts.past_answer + said[i + 1])
    return result


def probe(program: str, bos: str, eos: str) -> Texts:
    """Raises Misfit."""
    render = renderer(program, bos, eos)
    begin1, answer1 = _between(render, TEXTS[:1])
    begin2, past2, turn2, answer2 = _between(render, TEXTS[:3])
    begin3, past3, turn3, past4, turn4, answer3 = _between(render, TEXTS)
    plain = Texts(
        _same("in front", begin1, begin2, begin3),
        "",
        "",
        _same("in front of an answer", answer1, answer2, answer3),
        _same("in front of a past answer", past2, past3, past4),
        _same("behind an answer", turn2, turn3, turn4),
        False,
        *_thoughts(render),
    )
    texts = _system(render, plain)
    for system in ("", RULES) if texts.system_end else ("",):
        for count in (1, 3, 5):
            said = CONVERSATION[:count]
            if compose(texts, said, system) != render(conversation(said, system)):
                raise Misfit("it changes the texts of messages")
    return texts


def main() -> int:
    request = json.load(sys.stdin)
    try:
        answer: dict[str, Any] = dataclasses.asdict(probe(request["program"], request["bos"], request["eos"]))
    except Misfit as misfit:
        answer = {"reason": " ".join(str(misfit).split())[:_LONGEST_REASON]}
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
