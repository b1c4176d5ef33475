"""A program on Linux in QEMU, to compare with the same program in an image of ours.

    python -m bareflow.bench.linux_guest kernel=DEB program=FILE args=TEXT [file=NAME ...] [memory=MiB]

kernel is Debian's package linux-image-VERSION-cloud-amd64, program a statically linked one. It runs in a
machine like those of `run`, with the files on an ext4 file system of a virtio disk, which is its folder. Its
output goes to standard output; at the end a line says how long the machine took from its start to the
program's first output, and to its end.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bareflow import program as outside
from bareflow.llvm import llvm_tool

MODULES = (
    "virtio_ring",
    "virtio",
    "virtio_pci_legacy_dev",
    "virtio_pci_modern_dev",
    "virtio_pci",
    "virtio_blk",
)
"""That a virtio disk needs, in the order in which they are loaded."""
DISK_MIB = 64
BEGIN = b"@begin\n"


def _entry(name: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)) -> bytes:
    """A file of an initramfs (Linux's Documentation/driver-api/early-userspace/buffer-format.rst)."""
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08x" % value for value in fields) + name.encode() + b"\0"
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def _modules(folder: Path) -> Iterator[bytes]:
    for name in MODULES:
        (path,) = folder.rglob(f"{name}.ko*")
        yield path.read_bytes()


def initramfs(kernel: Path, init: Path, program: Path) -> bytes:
    """kernel: the unpacked package."""
    made = _entry("dev", 0o40755) + _entry("dev/console", 0o20600, device=(5, 1))
    made += _entry("init", 0o100755, init.read_bytes()) + _entry("program", 0o100755, program.read_bytes())
    for number, module in enumerate(_modules(kernel)):
        made += _entry(f"{number}.ko", 0o100644, module)
    return made + _entry("TRAILER!!!", 0)


def _disk(folder: Path, files: Sequence[Path]) -> Path:
    (folder / "files").mkdir()
    for file in files:
        (folder / "files" / file.name.upper()).write_bytes(file.read_bytes())
    disk = folder / "disk.img"
    command = ["/sbin/mkfs.ext4", "-q", "-d", str(folder / "files"), str(disk), f"{DISK_MIB}M"]
    subprocess.run(command, check=True)
    return disk


def main(argv: Sequence[str]) -> int:
    """See above."""
    given = dict(argument.split("=", 1) for argument in argv)
    files = [Path(argument[5:]) for argument in argv if argument.startswith("file=")]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        subprocess.run(["dpkg-deb", "-x", given["kernel"], folder / "kernel"], check=True)
        source = Path(__file__).with_name("linux_init.c")
        subprocess.run([llvm_tool("clang"), "-O2", "-static", source, "-o", folder / "init"], check=True)
        (folder / "initrd").write_bytes(initramfs(folder / "kernel", folder / "init", Path(given["program"])))
        (vmlinuz,) = (folder / "kernel/boot").glob("vmlinuz-*")
        disk = _disk(folder, files)
        command = [
            "qemu-system-x86_64",
            "-machine",
            "pc",
            "-accel",
            "tcg",
            "-m",
            f"{given.get('memory', '256')}M",
        ]
        command += ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio"]
        command += ["-drive", f"if=none,id=disk,file={disk},format=raw,snapshot=on"]
        command += ["-device", "virtio-blk-pci,drive=disk", "-kernel", str(vmlinuz)]
        command += ["-initrd", str(folder / "initrd")]
        if given.get("icount") == "1":
            command += ["-icount", "shift=0,sleep=off"]
        command += ["-append", f"console=ttyS0 quiet no_timer_check panic=-1 -- {given.get('args', '')}"]
        begin = time.monotonic()
        first = 0.0
        with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as machine:
            assert machine.stdout
            while data := os.read(machine.stdout.fileno(), 65536):
                first = first or time.monotonic() - begin
                sys.stdout.buffer.write(data)
        total = time.monotonic() - begin
    print(f"first output after {first:.2f} s, end after {total:.2f} s", file=sys.stderr)
    return machine.returncode


if __name__ == "__main__":
    sys.exit(outside.call("linux_guest", main, sys.argv[1:]))
