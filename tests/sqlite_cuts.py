"""A database of examples/sqlite on a disk that loses its power: transactions, and what is left of them.

What a cut has left is read with this machine's SQLite, which rolls back with the journal that it finds
beside the database.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bareflow.qemu.guest import Guest
from disk_tools import DiskImage
from power_cut import LoggedDisk, PowerCut, Write, read_log

DATABASE = "/DATA.DB"
COMPANIONS = {"/DATA.NAL": "data.db-journal", "/DATA.WAL": "data.db-wal"}
"""The files that may be beside it, and what this machine's SQLite calls them."""
KEPT = 12
"""So many transactions later the rows of a transaction are deleted."""
TABLES = (
    "CREATE TABLE words(key INTEGER PRIMARY KEY, made INT, word TEXT, changed INT DEFAULT 0); "
    "CREATE INDEX by_word ON words(word); "
    "CREATE TABLE counter(n INT); INSERT INTO counter VALUES(0);\n"
)


def _count(transaction: int) -> int:
    """How many rows it adds: every fifth so many that some go to the database before it ends."""
    return 40 if transaction % 5 == 0 else 6


def _key(transaction: int, number: int) -> int:
    """Somewhere among the others."""
    return (transaction * 1000003 + number * 7368787) % 1000000007


def _word(key: int) -> str:
    return f"{key}:" + chr(97 + key % 26) * (key % 3000 + 1)


def statements(transaction: int) -> str:
    """A transaction that adds rows, changes and deletes others, and counts itself; then it says so."""
    return (
        f"BEGIN; WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c LIMIT {_count(transaction)}),"
        f" k(key) AS (SELECT ({transaction} * 1000003 + i * 7368787) % 1000000007 FROM c)"
        f" INSERT INTO words(key, made, word) SELECT key, {transaction},"
        " key || ':' || printf('%.*c', key % 3000 + 1, char(97 + key % 26)) FROM k;"
        f" UPDATE words SET changed = changed + 1;"
        f" DELETE FROM words WHERE made <= {transaction - KEPT};"
        f" UPDATE counter SET n = {transaction}; COMMIT; SELECT 'committed', n FROM counter;\n"
    )


def contents(transactions: int) -> list[tuple[int, int, str, int]]:
    """All rows when these have been committed."""
    found = []
    for made in range(max(1, transactions - KEPT + 1), transactions + 1):
        for number in range(_count(made)):
            key = _key(made, number)
            found.append((key, made, _word(key), transactions - made + 1))
    return sorted(found)


@dataclass(frozen=True)
class Life:
    """What one boot has written to its disk."""

    before: bytes
    writes: list[Write]
    committed: list[int]
    """For each transaction, how many requests there were when the guest had said that it is committed."""

    def cuts(self, number: int, seed: str) -> Iterator[tuple[PowerCut, int]]:
        """Disks after a cut, and how many transactions were committed before it."""
        chance = random.Random(seed)
        for _ in range(number):
            state = chance.getstate()
            moment = chance.randrange(1, len(self.writes) + 1)
            chance.setstate(state)
            cut = PowerCut(self.before, self.writes, chance)
            yield cut, sum(requests < moment for requests in self.committed)


def live(image: DiskImage, folder: Path, bus: str, transactions: int, journal_mode: str) -> Life:
    """Boots the shell and types transactions, the tables first: those are there before anything is cut."""
    before = DiskImage.copy(image.path, folder / "before.img")
    _type(before, folder, bus, [f"PRAGMA journal_mode={journal_mode};\n" + TABLES], journal_mode)
    start = before.path.read_bytes()
    image.path.write_bytes(start)
    typed = [statements(number) for number in range(1, transactions + 1)]
    writes, committed = _type(image, folder, bus, typed, journal_mode)
    return Life(start, writes, committed)


def _type(
    image: DiskImage, folder: Path, bus: str, typed: list[str], journal_mode: str
) -> tuple[list[Write], list[int]]:
    log = folder / "writes.log"
    log.write_bytes(b"")
    moments = []
    with Guest(LoggedDisk(image.path, drive=bus, log=log, memory=32)) as guest:
        guest.expect("sql> ")
        guest.send(f"PRAGMA cache_size=10; PRAGMA journal_mode={journal_mode};\n")
        for number, text in enumerate(typed, 1):
            guest.send(text)
            if "committed" in text:
                guest.expect(rf"^committed\|{number}$")
                moments.append(len(read_log(log)))
        guest.send("\x04")
        assert guest.wait_exit() == 0, guest.serial
        assert "error:" not in guest.serial
    return read_log(log), moments


def read_database(image: DiskImage, folder: Path) -> int:
    """Checks the database of a disk, which may have been cut; how many transactions it has."""
    names = {name.removeprefix("::") for name in image.listing("/")}
    path = folder / "data.db"
    path.write_bytes(image.read(DATABASE))
    for name, local in COMPANIONS.items():
        (folder / local).unlink(missing_ok=True)
        if name in names:
            (folder / local).write_bytes(image.read(name))
    database = sqlite3.connect(path)
    try:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (transactions,) = database.execute("SELECT n FROM counter").fetchone()
        rows = database.execute("SELECT key, made, word, changed FROM words ORDER BY key").fetchall()
        assert rows == contents(transactions)
    finally:
        database.close()
    return int(transactions)
