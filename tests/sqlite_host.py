"""What Python's SQLite makes of SQL."""

from __future__ import annotations

import sqlite3


def run_script(script: str) -> tuple[sqlite3.Connection, str]:
    """The database in memory after a script, and all rows that it gives, as examples/sqlite prints
    them."""
    host = sqlite3.connect(":memory:")
    queries = [part for part in script.split(";") if part.strip()]
    rows = [row for query in queries for row in host.execute(query)]
    return host, "".join("|".join(map(str, row)) + "\n" for row in rows)
