"""Disks after a power cut: a boot's writes are logged by QEMU, and the disk is rebuilt as a cut may leave it.

The log is QEMU's blklogwrites, in the format of Linux's dm-log-writes
(Documentation/admin-guide/device-mapper/log-writes.rst): a sector with the head, then for each request a
sector with its own head, and the data written.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bareflow.qemu.machine import Machine

SECTOR = 512
_REQUEST = "<4Q"  # first sector, sectors, flags, bytes of a marker
_FLUSH, _FUA, _DISCARD = 1, 2, 4


@dataclass(frozen=True)
class LoggedDisk(Machine):
    """A machine whose disk's writes are logged."""

    log: Path = Path()

    def _drive_arguments(self) -> list[str]:
        old = f"file={self.image},format=raw,snapshot=off"
        new = (
            f"driver=blklogwrites,file.driver=file,file.filename={self.image},"
            f"log.driver=file,log.filename={self.log},log-sector-size={SECTOR}"
        )
        arguments = replace(self, snapshot=False)
        return [argument.replace(old, new) for argument in Machine._drive_arguments(arguments)]


@dataclass(frozen=True)
class Write:
    """A request that changes the disk, or (with neither data nor durable) a flush."""

    sector: int
    data: bytes
    flush: bool
    """All that was written before it is on the medium afterwards."""
    durable: bool
    """It is itself on the medium when it has ended."""


def read_log(log: Path) -> list[Write]:
    """All requests that were logged, in order. The head of the log is not read: QEMU writes it with a flush
    only, and a guest that ends by isa-debug-exit makes none."""
    data = log.read_bytes()
    found, at = [], SECTOR
    while at < len(data):
        first, sectors, flags, marker = struct.unpack_from(_REQUEST, data, at)
        assert marker == 0 and not flags & _DISCARD
        at += SECTOR
        content = data[at : at + sectors * SECTOR]
        at += len(content)
        found.append(Write(first, content, bool(flags & _FLUSH), bool(flags & _FUA)))
    assert any(write.data for write in found)
    return found


class PowerCut:
    """The disk after a cut between two requests, or in the middle of one."""

    def __init__(self, before: bytes, writes: list[Write], chance: random.Random) -> None:
        medium = bytearray(before)
        pending: list[tuple[int, bytes]] = []
        moment = chance.randrange(1, len(writes) + 1)
        self.flushes = 0
        for write in writes[:moment]:
            if write.flush:
                self._bring(medium, pending)
                pending = []
                self.flushes += 1
            sectors = list(self._sectors(write))
            if write.durable and write is not writes[moment - 1]:
                self._bring(medium, sectors)
            else:
                pending += sectors
        self.certain = bytes(medium)
        """What is on the medium whatever happens."""
        share = chance.choice((0.1, 0.5, 0.9))
        self._bring(medium, [part for part in pending if chance.random() < share])
        self.disk = bytes(medium)

    @staticmethod
    def _sectors(write: Write) -> Iterator[tuple[int, bytes]]:
        for offset in range(0, len(write.data), SECTOR):
            yield write.sector + offset // SECTOR, write.data[offset : offset + SECTOR]

    @staticmethod
    def _bring(medium: bytearray, sectors: list[tuple[int, bytes]]) -> None:
        for sector, data in sectors:
            medium[sector * SECTOR : (sector + 1) * SECTOR] = data
