"""A QEMU process with its two lines to the outside: COM1 and QMP.

Both run on an asyncio loop in a thread of its own, so that the guest never waits for a reader;
the methods are ordinary blocking calls with a deadline.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Coroutine
from typing import Any, BinaryIO, TypeVar

from qemu.qmp import Message, QMPClient, QMPError, Runstate

from bareflow import program
from bareflow.qemu.machine import Machine, QemuError

QMP_TIMEOUT = 30.0  # seconds; QEMU answers at once unless the host is badly overloaded

_T = TypeVar("_T")


def _reason(shutdown: Message) -> str:
    """Of a SHUTDOWN event."""
    data = shutdown["data"]
    assert isinstance(data, dict)
    return str(data["reason"])


class QemuProcess:
    """Starts QEMU and lets the machine run, if that is not a debugger's business.

    on_serial is called in the loop's thread with every piece of serial output, and with b"" when
    the line closes, that is when QEMU has ended. on_reset is called there when a machine whose
    `crashes` is not None is reset, between what it sent before and what it sends afterwards; with
    False as its result that was the end.
    """

    def __init__(
        self, machine: Machine, on_serial: Callable[[bytes], None], on_reset: Callable[[], bool]
    ) -> None:
        logging.getLogger("qemu.qmp").setLevel(logging.CRITICAL)  # that QEMU ends is no error here
        self._on_serial, self._on_reset = on_serial, on_reset
        config = machine.config_file()
        self._follows_resets = machine.crashes is not None
        self._starts_by_debugger = machine.gdb is not None
        self._follower: asyncio.Task[None] | None = None
        self._loop = asyncio.new_event_loop()
        self._output = os.fdopen(os.memfd_create("qemu"), "w+b")
        self._serial, serial_child = socket.socketpair()
        self._serial.setblocking(False)
        try:
            with program.signals_held_back():
                self._launch(machine, config, serial_child)
        except Exception:
            raise
        except BaseException:  # of a signal
            self.close()
            raise

    def _launch(self, machine: Machine, config: BinaryIO, serial_child: socket.socket) -> None:
        """Starts the process and the machine; if it cannot, frees everything."""
        qmp, qmp_child = socket.socketpair()
        fds = (serial_child.fileno(), qmp_child.fileno(), config.fileno())
        try:
            self._process = subprocess.Popen(
                machine.command(*fds),
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                pass_fds=fds,
                start_new_session=True,  # Ctrl-C in a terminal is for the caller, who then ends QEMU
            )
        except Exception as error:
            qmp.close()
            self._free()
            if isinstance(error, OSError):
                raise QemuError(f"{machine.qemu} cannot be run: {error.strerror}") from None
            raise
        finally:
            serial_child.close()
            qmp_child.close()
            config.close()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._call(self._start(qmp), QMP_TIMEOUT)
        except (QMPError, OSError, EOFError, TimeoutError) as error:
            with contextlib.suppress(subprocess.TimeoutExpired):  # let it finish its message
                self._process.wait(1.0)
            message = self.output().strip() or f"no answer on QMP ({error!r})"
            self.close()
            raise QemuError(f"QEMU did not start: {message}") from None

    @property
    def pid(self) -> int:
        """Process id of QEMU."""
        return self._process.pid

    def running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def output(self) -> str:
        """What QEMU itself (not the guest) printed so far."""
        self._output.seek(0)
        return self._output.read().decode("utf-8", "replace")

    def execute(self, command: str, arguments: dict[str, object]) -> object:
        """Runs a QMP command; raises QMPError, OSError, EOFError or TimeoutError."""
        return self._call(self._qmp.execute(command, arguments or None), QMP_TIMEOUT)

    def send_serial(self, data: bytes, timeout: float | None) -> None:
        """Writes to COM1; waits while the guest's receive buffer is full, with timeout None for ever."""
        self._call(self._loop.sock_sendall(self._serial, data), timeout)

    def events(self, name: str) -> list[Message]:
        """QMP's events of this name so far."""
        return [event for event in self._qmp.events.history if event["event"] == name]

    def wait(self) -> tuple[int, str | None]:
        """After the serial line has closed: the exit status, and the reason of QMP's last SHUTDOWN event
        that was the guest's doing ("guest-shutdown", "guest-reset", ...), if there was one."""
        status = self._process.wait(QMP_TIMEOUT)
        self._call(self._disconnect(), QMP_TIMEOUT)
        reasons = [_reason(event) for event in self.events("SHUTDOWN")]
        by_guest = [reason for reason in reasons if reason.startswith("guest-")]
        return status, by_guest[-1] if by_guest else None

    def kill(self) -> None:
        """Ends the process at once; its lines close after that."""
        self._process.kill()

    def close(self) -> None:
        """Ends the process if it still runs, and frees everything. May be called again."""
        if self._loop.is_closed():
            return
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(TimeoutError):
            self._call(self._disconnect(), QMP_TIMEOUT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._free()

    def _free(self) -> None:
        self._loop.close()
        self._serial.close()
        self._output.close()

    def _call(self, work: Coroutine[Any, Any, _T], timeout: float | None) -> _T:
        """Runs a coroutine in the loop's thread and waits for it."""
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, timeout), self._loop)
        return future.result()

    async def _start(self, qmp: socket.socket) -> None:
        self._qmp = QMPClient()
        self._reader = asyncio.create_task(self._read_serial())
        await self._qmp.connect(qmp)
        if self._follows_resets:
            self._follower = asyncio.create_task(self._follow_resets())
        if not self._starts_by_debugger:
            await self._qmp.execute("cont")

    async def _read_serial(self) -> None:
        while True:
            try:
                data = await self._loop.sock_recv(self._serial, 65536)
            except ConnectionError:
                data = b""
            self._on_serial(data)
            if not data:
                break

    async def _follow_resets(self) -> None:
        """Each time the machine has stopped, paused where it did: starts it again, or ends QEMU."""
        with self._qmp.listener(("SHUTDOWN", "RESET")) as events, contextlib.suppress(QMPError, OSError):
            async for event in events:
                if event["event"] == "RESET":
                    continue
                self._read_waiting()
                if _reason(event) != "guest-reset" or not self._on_reset():
                    await self._qmp.execute("quit")
                    break
                await self._qmp.execute("set-action", {"reboot": "reset"})
                await self._qmp.execute("system_reset")
                while (await events.get())["event"] != "RESET":
                    pass  # before that it cannot go on; some ways to reset the machine count as several
                await self._qmp.execute("set-action", {"reboot": "shutdown"})
                await self._qmp.execute("cont")

    def _read_waiting(self) -> None:
        """Takes what has come on the serial line and was not read yet."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while data := self._serial.recv(65536):
                self._on_serial(data)

    async def _disconnect(self) -> None:
        # QEMU has ended: let the client read what is left on the line before it hangs up.
        while self._qmp.runstate == Runstate.RUNNING:
            await self._qmp.runstate_changed()
        with contextlib.suppress(QMPError, OSError, EOFError):
            await self._qmp.disconnect()
        if self._follower:
            self._follower.cancel()
        await self._reader
