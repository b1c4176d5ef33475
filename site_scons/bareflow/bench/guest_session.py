"""Guests in QEMU that generate texts, with the times at which things happened: Boot is one text from
power-on to its end, Session one text after another in one boot.

There are two clocks: one on the wall, and QEMU's processor time, which says the same however busy the machine
is with other things.
"""

import contextlib
import ctypes
import selectors
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from bareflow.model_program import MODEL_PROGRAM
from bareflow.qemu.guest import Guest, GuestError
from bareflow.qemu.machine import Machine
from bareflow.qemu.serial import Console, Event, Item, ProtocolError, SerialDecoder, Text

PROMPT = b"> "
POWER_OFF = f"{MODEL_PROGRAM.end}\r"
STEADY = 0.95
"""Of the final speed: what counts as having reached it."""
BOOT_LIMIT = 20.0
"""Seconds after which a boot for one text counts as hung."""
MOST_MEMORY = 64
"""MiB."""
ONE_TEXT = {"mode": MODEL_PROGRAM.text_mode, "temperature": 0, "steps": 64}


class Time(NamedTuple):
    """Seconds since the machine was switched on."""

    wall: float
    processor: float


Stamped = tuple[Time, Item]
"""What came over the serial line, and when."""

_libc = ctypes.CDLL(None)


@dataclass
class Generation:
    """One text: when its first byte came and when its end, the text, and what the guest reported after it."""

    begun: Time | None = None
    ended: Time | None = None
    text: bytes = b""
    rate: float = 0.0
    """Tokens per second on the wall, without the prompt's."""
    tokens: int = 0
    costs: Event = field(default_factory=dict)
    """The event "jit", of all that was before."""

    @property
    def processor_rate(self) -> float:
        """Tokens per second of processor time, from the first one's text to the end."""
        assert self.begun and self.ended
        return self.tokens / max(self.ended.processor - self.begun.processor, 1e-9)


@dataclass
class Session:
    """One boot: seconds are those since power-on."""

    llvm: Time | None = None
    """When the compiler was ready; None when there is none."""
    settled: Time | None = None
    """When the guest was done with writing a kernel by itself; None when it has not tried to."""
    reported: Time | None = None
    """When the last event "jit" came: of a program that does not report on texts, that is at its end."""
    exited: Time | None = None
    cycles_per_s: float = 0.0
    events: list[Event] = field(default_factory=list)
    generations: list[Generation] = field(default_factory=list)

    @property
    def first_token(self) -> Time:
        assert self.generations[0].begun
        return self.generations[0].begun

    @property
    def first_output(self) -> Time:
        """When the first text began; without any, when the program ended."""
        begun = [generation.begun for generation in self.generations if generation.begun]
        return begun[0] if begun else self.program_end

    @property
    def program_end(self) -> Time:
        """When an ordinary program had ended, and the JIT, if there is one, had not written anything yet."""
        ended = self.reported or self.exited
        assert ended
        return ended

    @property
    def tokens(self) -> int:
        return sum(generation.tokens for generation in self.generations)

    @property
    def last_generations(self) -> list[Generation]:
        """The last quarter of them."""
        return self.generations[-max(1, len(self.generations) // 4) :]

    @property
    def final_rate(self) -> float:
        """Tokens per second in the end."""
        return median(generation.rate for generation in self.last_generations)

    @property
    def final_processor_rate(self) -> float:
        """The same by processor time."""
        return median(generation.processor_rate for generation in self.last_generations)

    @property
    def steady(self) -> Time:
        """When the first text began that was generated at (nearly) the final speed, by processor time."""
        fast = STEADY * self.final_processor_rate
        begun = next(generation.begun for generation in self.generations if generation.processor_rate >= fast)
        assert begun
        return begun

    def costs_after(self, tokens: int) -> Event:
        """The event "jit" after the text that reached so many tokens, or the last one; of 0 none."""
        generated = 0
        costs: Event = {}
        for generation in self.generations:
            if generated >= tokens:
                break
            generated += generation.tokens
            costs = generation.costs
        return costs

    def share(self, what: str, begin: int, end: int) -> float:
        """What "compile" or "profiling" took of the running time between two numbers of tokens. Waiting for
        input is no running time, and what is compiled meanwhile takes none of it."""
        before, after = self.costs_after(begin), self.costs_after(end)

        def passed(key: str) -> float:
            return float(after.get(key, 0)) - float(before.get(key, 0))

        running = passed("cycles") - passed("waiting_cycles")
        taken = passed(f"{what}_cycles")
        return taken / running if running > 0 else 0.0

    def events_named(self, name: str) -> list[Event]:
        return [event for event in self.events if event["event"] == name]


def _note_event(session: Session, now: Time, event: Event) -> None:
    session.events.append(event)
    name = event["event"]
    if name == "llvm":
        session.llvm = now
    elif name == "settle":
        session.settled = now
    elif name == "exit":
        session.exited = now
    elif name == "text_begin":
        session.generations.append(Generation())
    elif name == "text_end":
        session.generations[-1].ended = now
    elif name == "generate":
        generation = session.generations[-1]
        generation.rate, generation.tokens = float(event["tokens_per_s"]), int(event["tokens"])
        session.cycles_per_s = event["first_token_cycles"] / max(event["first_token_us"], 1) * 1e6
    elif name == "jit":
        session.reported = now
        if session.generations:
            session.generations[-1].costs = event


def parse(items: Iterable[Stamped]) -> Session:
    """What a boot's output says."""
    session = Session()
    for now, item in items:
        if isinstance(item, Text):
            generation = session.generations[-1]
            generation.begun = generation.begun or now
            generation.text += item.data
        elif isinstance(item, dict):
            _note_event(session, now, item)
    return session


def processor_seconds(pid: int) -> float:
    """What a process has used so far, with its threads that have ended; 0 when there is no such process."""
    clock = ctypes.c_int()
    if _libc.clock_getcpuclockid(pid, ctypes.byref(clock)):
        return 0.0
    try:
        return time.clock_gettime_ns(clock.value) / 1e9
    except OSError:
        return 0.0  # it ended just now


def stamped(guest: Guest, begun: float) -> Iterator[Stamped]:
    """What the guest sends, with the times since `begun` (time.monotonic())."""
    for item in guest.items():
        yield Time(time.monotonic() - begun, processor_seconds(guest.pid)), item


def typing(text: str, guest: Guest, begun: float) -> Iterator[Stamped]:
    """The same, while the guest gets a text as it takes it."""

    def send() -> None:
        with contextlib.suppress(GuestError):  # the guest has ended
            guest.send(text.replace("\n", "\r"), patient=True)

    if text:
        threading.Thread(target=send, daemon=True).start()
    return stamped(guest, begun)


def follow(
    machine: Machine, limit: float, watch: Callable[[Guest, float], Iterator[Stamped]], code: int = 0
) -> Session:
    """Boots the machine and follows it to its end by `watch`, which gets the guest and the time at which it
    was switched on; raises GuestError if it does not end with this code, or takes longer than limit
    (seconds)."""
    begun = time.monotonic()
    with Guest(machine, timeout=limit) as guest:
        timer = threading.Timer(limit, guest.kill)
        timer.start()
        try:
            session = parse(watch(guest, begun))
            status = guest.wait_exit()
        finally:
            timer.cancel()
        if status != code:
            raise GuestError(f"the guest ended with code {status}:\n{guest.console[-2000:]}")
    return session


def _answer(prompt: str, tokens: int, guest: Guest, begun: float) -> Iterator[Stamped]:
    """Types the prompt whenever the guest asks for one, until it has generated so many tokens."""
    generated, waiting, line = 0, True, b""
    for now, item in stamped(guest, begun):
        yield now, item
        if isinstance(item, dict):
            if item["event"] == "generate":
                generated += int(item["tokens"])
                waiting, line = True, b""
        elif isinstance(item, Console) and waiting:
            line = (line + item.data).rpartition(b"\n")[2]
            if line == PROMPT:
                waiting = False
                guest.send(f"{prompt}\r" if generated < tokens else POWER_OFF)


def generate_texts(machine: Machine, prompt: str, tokens: int, limit: float) -> Session:
    """Boots the machine, in mode interactive, for the same text again and again until there are so many
    tokens; raises GuestError if it fails, or takes longer than limit (seconds)."""
    return follow(machine, limit, partial(_answer, prompt, tokens))


@dataclass(frozen=True)
class Boot:
    """One boot: seconds to the first byte of text, and the events up to the end."""

    seconds: float
    events: dict[str, Event]

    def cycles(self, event: str, key: str) -> int:
        return int(str(self.events[event][key]))


def _watch(process: subprocess.Popen[bytes], begun: float) -> Boot | None:
    """Follows the guest to its end, or for BOOT_LIMIT seconds; None if it generates no text."""
    assert process.stdout is not None
    decoder, first_text, events, line = SerialDecoder(), None, {}, b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(begun + BOOT_LIMIT - time.monotonic()):
            piece = process.stdout.read1(4096)  # type: ignore[attr-defined]
            if not piece:
                break
            for item in decoder.feed(piece):
                if isinstance(item, Text) and first_text is None:
                    first_text = time.monotonic() - begun
                elif isinstance(item, dict):
                    events[item["event"]] = item
                elif isinstance(item, Console):
                    line = (line + item.data).rpartition(b"\n")[2]
                    if line.startswith(b"error: "):  # the loader halts after that
                        return None
    return Boot(first_text, events) if first_text is not None and "generate" in events else None


def time_boot(image: Path, memory: int, **options: Any) -> Boot | None:
    """Boots the image with so many MiB and these options of Machine; None if it generates no text."""
    config = ONE_TEXT | options.pop("config", {})
    machine = Machine(image, config=config, memory=memory, **options)
    begun = time.monotonic()
    config_file = machine.config_file()
    with (
        config_file,
        subprocess.Popen(
            [*machine.arguments(config_file.fileno()), "-serial", "stdio"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=[config_file.fileno()],
        ) as process,
    ):
        try:
            result = _watch(process, begun)
        except ProtocolError:
            result = None
        finally:
            process.kill()
    return result


def least_memory(image: Path) -> int | None:
    """The least whole MiB of memory with which the guest generates a text."""
    return next((size for size in range(1, MOST_MEMORY + 1) if time_boot(image, size)), None)
