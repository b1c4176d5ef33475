"""The virtual machine as a value, and QEMU's command line for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from bareflow.errors import BareFlowError
from bareflow.layouts import read_header

QEMU = "qemu-system-x86_64"
CONFIG_NAME = "opt/bareflow/config"
MOST_CONFIG = read_header("kernel_lib/config/sources.h")["MAX_CONFIG_SIZE"]
"""Bytes that a guest takes."""
MACHINES = ("pc", "q35")
# How an image can be attached: name -> controller to add (if any) and disk device.
_DEVICES: dict[str, tuple[str | None, str]] = {
    "ide": (None, "ide-hd,bus=ide.0"),
    "ide-slave": (None, "ide-hd,bus=ide.1,unit=1"),
    "ahci": ("ich9-ahci,id=ahci", "ide-hd,bus=ahci.0"),
    "virtio-blk": (None, "virtio-blk-pci"),
    "usb-storage": ("qemu-xhci", "usb-storage"),
    "nvme": (None, "nvme,serial=bareflow"),
    "nvme-4096": (None, "nvme,serial=bareflow,logical_block_size=4096,physical_block_size=4096"),
}
DRIVES = (*_DEVICES, "floppy")

# isa-debug-exit: a byte written to this port ends QEMU with status 2 * byte + 1.
DEBUG_EXIT_PORT = 0xF4


class QemuError(BareFlowError):
    """QEMU is missing, did not start, or was asked for something that it cannot do."""


def config_text(config: Mapping[str, object]) -> str:
    """Writes `key = "value"` lines as kernel_lib's configuration parser reads them.

    Every byte outside printable ASCII becomes \\xNN, so that any prompt survives
    the command line and the line-based syntax.
    """
    lines = []
    for key, value in config.items():
        quoted = "".join(
            "\\" + chr(byte) if byte in b'"\\' else chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"
            for byte in str(value).encode("utf-8", "surrogateescape")
        )
        lines.append(f'{key} = "{quoted}"\n')
    return "".join(lines)


def _option(value: str | Path) -> str:
    """Escapes a value for QEMU's comma-separated options: a comma is written twice."""
    return str(value).replace(",", ",,")


@dataclass(frozen=True)
class Machine:
    """One PC to boot.

    image      raw disk image to boot from
    config     keys for the guest, handed over through fw_cfg
    memory     RAM in MiB
    cpu        QEMU's CPU model; None is QEMU's default
    machine    "pc" (PIIX3) or "q35" (ICH9)
    drive      what the image is attached as, one of DRIVES
    snapshot   True: what the guest writes goes to a temporary file; False: into the image
    accel      QEMU accelerator
    debug_exit attach isa-debug-exit; without it the guest ends by ACPI power-off
    crashes    how many times the machine may start again without the guest having said so (event
               restart); None: that it starts again ends it, said or not
    gdb        port of this machine where QEMU listens for a debugger, which lets the guest start; None:
               there is none
    qemu       program to run
    extra      further QEMU arguments, verbatim
    """

    image: Path
    config: Mapping[str, object] = field(default_factory=dict)
    memory: int = 64
    cpu: str | None = None
    machine: str = "pc"
    drive: str = "ide"
    snapshot: bool = True
    accel: str = "tcg"
    debug_exit: bool = True
    crashes: int | None = None
    gdb: int | None = None
    qemu: str = QEMU
    extra: Sequence[str] = ()

    def config_file(self) -> BinaryIO:
        """A file in memory with the configuration's text, for QEMU to inherit: an argument of the command
        line has less room than a prompt may need."""
        text = config_text(self.config).encode()
        if len(text) > MOST_CONFIG:
            raise QemuError(
                f"the settings have {len(text)} bytes, where a byte that is not ASCII counts as four; "
                f"a guest takes at most {MOST_CONFIG}: shorten the prompt"
            )
        file = os.fdopen(os.memfd_create("bareflow.cfg"), "wb")
        file.write(text)
        file.flush()
        return file

    def command(self, serial_fd: int, qmp_fd: int, config_fd: int) -> list[str]:
        """QEMU's argument list, with COM1 and QMP on two connected sockets that QEMU inherits, as it does
        config_file().

        The machine starts paused (-S): whatever fails before the QMP handshake is a
        failure of QEMU, whatever happens after "cont", or a debugger's, is the guest's doing.
        """
        serial = ["-chardev", f"socket,id=serial0,fd={serial_fd}", "-serial", "chardev:serial0"]
        qmp = ["-chardev", f"socket,id=qmp0,fd={qmp_fd}", "-mon", "chardev=qmp0,mode=control"]
        return [*self.arguments(config_fd), "-S", *serial, *qmp]

    def arguments(self, config_fd: int) -> list[str]:
        """QEMU's argument list without COM1: a machine that starts at once."""
        program = shutil.which(self.qemu)
        if program is None:
            raise QemuError(
                f"{self.qemu} was not found; install QEMU "
                "(Debian and Ubuntu: apt-get install qemu-system-x86)"
            )
        if not self.image.is_file():
            raise QemuError(f"{self.image}: there is no such disk image; build it first")
        if self.machine not in MACHINES:
            raise QemuError(f"machine={self.machine}: not one of {', '.join(MACHINES)}")
        command = [program, "-machine", self.machine, "-accel", self.accel, "-m", f"{self.memory}M"]
        if self.cpu is not None:
            command += ["-cpu", self.cpu]
        # -nodefaults drops the network card and its option ROM, the floppy and CD drives.
        command += ["-nodefaults", "-no-user-config", "-display", "none", "-vga", "std", "-no-reboot"]
        if self.crashes is not None:
            command.append("-no-shutdown")  # pauses instead: QemuProcess decides how it goes on
        if self.debug_exit:
            command += ["-device", f"isa-debug-exit,iobase={DEBUG_EXIT_PORT:#x},iosize=4"]
        if self.gdb is not None:
            command += ["-gdb", f"tcp:127.0.0.1:{self.gdb}"]
        if self.config:
            command += ["-fw_cfg", f"name={CONFIG_NAME},file=/proc/self/fd/{config_fd}"]
        return command + self._drive_arguments() + list(self.extra)

    def _drive_arguments(self) -> list[str]:
        """Attaches the image and makes it the device to boot from."""
        # Absolute: in a relative path QEMU takes what is before a colon for a protocol.
        backend = (
            f"file={_option(self.image.absolute())},format=raw,snapshot={'on' if self.snapshot else 'off'}"
        )
        if self.drive == "floppy":
            return ["-drive", f"if=floppy,index=0,{backend}", "-boot", "a"]
        if self.drive == "ide" and self.machine == "q35":
            raise QemuError("drive=ide: machine q35 has no IDE controller, use drive=ahci")
        if self.drive not in _DEVICES:
            raise QemuError(f"drive={self.drive}: not one of {', '.join(DRIVES)}")
        controller, device = _DEVICES[self.drive]
        arguments = ["-drive", f"if=none,id=disk,{backend}"]
        if controller is not None:
            arguments += ["-device", controller]
        return [*arguments, "-device", f"{device},drive=disk,bootindex=0"]
