"""bareflow.run.run, what `./bareflow run` does, as a program of its own: streams, status, terminal."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import QEMU, Machine
from bareflow.run.run_input import ESCAPE
from fixture_types import Disk, GuestImage, Story
from project_files import ROOT

LIMIT = 60.0  # seconds
STORY = ("temperature=0", "steps=64")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "bareflow.run.run", *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "site_scons")}


def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command(*arguments), input=stdin, capture_output=True, timeout=LIMIT, env=environment()
    )


def test_standard_output_is_the_story(story: Story) -> None:
    result = run(f"image={story.image}", "prompt=", *STORY)
    assert result.returncode == 0, result.stderr
    assert result.stdout.decode() == story.text + "\n"
    assert b"@bareflow" not in result.stderr
    assert re.fullmatch(
        rb"%d tokens, \d+\.\d tokens/s, first token after \d+\.\d\d s\n" % story.steps, result.stderr
    ), result.stderr


def test_prompt_of_any_characters(story: Story) -> None:
    prompt = 'She said, "a = b", \\ # 100%\n\tfür'
    result = run(f"image={story.image}", f"prompt={prompt}", *STORY)
    assert result.returncode == 0, result.stderr
    assert result.stdout.decode().startswith(prompt)


def test_config_is_the_guests(story: Story) -> None:
    """Settings that have no option, one that has, and one that nobody reads: that is the guest's to say."""
    pairs = ("config=coverage=off temperature=0", f"config=steps={story.steps} stpes=3")
    result = run(f"image={story.image}", "prompt=", "temperature=9", *pairs)
    assert result.returncode == 0, result.stderr
    assert result.stdout.decode() == story.text + "\n"
    assert re.match(rb'warning: unknown setting "stpes"; there are boot .*\bsteps\b', result.stderr)


def test_wrong_value_in_config(story: Story) -> None:
    result = run(f"image={story.image}", "prompt=", "config=steps=many")
    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr == (
        b"error: steps = many: not a whole number from 0 to 4294967295\nrun: the guest ended with code 1\n"
    )


def test_standard_input_is_the_prompt(story: Story) -> None:
    result = run(f"image={story.image}", *STORY, stdin=f"{story.beginning}\r\n".encode())
    assert result.returncode == 0, result.stderr
    assert result.stdout.decode() == story.text + "\n"
    # prompt= goes before it; a long one is no argument of QEMU's
    result = run(f"image={story.image}", f"prompt={'ä' * 40_000}", *STORY, stdin=b"nobody reads this")
    assert result.returncode == 1
    assert re.match(rb"error: the prompt has at least \d+ tokens, the model's context \d+", result.stderr)


def test_lines_from_a_pipe_are_a_dialogue(story: Story) -> None:
    """The end of a line may be CR LF; the last line may have none."""
    lines = f"/set steps 64\r\n{story.beginning}"
    result = run(f"image={story.image}", "mode=interactive", STORY[0], stdin=lines.encode())
    assert result.returncode == 0, result.stderr
    assert result.stdout.decode() == story.text + "\n"


def test_restart_in_a_dialogue(story: Story) -> None:
    """What was typed before is lost with it, but not the end of the input."""
    result = run(f"image={story.image}", "mode=interactive", *STORY, stdin=b"/reboot\n")
    assert (result.returncode, result.stdout) == (0, b""), result.stderr


def test_guest_failure_is_told(image: Path) -> None:
    result = run(f"image={image}", "prompt=", "disk=tape")
    assert result.returncode == 1
    assert result.stdout == b""
    assert result.stderr == (
        b"error: disk = tape is not possible: choose auto, ata, pio or bios.\n"
        b"run: the guest ended with code 1\n"
    )


def test_exit_code_of_the_guest_is_told(session_image: Path) -> None:
    result = run(f"image={session_image}", "mode=interactive", stdin=b"q")
    assert result.returncode == 1
    assert result.stderr == b"hello\n> qrun: the guest ended with code 3\n"


def test_malformed_event_is_told(session_image: Path) -> None:
    result = run(f"image={session_image}", "mode=interactive", stdin=b"gq")
    assert (result.returncode, result.stdout) == (1, b"Once\nupon\n")
    assert re.search(
        rb"^run: passed over what the guest said to programs: .*nonsense.* is no JSON: .*\n"
        rb".*run: the guest ended with code 3\n$",
        result.stderr,
        re.MULTILINE,
    ), result.stderr


def test_wrong_argument_is_named(image: Path) -> None:
    result = run(f"image={image}", "promt=Once")
    assert result.returncode == 2
    assert b"'promt=Once' is not an option of run" in result.stderr


def test_missing_qemu_is_told(image: Path) -> None:
    result = run(f"image={image}", "prompt=", "qemu=qemu-of-nowhere")
    assert result.returncode == 1
    assert result.stderr.decode().startswith("run: qemu-of-nowhere was not found; install QEMU")


def test_loader_that_stops(image: Path) -> None:
    result = run(f"image={image}", "prompt=", "memory=1")
    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr.strip() == (
        b"error: too little memory: the kernel needs 2 MiB; give the machine more\n"
        b"run: the boot loader has stopped: it has no kernel that it can start on this machine"
    )


def test_disk_that_does_not_boot(tmp_path: Path) -> None:
    image = tmp_path / "zeros.img"
    image.write_bytes(bytes(1 << 20))
    result = run(f"image={image}", "prompt=")
    assert result.returncode == 1
    assert result.stderr == b"run: the BIOS finds nothing to boot on the disk\n"


def test_unknown_cpu(image: Path) -> None:
    result = run(f"image={image}", "prompt=", "cpu=abacus")
    assert result.returncode == 1
    assert re.fullmatch(rb"run: QEMU did not start: .*unable to find CPU model 'abacus'\n", result.stderr)


def test_image_that_another_guest_has(session_image: Path, disk: Disk) -> None:
    image = disk(session_image).path
    with Guest(Machine(image, snapshot=False)):
        result = run(f"image={image}", "prompt=", "write=1")
    assert result.returncode == 1
    assert re.fullmatch(rb'run: QEMU did not start: .*Failed to get "write" lock(\n.*)*\n', result.stderr)


def test_full_disk_of_this_machine(story: Story, disk: Disk, tmp_path: Path) -> None:
    """QEMU pauses the guest when there is no room for what it writes: after its story, here."""
    copy = disk(story.image)
    copy.write("/boot/BAREFLOW.CFG", b"ids = /profile/IDS.TXT\n")
    faults = tmp_path / "faults.conf"
    faults.write_text('[inject-error]\nevent = "write_aio"\nerrno = "28"\n')
    qemu = tmp_path / "qemu"
    option = "id=disk,file="
    qemu.write_text(f'#!/bin/bash\nexec {QEMU} "${{@/{option}/{option}blkdebug:{faults}:}}"\n')
    qemu.chmod(0o755)
    result = run(f"image={copy.path}", "prompt=", *STORY, "write=1", f"qemu={qemu}")
    assert (result.returncode, result.stdout.decode()) == (1, story.text + "\n")
    assert result.stderr.decode().endswith(
        "run: QEMU has paused the machine because its disk could not be written: No space left on device\n"
    )


@pytest.mark.parametrize(
    ("redirection", "status", "message"),
    [
        (">/dev/full", 1, "run: standard output cannot be written: No space left on device\n"),
        ("<&- 2>&-", 0, ""),
    ],
)
def test_unusable_stream(story: Story, redirection: str, status: int, message: str) -> None:
    arguments = [f"image={story.image}", "temperature=0", "steps=4"]
    shell = ["sh", "-c", f'exec "$@" {redirection}', "sh", *command(*arguments)]
    result = subprocess.run(shell, input=b"", capture_output=True, timeout=LIMIT, env=environment())
    assert result.returncode == status
    assert story.text.startswith(result.stdout.decode().rstrip("\n"))
    assert bool(result.stdout) == (status == 0)
    assert result.stderr.decode() == message


def test_time_limit(session_image: Path) -> None:
    result = run(f"image={session_image}", "prompt=", "timeout=2")
    assert result.returncode == 1
    assert result.stdout == b"Once\nupon\n"
    assert result.stderr == b"hello\n> run: no end within 2 seconds (timeout=)\n"


def test_guest_without_an_end_dies_with_its_runner(session_image: Path) -> None:
    with subprocess.Popen(
        command(f"image={session_image}", "prompt="), stdout=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"Once\n"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(children) == 1
        process.terminate()
        assert process.wait(LIMIT) == 128 + signal.SIGTERM
        assert not Path("/proc", children[0]).exists()


def test_ctrl_c_while_qemu_starts(image: Path, tmp_path: Path) -> None:
    qemu = tmp_path / "qemu"
    qemu.write_text(f'#!/bin/sh\necho $$ >{tmp_path}/pid\nkill -INT $PPID\nexec {QEMU} "$@"\n')
    qemu.chmod(0o755)
    result = run(f"image={image}", "mode=interactive", f"qemu={qemu}")
    assert (result.returncode, result.stdout, result.stderr) == (130, b"", b"")
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()


def test_reader_that_stops_reading(story: Story) -> None:
    """As in `run | head -c 4`: no traceback, and the guest ends too."""
    with subprocess.Popen(
        command(f"image={story.image}", "prompt=", "steps=512", "temperature=0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.read(4) == story.text[:4].encode()
        process.stdout.close()
        assert process.wait(LIMIT) == 128 + signal.SIGPIPE
        assert b"Traceback" not in process.stderr.read()


# What tests/boot/guests/text.c tells, and says in the middle of it.
INTERRUPTED = b"Once upon\n@ time, there was a cat"
TOLD = INTERRUPTED + b'.\n@bareflow {"event":"exit"}\n'
MESSAGE = b"a message, and the rest of it\n"


def test_messages_within_the_text(guest_image: GuestImage) -> None:
    result = run(f"image={guest_image('text')}", "prompt=none")
    assert (result.returncode, result.stdout, result.stderr) == (0, TOLD, MESSAGE)


@pytest.mark.parametrize(
    ("interruption", "message"),
    [
        ("panic", rb"\npanic: on purpose\nbacktrace:\n(  .*\n)+"),
        ("exception", rb"\nexception: #UD invalid opcode, .*\n  in .*\n(  .*\n)+backtrace:\n(  .*\n)+"),
    ],
)
def test_end_within_the_text(guest_image: GuestImage, interruption: str, message: bytes) -> None:
    result = run(f"image={guest_image('text')}", f"prompt={interruption}")
    assert result.returncode == 1
    assert result.stdout == INTERRUPTED + b"\n"
    expected = MESSAGE + message + rb"run: the guest ended with code 1\n"
    assert re.fullmatch(expected, result.stderr), result.stderr


def test_restart_within_the_text(guest_image: GuestImage) -> None:
    result = run(f"image={guest_image('text')}", "prompt=restart")
    assert (result.returncode, result.stdout, result.stderr) == (0, TOLD, MESSAGE * 2)


def test_restart_into_another_text(guest_image: GuestImage) -> None:
    result = run(f"image={guest_image('text')}", "prompt=another text")
    assert (result.returncode, result.stderr) == (0, MESSAGE * 2)
    assert result.stdout == INTERRUPTED + b"\n" + TOLD.replace(b"cat", b"dog")


def test_crash_within_the_text(guest_image: GuestImage) -> None:
    result = run(f"image={guest_image('text')}", "prompt=crash")
    assert result.returncode == 1
    assert result.stdout == INTERRUPTED + b"\n"
    assert result.stderr.startswith(MESSAGE + b"run: the guest reset the machine")


def test_crash_where_there_is_a_second_kernel(guest_image: GuestImage, disk: Disk) -> None:
    both = disk(guest_image("text"))
    both.write("/boot/FALLBACK.KRN", both.read("/boot/BAREFLOW.KRN"))
    result = run(f"image={both.path}", "prompt=crash")
    assert (result.returncode, result.stdout) == (0, TOLD)
    assert result.stderr == MESSAGE + b"run: the machine has crashed and starts again\n" + MESSAGE


class Terminal:
    """`run` on a pseudo terminal."""

    def __init__(self, *arguments: str) -> None:
        pid, self.descriptor = pty.fork()
        if pid == 0:
            os.execve(sys.executable, command(*arguments), environment())
        self.pid = pid
        self.output = b""

    def expect(self, pattern: bytes) -> None:
        """Waits for a regular expression in what came after the last match."""
        os.set_blocking(self.descriptor, False)
        deadline = time.monotonic() + LIMIT
        while (match := re.search(pattern, self.output)) is None:
            assert time.monotonic() < deadline, f"{pattern!r} did not come: {self.output!r}"
            try:
                self.output += os.read(self.descriptor, 4096)
            except BlockingIOError:
                time.sleep(0.02)
            except OSError:  # EIO: the other side has closed
                raise AssertionError(f"{pattern!r} did not come: {self.output!r}") from None
        self.output = self.output[match.end() :]

    def type(self, data: bytes) -> None:
        os.write(self.descriptor, data)

    def status(self) -> int:
        deadline = time.monotonic() + LIMIT
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.descriptor)
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGTERM)
                raise AssertionError(f"run did not end: {self.output!r}")
            time.sleep(0.02)


def test_terminal_dialogue(story: Story) -> None:
    terminal = Terminal(f"image={story.image}", *STORY)
    terminal.expect(rb"Ctrl-\] ends\.")
    terminal.expect(rb"\n> ")
    terminal.type(b"Tom and Lily\r")
    terminal.expect(rb"Tom and Lily[^@]+\r\n> ")
    terminal.type(b"/poweroff\r")
    assert terminal.status() == 0
    assert b"@bareflow" not in terminal.output


def test_terminal_escape_ends(session_image: Path) -> None:
    terminal = Terminal(f"image={session_image}", *STORY)
    terminal.expect(rb"Ctrl-\] ends\.")
    terminal.expect(rb"hello\r\nOnce\r\nupon\r\n> ")
    terminal.type(b"\x03")  # Ctrl-C is a key like any other
    terminal.expect(rb"\x03")
    terminal.type(ESCAPE)
    assert terminal.status() == 0
