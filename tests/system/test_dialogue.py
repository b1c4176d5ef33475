"""The dialogue: editing a line, commands, Ctrl-C; over the serial line and by keys, read on the screen."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from bareflow.qemu.guest import Guest
from fixture_types import Boot, ModelImage, Story, Tell

CONFIG: dict[str, object] = {"mode": "interactive", "temperature": 0, "steps": 64}
COMMANDS = "/help /set /stats /profile /jit /bench /save /export /trim /life /reboot /poweroff /exit /quit"
UP, LEFT, HOME, DELETE = "\x1b[A", "\x1b[D", "\x1b[H", "\x1b[3~"


@pytest.fixture
def guest(boot: Boot, model_image: ModelImage) -> Guest:
    """A dialogue that waits for its first line."""
    guest = boot(model_image("default"), config=CONFIG)
    guest.expect("^> ")
    return guest


def answer(guest: Guest, line: str) -> str:
    """Enters a line on the serial line; returns what comes until the next prompt."""
    guest.send(line + "\r")
    return guest.expect(r"\n((?:.*\n)*?)> ")[1]


def test_session_over_serial(guest: Guest, story: Story) -> None:
    # The story's beginning, typed with mistakes: each way to correct one.
    begin, at = story.beginning, len(story.beginning) // 2
    wrong = begin[1:at] + begin[at + 1 :] + "r\b"
    guest.send(wrong + LEFT * (len(begin) - at - 1) + begin[at] + HOME + begin[0] + "\r")
    guest.expect_event("generate")
    assert guest.text == story.text
    guest.expect("^> ")
    for command in COMMANDS.split():
        assert re.search(f"^{command} ", answer(guest, "/help"), re.MULTILINE)

    settings = answer(guest, "/set")
    for shown in (
        "steps 64",
        "temperature 0.0",
        "top_k 0",
        "top_p 0.9",
        "min_p 0.0",
        "repeat_penalty 1.0",
        "seed 0",
    ):
        assert re.search(f"^{shown.replace(' ', ' +')} ", settings, re.MULTILINE)
    assert answer(guest, "/set steps 24") == ""
    assert re.search("^steps +24 ", answer(guest, "/set"), re.MULTILINE)
    guest.send(UP * 5 + "\r")  # over three lines /set and one /help, since repeated ones are one
    assert guest.expect_event("generate")["tokens"] == 24
    guest.expect("^> ")

    stats = answer(guest, "/stats")
    assert re.search(r"^last text: 24 tokens, .* tokens/s$", stats, re.MULTILINE)
    memory = re.search(r"^memory: (\d+) KiB used, at most (\d+), of (\d+)$", stats, re.MULTILINE)
    assert memory and 0 < int(memory[1]) <= int(memory[2]) <= int(memory[3]) < 64 * 1024
    assert re.search(r"rmsnorm [1-9]\d*; qkv [1-9]\d*; .*; down [1-9]\d*$", stats, re.MULTILINE)
    assert re.search(r"^sampler +\d+ +\d+ +\d+ +\d+ +\d+\.\d %$", answer(guest, "/profile"), re.MULTILINE)

    assert answer(guest, "/set steps 16") == ""
    table = answer(guest, "/bench")
    assert re.search(r"^count_primes\(100\) +5 ", table, re.MULTILINE)
    assert re.search(r" 16 tokens, \d+\.\d\d tokens/s$", table, re.MULTILINE)
    assert "Nothing has been measured yet" in answer(guest, "/profile")
    guest.send("/poweroff\r")
    assert guest.wait_exit() == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/hlep", f"there is no command /hlep; there are {COMMANDS}"),
        ("/", f"there is no command /; there are {COMMANDS}"),
        ("/stats all", '/stats stands alone, without "all"'),
        ("/poweroff now", '/poweroff stands alone, without "now"'),
        (
            "/set top 3",
            'there is no setting "top"; there are steps temperature top_k top_p min_p repeat_penalty '
            "repeat_last_n seed",
        ),
        ("/set top_k -1", "top_k = -1: not a whole number from 0 to 4294967295"),
        ("/set min_p", "min_p = : not a number like 0.9, from 0 to 1"),
        ("/set repeat_penalty 0", "repeat_penalty = 0: not a number like 1.1, from 1 to 10"),
    ],
)
def test_wrong_commands_say_what_is_right(guest: Guest, line: str, message: str) -> None:
    assert answer(guest, line) == f"error: {message}\n"


def test_reboot(guest: Guest) -> None:
    guest.send("/reboot\r")
    assert guest.wait_end().how == "reset"


def test_seed_set_in_the_dialogue(guest: Guest) -> None:
    answer(guest, "/set temperature=1")
    texts = []
    for seed in (5, 6, 5):
        answer(guest, f"/set seed {seed}")
        before = len(guest.text)
        answer(guest, "")
        texts.append(guest.text[before:])
    assert texts[0] == texts[2] != texts[1]


def test_utf8_is_edited_by_characters(guest: Guest) -> None:
    answer(guest, "/set steps 12")
    answer(guest, "f\u00fc\u20acr" + LEFT + "\b")  # the euro sign goes as a whole
    assert guest.text.startswith("f\u00fcr")


def stop_by_serial(guest: Guest) -> None:
    guest.send("x" * 2000 + "\x03")  # more than any ring and FIFO holds


def stop_by_key(guest: Guest) -> None:
    guest.send_key("ctrl", "c")


@pytest.mark.parametrize("stop", [stop_by_serial, stop_by_key])
def test_control_c_stops_a_story(
    boot: Boot, model_image: ModelImage, story: Story, stop: Callable[[Guest], None]
) -> None:
    guest = boot(model_image("default"), config={"mode": "interactive", "temperature": 0, "steps": 0})
    guest.expect("^> ")
    for line in ("temperature 100", "top_p 0", "seed 1"):  # this model's own stories end soon
        answer(guest, f"/set {line}")
    guest.send("\r")
    guest.expect_event("text_begin")
    stop(guest)
    assert guest.expect_event("generate")["end"] == "stopped"
    guest.expect(r"^Stopped\.\n> ")
    told = guest.text
    assert answer(guest, "/set temperature 0") == ""
    answer(guest, "/set steps 64")
    answer(guest, "")
    assert guest.text == told + story.text


@pytest.mark.parametrize("way", ["/exit\r", "/quit\r", "\x04"])
def test_ends_by_other_words(guest: Guest, way: str) -> None:
    guest.send(way)
    assert guest.wait_exit() == 0


def test_control_c_drops_the_line(guest: Guest) -> None:
    guest.send("/poweroff\x03")
    guest.expect(r"^> ")
    assert "there are" in answer(guest, "/x")


def test_lines_typed_while_a_story_is_told_are_kept(guest: Guest, story: Story) -> None:
    guest.send("\r\r/poweroff\r")
    assert guest.wait_exit() == 0
    assert guest.text == story.text * 2


def test_full_context_is_told(boot: Boot, model_image: ModelImage) -> None:
    """The model's context is 512 tokens, and this prompt a few short of that. A model may end its story
    before, but hardly at so high a temperature, and not with each of these seeds."""
    guest = boot(model_image("default"), config={"mode": "interactive", "temperature": 2, "steps": 0})
    guest.expect("^> ")
    for seed in range(1, 9):
        answer(guest, f"/set seed {seed}")
        answer(guest, "qz" * 254)
        told = [event for event in guest.events if event["event"] == "generate"][-1]
        assert 505 < int(told["prompt_tokens"]) < 512
        if told["end"] == "context":
            break
    assert told["end"] == "context"
    assert "The model's context of 512 tokens is full: the text stops here." in guest.console


def test_keyboard_session_on_the_screen(guest: Guest) -> None:
    guest.type_text("/set top_k 7x")
    guest.send_key("left")
    guest.send_key("delete")
    guest.expect_screen(r"^> /set top_k 7$")
    guest.send_key("home")
    guest.type_text("?")
    guest.expect_screen(r"^> \?/set top_k 7$")
    guest.type_text("\b\n/set\n")
    guest.expect_screen(r"^top_k +7 ")
    guest.send_key("up")
    guest.expect_screen(r"^> /set$")
    guest.send_key("up")
    guest.expect_screen(r"^> /set top_k 7$")
    for _ in range(2):
        guest.send_key("down")
    guest.expect_screen(r"^>$(?!\n>)")
    guest.type_text("/tell\n")
    guest.expect_screen("^error: there is no command /tell; there are /help")
    guest.type_text("/set steps 12\nTom\n")
    guest.expect_event("generate")
    shown = guest.expect_screen(r"^> Tom\n(Tom.*)\n")[1]
    assert guest.text.startswith(shown) or shown.startswith(guest.text.split("\n")[0])


def test_line_longer_than_the_screen(guest: Guest) -> None:
    """It moves along in its row, and is taken as a whole."""
    words = " ".join(f"word{number}" for number in range(40))
    guest.send("/" + words)
    guest.expect_screen(r"^> .*word39$")
    guest.send(HOME)
    guest.expect_screen(r"^> /word0 word1 ")
    guest.send(DELETE + "/stats ")
    assert answer(guest, "") == f'error: /stats stands alone, without "{words[:40]}"\n'


def test_options_reach_the_sampler(tell: Tell, model_image: ModelImage, story: Story) -> None:
    """top-k of one and min-p of one leave the likeliest; a penalty changes the text."""
    for options in ({"top_k": 1}, {"min_p": 1}, {"topk": 1}):
        config: dict[str, object] = {"steps": 64, "temperature": 1, "top_p": 0, "seed": 3, **options}
        assert tell(model_image("default"), config).text == story.text
    penalised = tell(model_image("default"), {"steps": 64, "repeat_penalty": 1.5}).text
    assert penalised != story.text
