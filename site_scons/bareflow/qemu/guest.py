"""One guest in QEMU: boot it, watch its serial line and screen, type, read memory, wait for its end.

    with Guest(Machine(image)) as guest:
        guest.expect("> ")
        guest.type_text("hello\\n")
        assert guest.wait_exit() == 0

Every wait has a deadline: when it passes, or when the guest ends before what was waited for,
GuestError shows the serial log and the screen. Leaving the `with` block always ends the process.
"""

from __future__ import annotations

import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, TypeVar

from qemu.qmp import ExecInterruptedError, QMPError

from bareflow.qemu.keys import keys_of
from bareflow.qemu.machine import Machine
from bareflow.qemu.process import QemuProcess
from bareflow.qemu.serial import Console, Event, Item, Malformed, ProtocolError, Restart, SerialDecoder, Text
from bareflow.qemu.state import halted, parse_registers, paused

VGA_TEXT = 0xB8000
VGA_COLUMNS, VGA_ROWS = 80, 25
KEY_HOLD_MS = 20
MAX_RESETS_IN_SILENCE = 8
NOTHING_TO_BOOT = "No bootable device"  # what SeaBIOS ends with
_HARMLESS = ("warning:", "aio failed:")  # the latter: what QEMU says of a request that its NVMe disk refuses
_LOG_TAIL = 6000  # characters of the serial log shown in an error

_QMP_ERRORS = (QMPError, OSError, EOFError, TimeoutError)

_T = TypeVar("_T")


class GuestError(AssertionError):
    """The guest did not do what was expected of it; the message holds its serial log and screen.

    problem is the message without them, output what QEMU itself has said.
    """

    def __init__(self, problem: str, details: str = "", output: str = "") -> None:
        super().__init__(f"{problem}\n{details}")
        self.problem, self.output = problem, output


class Ending(NamedTuple):
    """How the machine stopped: "debug-exit" or "power-off" with the guest's exit code, or "reset"."""

    how: str
    code: int


class Guest:
    """A running virtual machine. timeout is the default deadline of every wait, in seconds. strict: whether
    a malformed event is an error; if not, it is one of the items()."""

    def __init__(self, machine: Machine, *, timeout: float = 60.0, strict: bool = True) -> None:
        self.machine = machine
        self._timeout = timeout
        self._strict = strict
        # Written by the serial line's thread, read by the caller, both under _changed:
        self._changed = threading.Condition()
        self._decoder = SerialDecoder()
        self._raw = bytearray()
        self._items: list[Item] = []
        self._raw_at_reset = 0
        self._resets_in_silence = 0
        self._closed = False
        self._failure: str | None = None  # the serial protocol is broken
        # Where the next expect() and expect_event() begin:
        self._position = 0
        self._event_position = 0
        self._ending: Ending | None = None
        self._process = QemuProcess(machine, self._on_serial, self._on_reset)

    @property
    def pid(self) -> int:
        """Process id of QEMU."""
        return self._process.pid

    # ---- Output ----

    @property
    def serial(self) -> str:
        """Everything that came over the serial line so far, raw but for line breaks ("\\n")."""
        with self._changed:
            return self._serial_text()

    @property
    def qemu_output(self) -> str:
        """What QEMU itself (not the guest) has printed so far: warnings."""
        return self._process.output().strip()

    @property
    def text_bytes(self) -> bytes:
        """The model's text so far, all frames joined."""
        with self._changed:
            return b"".join(item.data for item in self._items if isinstance(item, Text))

    @property
    def text(self) -> str:
        """The same as a string."""
        return self.text_bytes.decode("utf-8", "replace")

    @property
    def console(self) -> str:
        """The output for people so far: the serial line without events and framed text."""
        with self._changed:
            data = b"".join(item.data for item in self._items if isinstance(item, Console))
        return data.decode("utf-8", "replace")

    @property
    def events(self) -> list[Event]:
        """The events so far."""
        with self._changed:
            return [item for item in self._items if isinstance(item, dict)]

    def event(self, name: str) -> Event:
        """The only event of this name; GuestError when there is none or more than one."""
        found = [event for event in self.events if event["event"] == name]
        if len(found) != 1:
            raise self._error(f'{len(found)} events "{name}" where one was expected')
        return found[0]

    def items(self) -> Iterator[Item]:
        """Everything decoded, in order and as it comes, until the guest ends. No deadline."""
        index = 0
        while True:
            with self._changed:
                while index == len(self._items) and not self._closed and self._failure is None:
                    self._changed.wait()
                if index == len(self._items):
                    break
                item = self._items[index]
            yield item
            index += 1
        if self._failure is not None:
            raise self._error(self._failure)

    def expect(self, pattern: str, timeout: float | None = None) -> re.Match[str]:
        """Waits for a regular expression (multi-line) in the serial log after the last match."""
        regex = re.compile(pattern, re.MULTILINE)

        def search() -> re.Match[str] | None:
            return regex.search(self._serial_text(), self._position)

        match = self._wait(search, f"the pattern {pattern!r}", timeout)
        self._position = match.end()
        return match

    def expect_event(self, name: str, timeout: float | None = None) -> Event:
        """Waits for the next event of this name after the last one taken by expect_event."""

        def search() -> tuple[int, Event] | None:
            for index, item in enumerate(self._items[self._event_position :], self._event_position):
                if isinstance(item, dict) and item["event"] == name:
                    return index, item
            return None

        index, event = self._wait(search, f'the event "{name}"', timeout)
        self._event_position = index + 1
        return event

    def screen(self) -> list[str]:
        """The 25 lines of the VGA text screen, without trailing spaces."""
        cells = self.read_memory(VGA_TEXT, VGA_COLUMNS * VGA_ROWS * 2)[::2]
        rows = [cells[i : i + VGA_COLUMNS] for i in range(0, len(cells), VGA_COLUMNS)]
        return [row.replace(b"\0", b" ").decode("cp437").rstrip() for row in rows]

    def expect_screen(self, pattern: str, timeout: float | None = None) -> re.Match[str]:
        """Waits for a regular expression (multi-line) on the VGA text screen."""
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        while True:
            match = re.search(pattern, "\n".join(self.screen()), re.MULTILINE)
            if match is not None:
                return match
            if time.monotonic() > deadline:
                raise self._error(f"the pattern {pattern!r} did not appear on the screen")
            time.sleep(0.05)  # the screen has no change notification

    def read_memory(self, address: int, size: int) -> bytes:
        """Guest-physical memory, through QMP's pmemsave."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "memory"
            self.qmp("pmemsave", val=address, size=size, filename=str(path))
            return path.read_bytes()

    # ---- Input ----

    def send(self, text: str | bytes, *, patient: bool = False) -> None:
        """Types on the serial line. patient: waits without a deadline until the guest takes it or ends."""
        data = text.encode() if isinstance(text, str) else text
        try:
            self._process.send_serial(data, None if patient else self._timeout)
        except (OSError, TimeoutError) as error:
            raise self._error(f"the guest did not take {data!r} on its serial line: {error!r}") from None

    def send_key(self, *keys: str) -> None:
        """Presses QEMU key codes together ("shift", "a") on the PS/2 keyboard and releases them."""
        values = [{"type": "qcode", "data": key} for key in keys]
        try:
            self._process.execute("send-key", {"keys": values, "hold-time": KEY_HOLD_MS})
        except ExecInterruptedError:
            pass  # the key has ended the guest before QEMU answered
        except _QMP_ERRORS as error:
            raise self._error(f"QMP command send-key: {error!r}", screen=False) from None

    def type_text(self, text: str) -> None:
        """Types text on a US keyboard; "\\n" is Enter, "\\b" Backspace."""
        for character in text:
            self.send_key(*keys_of(character))
            # The PS/2 buffer holds 16 bytes: wait until the key has been released again.
            time.sleep(2 * KEY_HOLD_MS / 1000)

    def qmp(self, command: str, **arguments: object) -> object:
        """Runs a QMP command and returns its result."""
        try:
            return self._process.execute(command, arguments)
        except _QMP_ERRORS as error:
            raise self._error(f"QMP command {command}: {error!r}", screen=False) from None

    # ---- End ----

    def stuck(self, *, typing: bool = True) -> str | None:
        """Why the machine will never go on although QEMU runs, or None: it may, or it has ended. typing:
        whether the guest may get input."""
        try:
            status = self._process.execute("query-status", {})
            assert isinstance(status, dict)
            if why := paused(str(status["status"]), self._process.events("BLOCK_IO_ERROR")):
                return why
            if status["status"] != "running":
                return None
            registers = self._process.execute("human-monitor-command", {"command-line": "info registers"})
            processor = parse_registers(str(registers))
            if processor is None or not processor.halted:
                return None
            serial = self.serial
            if not serial and any(line.startswith(NOTHING_TO_BOOT) for line in self.screen()):
                return "the BIOS finds nothing to boot on the disk"
            return halted(processor, serial, typing=typing)
        except (GuestError, *_QMP_ERRORS):
            return None

    def wait_end(self, timeout: float | None = None) -> Ending:
        """Waits until the machine has stopped, whatever the reason."""
        if self._ending is None:
            self._wait(lambda: self._closed or None, "the guest's end", timeout)
            self._ending = self._find_ending()
        return self._ending

    def wait_exit(self, timeout: float | None = None) -> int:
        """Waits until the guest has ended itself; returns its exit code (0 after ACPI power-off)."""
        ending = self.wait_end(timeout)
        if ending.how == "reset":
            raise self._error("the guest reset the machine (a triple fault, or a reboot)")
        return ending.code

    def kill(self) -> None:
        """Ends QEMU at once, as if the power failed. May be called from any thread."""
        self._process.kill()

    def close(self) -> None:
        """Ends QEMU if it still runs, and frees everything."""
        self._process.close()

    def __enter__(self) -> Guest:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # ---- Inside ----

    def _on_serial(self, data: bytes) -> None:
        with self._changed:
            self._raw += data
            self._closed = self._closed or not data
            if self._failure is None:
                try:
                    items = self._decoder.feed(data) if data else self._decoder.finish()
                except ProtocolError as error:
                    self._failure = str(error)
                else:
                    self._items += items
                    malformed = [item.problem for item in items if isinstance(item, Malformed)]
                    if malformed and self._strict:
                        self._failure = malformed[0]
            self._changed.notify_all()

    def _on_reset(self) -> bool:
        """Whether the machine may start again. SeaBIOS then resets it once more, before anything is sent."""
        with self._changed:
            if self._failure is not None:
                return False
            sent = len(self._raw) > self._raw_at_reset
            self._resets_in_silence = 0 if sent else self._resets_in_silence + 1
            self._raw_at_reset = len(self._raw)
            restarts = [item for item in self._items if isinstance(item, Restart)]
            if restarts and not sent:
                return self._resets_in_silence < MAX_RESETS_IN_SILENCE
            self._items += self._decoder.reset()
            events = [item for item in self._items if isinstance(item, dict)]
            announced = bool(events) and events[-1]["event"] == "restart"
            if not announced and sum(not item.announced for item in restarts) == self.machine.crashes:
                return False
            self._items.append(Restart(announced))
            self._changed.notify_all()
            return True

    def _serial_text(self) -> str:
        whole = self._raw.removesuffix(b"\r")  # its LF may still come: what was seen must not shrink
        return whole.replace(b"\r\n", b"\n").decode("utf-8", "replace")

    def _wait(self, found: Callable[[], _T | None], what: str, timeout: float | None) -> _T:
        """Waits until found() gives a result; called under the lock at every change."""
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        with self._changed:
            while (result := found()) is None:
                left = deadline - time.monotonic()
                if self._failure is not None:
                    problem = f"waiting for {what}: {self._failure}"
                elif self._closed:
                    problem = f"the guest ended before {what} came"
                elif left <= 0:
                    problem = f"{what} did not come in time"
                else:
                    self._changed.wait(left)
                    continue
                break
            else:
                return result
        if self._closed and self._failure is None:
            self._ending = self._find_ending()
        raise self._error(problem)

    def _find_ending(self) -> Ending:
        status, reason = self._process.wait()
        if self._failure is not None:
            raise self._error(self._failure)
        if status == 0:
            return Ending("reset", -1) if reason == "guest-reset" else Ending("power-off", 0)
        # QEMU's own fatal errors end with status 1 like code 0, but not without a message.
        lines = self._process.output().splitlines()
        fatal = [line for line in lines if not any(harmless in line for harmless in _HARMLESS)]
        if status < 0 or status % 2 == 0 or fatal:
            raise self._error(f"QEMU failed with status {status}")
        return Ending("debug-exit", status // 2)

    def _error(self, problem: str, *, screen: bool = True) -> GuestError:
        """The exception for this problem, with all that helps to understand it."""
        parts = [f"---- serial log ----\n{self.serial[-_LOG_TAIL:]}"]
        if screen and self._process.running():
            try:
                parts.append("---- screen ----\n" + "\n".join(self.screen()).rstrip())
            except GuestError as error:
                parts.append(f"(no screen: {error.problem})")
        if output := self.qemu_output:
            parts.append(f"---- QEMU ----\n{output}")
        if self._ending is not None:
            parts.append(f"(the guest ended by {self._ending.how}, code {self._ending.code})")
        return GuestError(problem, "\n".join(parts), output)
