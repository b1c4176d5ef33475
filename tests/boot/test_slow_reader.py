"""A guest does not stop before the last byte of its output has left the serial line."""

from __future__ import annotations

import re
import socket
import subprocess
import time

from bareflow.qemu.machine import QEMU
from fixture_types import GuestImage


def test_last_line_reaches_a_slow_reader(guest_image: GuestImage) -> None:
    ours, qemus = socket.socketpair()
    # The smallest buffer there is: a few bytes written, and QEMU's UART has to wait for us.
    qemus.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    command = [QEMU, "-accel", "tcg", "-nodefaults", "-display", "none", "-no-reboot"]
    command += ["-chardev", f"socket,id=serial0,fd={qemus.fileno()}", "-serial", "chardev:serial0"]
    command += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    command += ["-drive", f"file={guest_image('exceptions')},format=raw,snapshot=on"]
    command += ["-fw_cfg", "name=opt/bareflow/config,string=fault = invalid_opcode"]
    output = b""
    with ours, subprocess.Popen(command, pass_fds=[qemus.fileno()]) as process:
        qemus.close()
        ours.settimeout(60)
        try:
            while data := ours.recv(16):
                output += data
                time.sleep(0.002)
        finally:
            process.kill()
    assert re.search(rb"\n  kernel_entry\+0x[0-9a-f]+\r\n$", output), output[-200:]
