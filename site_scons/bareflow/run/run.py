"""What `./bareflow run` does: boots an image and puts the model's text on standard output.

    python -m bareflow.run.run image=FILE [key=value ...]

or main(argv) with the same arguments: the options of bareflow.run.options, qemu=PROGRAM and
least_memory=MIB, which counts without memory=. An argument with
an empty value counts as not given, except prompt=. config=, which may be repeated, hands any settings to the
guest; one that has an option as well counts as that option.

The model's text and nothing else goes to standard output as it is made, with a line break at its end if it
has none, and everything else to standard error, also what comes in the middle of a text, and after a text how
fast it was generated. When the machine restarts, because the guest wants it or because it has crashed and
the disk has a second kernel, the run goes on; an interrupted text is then generated again, and standard
output gets what is new of it. In mode perplexity the text is its numbers. In mode bench the tables, which are
what was asked for, go there too: all that is printed once the model is read.

Without prompt= and mode= on a terminal the mode is a dialogue, a chat if the model is for one: the terminal
is the guest's serial line until the guest ends or Ctrl-] is typed. Without prompt=, where standard input is
no terminal, all of it is the prompt. With mode=interactive or chat and no terminal, its lines are typed to
the guest one after the other, and then the command that ends a dialogue.

ids= and logits= name files of the host, which get the ids of the text's tokens and the logits of every
position; text= names one that the guest gets. The guest then runs on a copy of the image, unless it may
change the image.

The status is 0 when the guest ended with code 0, otherwise 1 and a message, also when the machine will never
go on by itself; 2 for a wrong argument.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from bareflow import program
from bareflow.disk.boot_slots import ATTEMPTS, KERNELS
from bareflow.disk.fat import read_beginning, read_file
from bareflow.errors import BareFlowError
from bareflow.kernel.kernel_file import KernelHeader, parse_header
from bareflow.model_program import MODEL_PROGRAM as MODEL
from bareflow.models.gguf_metadata import kv_cache_bytes
from bareflow.qemu.guest import Guest, GuestError
from bareflow.qemu.machine import DRIVES, MACHINES, QEMU, Machine
from bareflow.qemu.serial import Console, Event, Malformed, Text
from bareflow.run import results
from bareflow.run.debugger import port_of
from bareflow.run.options import CONFIG, GUEST, INPUTS, MACHINE, RESULTS, config_settings
from bareflow.run.run_input import END_OF_INPUT, POWER_OFF, forward, forward_keys, raw_terminal, read_prompt
from bareflow.run.text_output import ByteStream, TextOutput

LEAST = "least_memory"
KEYS = ("image", "qemu", "program", LEAST, *MACHINE, *GUEST, *RESULTS, *INPUTS, CONFIG)
HEADER = 1 << 16
"""Bytes of a model's file: enough for its hyperparameters."""
PROGRAM = "program"
"""What another program than the model's runs in (program=1): it has no modes."""
TYPED = (*MODEL.dialogues, PROGRAM)
"""Modes in which the guest gets standard input as it comes."""
USER = "the user ended it"
SIGNALS = (signal.SIGTERM, signal.SIGHUP)
WATCH_INTERVAL = 0.5  # seconds between two looks at a machine that may be stuck


class UsageError(Exception):
    """An argument is wrong; the message says which and what would be right."""


def parse(argv: Sequence[str], *, terminal: bool) -> tuple[Machine, int]:
    """The machine to boot and the time limit in seconds (0: none) from key=value arguments.

    terminal: whether a person sits at standard input and output.
    """
    given: dict[str, str] = {}
    texts: list[str] = []
    for argument in argv:
        key, equals, value = argument.partition("=")
        if not equals or key not in KEYS:
            known = " ".join(f"{name}=" for name in KEYS)
            raise UsageError(f"{argument!r} is not an option of run; there are {known}")
        if key == CONFIG:
            texts.append(value)
        elif value or key == "prompt":
            given[key] = value
    if "image" not in given:
        raise UsageError("image=FILE is missing")
    config: dict[str, object] = {key: given[key] for key in GUEST if key in given}
    config |= {key: results.GUEST_PATHS[key] for key in RESULTS | INPUTS if key in given}
    try:
        config |= config_settings(texts)
    except ValueError as error:
        raise UsageError(f"{CONFIG}=: {error}") from None
    if "program" not in given:
        _complete_mode(config, terminal)
    _one_of("write", given.get("write", "0"), ("0", "1"))
    machine = _one_of("machine", given.get("machine", "pc"), MACHINES)
    image = Path(given["image"])
    kernels = _kernels(image)
    drive = given.get("drive", "ahci" if machine == "q35" else "ide")
    return (
        Machine(
            image,
            config=config,
            memory=_memory(given, image, kernels, config),
            cpu=given.get("cpu"),
            machine=machine,
            drive=_one_of("drive", drive, DRIVES),
            snapshot=given.get("write") != "1",
            crashes=ATTEMPTS if len(kernels) > 1 else 0,
            accel=given.get("accel", "tcg"),
            gdb=port_of(_whole_number("gdb", given.get("gdb", "0"), minimum=0)),
            qemu=given.get("qemu", QEMU),
        ),
        _whole_number("timeout", given.get("timeout", "0"), minimum=0),
    )


def _complete_mode(config: dict[str, object], terminal: bool) -> None:
    """Sets the mode of the model's program if it is not given, and checks it."""
    is_dialogue = terminal and not MODEL.prompts & config.keys()
    config.setdefault("mode", MODEL.dialogues[0] if is_dialogue else MODEL.text_mode)
    _one_of("mode", str(config["mode"]), MODEL.modes)
    if config["mode"] in MODEL.dialogues and config.get("prompt"):
        raise UsageError(f"mode={config['mode']} takes no prompt=: prompts are typed")


def _one_of(key: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise UsageError(f"{key}={value}: not one of {', '.join(allowed)}")
    return value


def _whole_number(key: str, value: str, *, minimum: int) -> int:
    digits = value.lstrip("0") or value[-1:]
    if not (digits.isascii() and digits.isdecimal()) or (len(digits) < 10 and int(digits) < minimum):
        raise UsageError(f"{key}={value}: not a whole number of at least {minimum}")
    if len(digits) > 9:
        raise UsageError(f"{key}={value[:40]}: too large")
    return int(digits)


def _memory(
    given: Mapping[str, str], image: Path, kernels: list[KernelHeader], config: Mapping[str, object]
) -> int:
    if "memory" in given:
        return _whole_number("memory", given["memory"], minimum=1)
    least = _whole_number(LEAST, given.get(LEAST, "0"), minimum=0)
    positions = str(config.get("positions", ""))
    return max(
        least, _memory_for(image, kernels, int(positions) if positions.isdecimal() else MODEL.positions)
    )


def default_memory(image: Path) -> int:
    """MiB for this image's model and kernels: the model lies in memory whole, beside its KV cache, and what
    else it computes with takes less than that; a kernel with a compiler in it wants as much again to work
    with."""
    return _memory_for(image, _kernels(image), MODEL.positions)


def _memory_for(image: Path, kernels: list[KernelHeader], positions: int) -> int:
    mebibytes = image.stat().st_size >> 20 if image.is_file() else 0
    least = 64
    if mebibytes > 32:
        head = read_beginning(image, MODEL.disk["model"], HEADER)
        least += mebibytes * 5 // 4 + (kv_cache_bytes(head, positions) >> 20)
    return least + 2 * (max((kernel.memory_size for kernel in kernels), default=0) >> 20)


def _kernels(image: Path) -> list[KernelHeader]:
    """Of the image's kernels, the newest first, those that can be found: booting says what is wrong."""
    found = []
    for path in KERNELS:
        with contextlib.suppress(BareFlowError):
            found.append(parse_header(read_file(image, path)))
    return found


class Stop:
    """Ends the guest from another thread or a signal's handler, once, and keeps the reason."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self.reason: str | None = None
        self.status = 1

    def __call__(self, reason: str) -> None:
        if self.reason is None:
            self.reason = reason
            self._guest.kill()

    def by_signal(self, number: int, frame: object) -> None:
        """Raises nothing: the signal may come in the middle of taking a lock. A second one ends at once."""
        signal.signal(number, signal.SIG_DFL)
        self.status = 128 + number
        self(f"ended by {signal.Signals(number).name}")


def _watch(guest: Guest, stop: Stop, over: threading.Event) -> None:
    """Ends a guest that will never go on by itself."""
    while not over.wait(WATCH_INTERVAL):
        if why := guest.stuck(typing=guest.machine.config.get("mode", PROGRAM) in TYPED):
            stop(why)
            return


def summary(event: Event) -> str:
    """What a `generate` event says, for a person: "256 tokens, 498.2 tokens/s, first token after 0.02 s"."""
    tokens = int(event["tokens"])
    parts = [f"{tokens} token{'' if tokens == 1 else 's'}"]
    if event["tokens_per_s"]:  # 0: too few to measure
        parts.append(f"{event['tokens_per_s']:.1f} tokens/s")
    return ", ".join([*parts, f"first token after {event['first_token_us'] / 1e6:.2f} s"])


def _copy_output(
    guest: Guest,
    text: TextOutput,
    console: ByteStream,
    *,
    summarise: bool,
    measurements: ByteStream | None = None,
    on_restart: Callable[[], None] = lambda: None,
) -> None:
    """Writes the model's text and the guest's messages as they come, until the guest ends; to `measurements`,
    if given, those after the model was read. on_restart is called when the guest is up again after a
    restart."""
    restarting = False
    for item in guest.items():
        if isinstance(item, Text):
            text.write(item.data)
        elif isinstance(item, dict):
            if item["event"] == "text_begin":
                text.begin()
            elif item["event"] == "text_end":
                text.end()
            elif item["event"] == MODEL.text_event and summarise:
                print(summary(item), file=sys.stderr)
            elif item["event"] == MODEL.ready_event and measurements:
                console = measurements
            elif item["event"] == "boot" and restarting:
                restarting = False
                on_restart()
        elif isinstance(item, Console):
            console.write(item.data)
        elif isinstance(item, Malformed):
            print(f"run: passed over what the guest said to programs: {item.problem}", file=sys.stderr)
        else:
            restarting = True
            if not item.announced:
                print("run: the machine has crashed and starts again", file=sys.stderr)


def _run(machine: Machine, timeout: int, *, terminal: bool) -> int:
    mode = machine.config.get("mode", PROGRAM)
    output = program.Output()
    text = TextOutput(output, completes_lines=mode != PROGRAM)
    console = output if mode in MODEL.dialogues and terminal else program.Messages()
    with contextlib.ExitStack() as stack:
        with program.signals_held_back():
            guest = stack.enter_context(Guest(machine, strict=False))
        stop = Stop(guest)
        for number in SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:  # as nohup sets it
                signal.signal(number, stop.by_signal)
        if timeout:
            timer = threading.Timer(timeout, stop, [f"no end within {timeout} seconds (timeout=)"])
            timer.daemon = True
            timer.start()
            stack.callback(timer.cancel)
        over = threading.Event()
        stack.callback(over.set)
        threading.Thread(target=_watch, args=(guest, stop, over), daemon=True).start()
        input_ended = threading.Event()
        if mode in TYPED:
            last = END_OF_INPUT if mode == PROGRAM else POWER_OFF
            typist = partial(forward, guest, stop, 0, input_ended, last)
            if terminal and mode != PROGRAM:
                print("Ctrl-] ends.", file=sys.stderr)
                stack.enter_context(raw_terminal(0))
                typist = partial(forward_keys, guest, partial(stop, USER), 0)
            threading.Thread(target=typist, daemon=True).start()

        def begin_dialogue_again() -> None:
            text.end()  # it is not generated again
            if input_ended.is_set():
                guest.send(POWER_OFF)  # the first one may have been lost

        # In a dialogue the guest has a command for this.
        try:
            if mode in MODEL.dialogues:
                _copy_output(guest, text, console, summarise=False, on_restart=begin_dialogue_again)
            else:
                tables = output if mode == MODEL.tables_mode else None
                _copy_output(guest, text, console, summarise=mode == MODEL.text_mode, measurements=tables)
        except GuestError:
            if stop.reason is None:  # else it was cut off within something
                raise
        finally:
            text.end()
        code = guest.wait_exit() if stop.reason is None else 0
        if warnings := guest.qemu_output:
            print(warnings, file=sys.stderr)
        if stop.reason is not None:
            return 0 if stop.reason == USER else _fail(stop.reason, stop.status)
        if mode == PROGRAM:
            return code
        return _fail(f"the guest ended with code {code}") if code else 0


def _run_for_results(machine: Machine, timeout: int, files: dict[str, Path], *, terminal: bool) -> int:
    if not files:
        return _run(machine, timeout, terminal=terminal)
    with contextlib.ExitStack() as stack:
        if machine.snapshot:
            copy = stack.enter_context(results.private_copy(machine.image))
            machine = dataclasses.replace(machine, image=copy, snapshot=False)
        results.put(machine.image, files)
        status = _run(machine, timeout, terminal=terminal)
        if status == 0:
            results.fetch(machine.image, files)
        return status


def _fail(message: str, status: int = 1) -> int:
    print(f"run: {message}", file=sys.stderr)
    return status


def main(argv: Sequence[str]) -> int:
    """Boots as argv (key=value strings) says; returns the exit status."""
    piped = not os.isatty(0)
    terminal = not piped and os.isatty(1)
    try:
        machine, timeout = parse(argv, terminal=terminal)
        if (
            piped
            and machine.config.get("mode") == MODEL.text_mode
            and not MODEL.prompts & machine.config.keys()
        ):
            machine = dataclasses.replace(machine, config={**machine.config, "prompt": read_prompt(0)})
        return _run_for_results(machine, timeout, results.wanted(argv), terminal=terminal)
    except UsageError as error:
        return _fail(str(error), 2)
    except GuestError as error:
        return _fail("\n".join(filter(None, (error.problem, error.output))))


if __name__ == "__main__":
    sys.exit(program.call("run", main, sys.argv[1:]))
