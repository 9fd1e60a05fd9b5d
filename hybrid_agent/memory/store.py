"""Cold memory: notes and skills in SQLite, found through an index of vectors, trusted only step by step.

with ColdMemory.open(folder, scan=scanner) as memory:
    entry = memory.add("pytest needs -p no:cacheprovider in this sandbox", {"run": "..."})   # quarantined
    memory.approve(entry.id, by="ada")                                                       # promoted
    memory.retrieve("run the tests", 3)

candidate -> scanned -> quarantined -> promoted (by a replay test or a person) -> archived; or rejected. Without a
scanner nothing leaves `candidate`. `hybrid_agent.assemble.memory.open_memory` opens it with one.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from hybrid_agent.config.memory import MemoryConfig
from hybrid_agent.errors import InputError
from hybrid_agent.memory.db import COLUMNS, Database, Mode, entry_of, status_of
from hybrid_agent.memory.embed import Embedder, make_embedder
from hybrid_agent.memory.finder import Finder
from hybrid_agent.memory.learning import learn
from hybrid_agent.memory.ledger import Ledger
from hybrid_agent.memory.rank import DAY, domain_of
from hybrid_agent.memory.records import Change, Entry, Hit, Kind, Scanned, Skill
from hybrid_agent.memory.shape import identity
from hybrid_agent.types import ToolCall

Scan = Callable[[str, Sequence[ToolCall]], Scanned]
MAX_PROVENANCE = 24
MAX_VALUE = 400


class ColdMemory:
    """Implements `hybrid_agent.protocols.Memory`. One object may be used by several threads, one file by several
    processes: writers take turns, readers never wait."""

    def __init__(
        self,
        database: Database,
        config: MemoryConfig,
        embedder: Embedder,
        scan: Scan | None,
        clock: Callable[[], float],
    ) -> None:
        self.config, self.embedder, self._db, self._scan, self._clock = config, embedder, database, scan, clock
        self._lock = threading.RLock()
        self._ledger = Ledger(database, config, clock)
        self._finder = Finder(database, config, embedder, clock)

    @classmethod
    def open(
        cls,
        folder: Path,
        config: MemoryConfig | None = None,
        *,
        mode: Mode = "write",
        scan: Scan | None = None,
        embedder: Embedder | None = None,
        clock: Callable[[], float] = time.time,
        reembed: bool = False,
    ) -> ColdMemory:
        """Open the memory of a folder; to write, it is made if it is not there.

        Args:
            folder: holds memory.sqlite and the saved index; made with mode 0700.
            config: see there.
            mode: "read" never writes (evaluation).
            scan: looks at what is to be stored; None: everything stays a candidate.
            embedder: in place of the config's.
            clock: Unix seconds.
            reembed: where the memory was made with another embedder, embed everything again.

        Raises:
            InputError: the file is damaged, of another version, not there (to read), or made with another embedder.
        """
        chosen = config or MemoryConfig()
        encoder = embedder or make_embedder(chosen.embedder)
        database = Database(folder, mode)
        try:
            memory = cls(database, chosen, encoder, scan, clock)
            memory._finder.check_embedder(reembed)
        except BaseException:
            database.close()
            raise
        return memory

    @property
    def writable(self) -> bool:
        """False in evaluation mode."""
        return self._db.mode == "write"

    def now(self) -> float:
        """The memory's clock, Unix seconds."""
        return self._clock()

    # --- protocols.Memory
    def retrieve(self, query: str, k: int) -> Sequence[str]:
        """Up to k promoted notes, best first."""
        return [hit.entry.text for hit in self.search(query, k, kind="note")]

    def remember(self, note: str, provenance: Mapping[str, str]) -> None:
        """Take in a note; it is retrieved once it is promoted (see `add`)."""
        self.add(note, provenance)

    # --- search
    def search(self, query: str, k: int, *, kind: Kind = "note", domain: str | None = None) -> list[Hit]:
        """Up to k promoted entries by score, with its factors.

        Args:
            query: free text.
            k: how many at most.
            kind: notes or skills.
            domain: of the query; None: guessed from its words.
        """
        with self._lock:
            return self._finder.search(query, k, kind, domain or domain_of(query))

    # --- taking in
    def add(self, note: str, provenance: Mapping[str, str], *, domain: str | None = None) -> Entry:
        """Scan a note and put it into quarantine, or reject it. A note that is known is returned as it is.

        Raises:
            InputError: empty or too long, too much provenance, or the memory is read-only.
        """
        if not note.strip():
            raise InputError("the note is empty", field="note", fix="say what worked")
        if len(note) > self.config.max_note_chars:
            most = self.config.max_note_chars
            raise InputError(f"the note has {len(note)} characters", field="note", fix=f"at most {most}")
        scanned = self._scanned(clean(note), ())
        return self._take_in("note", scanned.text.strip(), None, scanned, provenance, domain)

    def teach(
        self,
        goal: str,
        calls: Sequence[ToolCall],
        provenance: Mapping[str, str],
        *,
        seen: Sequence[str] = (),
        exact: bool = False,
    ) -> Entry:
        """Take in a skill: a goal and the calls that did it, plan and finish included. It goes into quarantine, until
        `tested` says that a replay worked. A skill that is known is returned as it is.

        Args:
            goal: as typed.
            calls: plan (set), then each step's calls and its plan (done), then finish.
            provenance: where it comes from.
            seen: what was visible before each call, beside the goal (listing, observations); values in calls that come
                from there are left to the decoder.
            exact: for this very goal only.

        Raises:
            InputError: these calls make no skill (says why), too much provenance, or the memory is read-only.
        """
        goal = clean(goal).strip()
        skill = learn(goal, calls, seen, exact=exact)
        written = "\n".join([goal, *(call.model_dump_json(exclude_defaults=True) for call in calls)])
        scanned = self._scanned(written, calls)
        if scanned.secrets:  # a skill with a hole in it would write the hole
            return self._take_in("skill", self._scanned(goal, ()).text, None, scanned, provenance, None)
        return self._take_in("skill", goal, skill, scanned, provenance, None)

    # --- trust
    def tested(self, entry: int, passed: bool, detail: str) -> Entry:
        """What a replay test said of a quarantined entry: promoted or rejected.

        Raises:
            InputError: there is no such entry, it is not in quarantine, or it is held for a person.
        """
        with self._lock:
            return self._ledger.tested(entry, passed, detail)

    def approve(self, entry: int, *, by: str) -> Entry:
        """A person promotes a quarantined entry, also one that a scan holds back."""
        with self._lock:
            return self._ledger.approve(entry, by)

    def archive(self, entry: int, *, why: str) -> Entry:
        """Take an entry out of use for good: being learned again does not bring it back, `rollback` does."""
        with self._lock:
            return self._ledger.archive(entry, why)

    def rollback(self, entry: int, version: int | None = None) -> Entry:
        """Make an entry what it was at `version` (the one before the present one), as a new version."""
        with self._lock:
            return self._ledger.rollback(entry, version)

    def outcome(self, entry: int, ok: bool, detail: str = "") -> Entry:
        """It was used: count it, move a skill's strength, and archive a skill that keeps failing."""
        with self._lock:
            return self._ledger.outcome(entry, ok, detail)

    def sweep(self) -> list[int]:
        """Archive what has expired; returns the ids."""
        with self._lock:
            return self._ledger.sweep()

    # --- looking
    def get(self, entry: int) -> Entry:
        """One entry.

        Raises:
            InputError: there is none of that id.
        """
        with self._lock:
            return self._ledger.get(entry)

    def entries(
        self, *, status: str | None = None, kind: Kind | None = None, run: str | None = None, limit: int = 100
    ) -> list[Entry]:
        """Newest first, by status, kind, and the run they come from."""
        tests, values = ["1"], list[Any]()
        for column, value in (("status", status_of(status) if status else None), ("kind", kind)):
            if value is not None:
                tests.append(f"{column} = ?")
                values.append(value)
        if run is not None:
            tests.append("json_extract(provenance, '$.run') = ?")
            values.append(run)
        sql = f"SELECT {COLUMNS} FROM entries WHERE {' AND '.join(tests)} ORDER BY id DESC LIMIT ?"
        with self._lock:
            return [entry_of(row) for row in self._db.rows(sql, (*values, limit))]

    def history(self, entry: int) -> list[Change]:
        """What an entry was, oldest first."""
        with self._lock:
            return self._ledger.history(entry)

    def stats(self) -> dict[str, Any]:
        """Counts by kind and status, and the state of the index."""
        with self._lock:
            counts: dict[str, dict[str, int]] = {"note": {}, "skill": {}}
            for kind, status, number in self._db.rows("SELECT kind, status, count(*) FROM entries GROUP BY 1, 2"):
                counts[kind][status] = number
            return {
                "file": str(self._db.file),
                "bytes": self._db.file.stat().st_size,
                "writable": self.writable,
                "embedder": self.embedder.name,
                "entries": counts,
                "index": self._finder.stats(),
            }

    # --- the index
    def rebuild(self) -> None:
        """Embed every entry again and make the index anew: after a change of embedder, or to be rid of dead entries."""
        with self._lock:
            self._finder.rebuild()

    def close(self) -> None:
        """Save a large index that has grown, and close the file; idempotent."""
        with self._lock:
            self._finder.save()
            self._db.close()

    def __enter__(self) -> ColdMemory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- inside
    def _scanned(self, text: str, calls: Sequence[ToolCall]) -> Scanned:
        return self._scan(text, calls) if self._scan is not None else Scanned(text=text)

    def _take_in(
        self,
        kind: Kind,
        text: str,
        skill: Skill | None,
        scanned: Scanned,
        provenance: Mapping[str, str],
        domain: str | None,
    ) -> Entry:
        kept = self._provenance(provenance)
        body = text if skill is None else identity(skill)
        digest = hashlib.sha256(body.encode()).hexdigest()
        vector = self.embedder.embed([text])[0].astype(np.float16).tobytes()
        now = self._clock()
        row = {
            "kind": kind,
            "digest": digest,
            "text": text,
            "domain": domain or domain_of(text),
            "created": now,
            "used": now,
            "expires": now + self.config.ttl_days * DAY,
            "strength": self.config.skills.start if kind == "skill" else 1.0,
            "provenance": json.dumps(kept, ensure_ascii=False, sort_keys=True),
            "skill": skill.model_dump_json() if skill is not None else None,
        }
        with self._lock:
            return self._ledger.take_in(row, vector, scanned if self._scan is not None else None)

    def _provenance(self, given: Mapping[str, str]) -> dict[str, str]:
        if len(given) > MAX_PROVENANCE:
            raise InputError(f"{len(given)} fields", field="provenance", fix=f"at most {MAX_PROVENANCE}")
        return {clean(key)[:80]: self._scanned(clean(value)[:MAX_VALUE], ()).text for key, value in given.items()}


def clean(text: str) -> str:
    """The text as UTF-8 can hold it."""
    return str(text).encode("utf-8", "replace").decode()
