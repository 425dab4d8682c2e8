"""One connection to SQLite per request, and where migrations are found."""
import pathlib
import sqlite3

from flask import current_app, g

MIGRATIONS = pathlib.Path(__file__).resolve().parent.parent / "migrations"


def open_database(path):
    """Only one that is there: an empty one made by chance would hide that the real one is gone."""
    connection = sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=5)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def connect():
    if "database" not in g:
        g.database = open_database(current_app.config["DATABASE"])
    return g.database


def close(_error=None):
    connection = g.pop("database", None)
    if connection is not None:
        connection.close()


def known_migrations():
    return sorted(path.name[: -len(".up.sql")] for path in MIGRATIONS.glob("*.up.sql"))


def applied_migrations(connection):
    return [row[0] for row in connection.execute("SELECT name FROM schema_migrations ORDER BY name")]
