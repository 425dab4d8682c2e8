#!/usr/bin/env python3
"""Brings the database to what this release needs, and back.

    migrate.py up      applies what is missing, all in one transaction, and says what it applied
    migrate.py down    takes back what an `up` said that it applied, read from standard input

holdfast runs `up` when the release changes, and `down` with the words of that very `up` when the change is undone: also where
`up` was cut off. What was told but not committed is not there, and nothing is done about it.
"""
import os
import pathlib
import sqlite3
import sys

from cvd.database import MIGRATIONS, applied_migrations, known_migrations


def statements(script):
    """One by one: sqlite3's own executescript would commit before the first."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        raise SystemExit(f"the last statement has no end: {pending.strip()[:80]}")


def run_script(connection, name):
    for statement in statements((MIGRATIONS / name).read_text()):
        connection.execute(statement)


def up(path):
    if not path.exists():
        print("created", flush=True)
    connection = sqlite3.connect(path, timeout=10, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY, applied_at TEXT DEFAULT CURRENT_TIMESTAMP)")
    applied = applied_migrations(connection)
    for name in known_migrations():
        if name in applied:
            continue
        # Said before it is committed: an undo never misses one.
        print("applied", name, flush=True)
        try:
            run_script(connection, f"{name}.up.sql")
        except sqlite3.Error as error:
            raise SystemExit(f"migration {name}: {error}") from error
        connection.execute("INSERT INTO schema_migrations (name) VALUES (?)", (name,))
    connection.execute("COMMIT")


def down(path, said):
    if not path.exists():
        return
    if "created" in said:
        for end in ("", "-wal", "-shm"):
            pathlib.Path(f"{path}{end}").unlink(missing_ok=True)
        return
    connection = sqlite3.connect(path, timeout=10, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    applied = applied_migrations(connection)
    for line in reversed(said):
        word, _, name = line.partition(" ")
        if word != "applied" or name not in applied:
            continue
        run_script(connection, f"{name}.down.sql")
        connection.execute("DELETE FROM schema_migrations WHERE name = ?", (name,))
        print("took back", name)
    connection.execute("COMMIT")


if __name__ == "__main__":
    database = pathlib.Path(os.environ.get("DATABASE", "/opt/cvd/data/cvd.db"))
    if sys.argv[1:] == ["up"]:
        up(database)
    elif sys.argv[1:] == ["down"]:
        down(database, sys.stdin.read().splitlines())
    else:
        raise SystemExit(__doc__)
