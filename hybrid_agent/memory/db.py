"""The one SQLite file that is memory: its tables, how it is opened, and how a row becomes an entry."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, get_args

from hybrid_agent.errors import InfraError, InputError
from hybrid_agent.memory.records import Entry, Skill, Status

FILE = "memory.sqlite"
FORMAT = 1
APPLICATION = 0x4859_4D45  # marks the file as ours
BUSY_S = 30.0
Mode = Literal["write", "read"]

_SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE entries(
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, digest TEXT NOT NULL, text TEXT NOT NULL, domain TEXT NOT NULL,
  status TEXT NOT NULL, version INTEGER NOT NULL, created REAL NOT NULL, used REAL NOT NULL, expires REAL NOT NULL,
  uses INTEGER NOT NULL DEFAULT 0, wins INTEGER NOT NULL DEFAULT 0, losses INTEGER NOT NULL DEFAULT 0,
  strength REAL NOT NULL, held INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '',
  provenance TEXT NOT NULL, skill TEXT, seq INTEGER NOT NULL DEFAULT 0, UNIQUE(kind, digest));
CREATE INDEX by_seq ON entries(kind, seq);
CREATE INDEX by_status ON entries(status, kind);
CREATE TABLE vectors(id INTEGER PRIMARY KEY, vector BLOB NOT NULL);
CREATE TABLE history(
  entry INTEGER NOT NULL, version INTEGER NOT NULL, at REAL NOT NULL, why TEXT NOT NULL, status TEXT NOT NULL,
  row TEXT NOT NULL, PRIMARY KEY(entry, version));
"""
COLUMNS = (
    "id, kind, text, domain, status, version, created, used, expires, uses, wins, losses, strength, held, reason,"
    " provenance, skill"
)


class Database:
    """One connection. `mode` "read" cannot write, whatever is asked of it.

    Raises:
        InputError: the file is no memory of this version, damaged, or (to read) not there.
    """

    def __init__(self, folder: Path, mode: Mode) -> None:
        self.file, self.mode = folder / FILE, mode
        if mode == "write":
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                os.close(os.open(self.file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            except OSError as error:
                fix = "name another folder for the memory"
                raise InputError(f"cannot make it: {error.strerror}", where=str(folder), fix=fix) from None
        elif not self.file.is_file():
            fix = 'it is made by the first: hybrid-agent run "GOAL" --memory'
            raise InputError("there is no memory", where=str(folder), fix=fix)
        uri = f"{self.file.absolute().as_uri()}?mode={'rw' if mode == 'write' else 'ro'}"
        try:
            self._link = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_S)
            self._prepare()
        except sqlite3.OperationalError as error:
            raise InfraError(f"{self.file}: {error}") from None
        except sqlite3.DatabaseError as error:
            fix = "put it aside and start with an empty one, or restore a copy"
            raise InputError(f"not a memory, or damaged: {error}", where=str(self.file), fix=fix) from None

    def close(self) -> None:
        """Idempotent."""
        self._link.close()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self._link.execute(sql, values).fetchall()

    def each(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Rows of a large query, as they come."""
        yield from self._link.execute(sql, values)

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """One statement inside `writing`; returns the id of the last inserted row."""
        return int(self._link.execute(sql, values).lastrowid or 0)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all of it is there afterwards, or nothing, also when the process is killed in it.

        Raises:
            InputError: the memory was opened to be read only.
        """
        if self.mode != "write":
            fix = "evaluation never writes; open it for writing"
            raise InputError("the memory is read-only here", where=str(self.file), fix=fix)
        try:
            self._link.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise InfraError(f"{self.file}: {error}") from None
        try:
            yield
        except BaseException:
            self._link.execute("ROLLBACK")
            raise
        self._link.execute("COMMIT")

    def meta(self, key: str, default: str = "") -> str:
        """A value of the table `meta`."""
        found = self.rows("SELECT value FROM meta WHERE key = ?", (key,))
        return str(found[0][0]) if found else default

    def set_meta(self, key: str, value: str) -> None:
        """Store a value, inside `writing`."""
        self.run("INSERT INTO meta VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value", (key, value))

    def _prepare(self) -> None:
        if self.mode == "write":
            self._link.execute("PRAGMA journal_mode = WAL")
            self._link.execute("PRAGMA synchronous = FULL")
            self._make()
        else:
            self._link.execute("PRAGMA query_only = ON")
        self._link.execute("PRAGMA cache_size = -65536")  # 64 MiB: a look-up touches rows all over the file
        found, version = (self.rows(f"PRAGMA {name}")[0][0] for name in ("application_id", "user_version"))
        if found != APPLICATION or version != FORMAT:
            what = (
                "it is no memory" if found != APPLICATION else f"its format is {version}, this version reads {FORMAT}"
            )
            raise InputError(what, where=str(self.file), fix="name another folder for the memory")

    def _make(self) -> None:
        with self.writing():  # of several processes that start at once the first makes the tables
            if self.rows("SELECT count(*) FROM sqlite_master")[0][0]:
                return
            for statement in _SCHEMA.split(";"):
                if statement.strip():
                    self.run(statement)
            self.run(f"PRAGMA application_id = {APPLICATION}")
            self.run(f"PRAGMA user_version = {FORMAT}")


def entry_of(row: Sequence[Any]) -> Entry:
    """A row of COLUMNS as an entry."""
    names = [name.strip() for name in COLUMNS.split(",")]
    values = dict(zip(names, row, strict=True))
    skill = values.pop("skill")
    return Entry(
        **{**values, "held": bool(values["held"]), "provenance": json.loads(values["provenance"])},
        skill=Skill.model_validate_json(skill) if skill else None,
    )


def status_of(text: str) -> Status:
    """A status by name.

    Raises:
        InputError: there is none of that name.
    """
    known: tuple[Status, ...] = get_args(Status)
    for name in known:
        if name == text:
            return name
    raise InputError(f"no status {text!r}", field="status", fix="use one of " + ", ".join(known))
