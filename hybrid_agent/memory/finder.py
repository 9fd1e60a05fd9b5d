"""From a query to the best promoted entries: nearest vectors first, then the score of each."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hybrid_agent.config.memory import MemoryConfig
from hybrid_agent.errors import InputError
from hybrid_agent.memory import index as indexes
from hybrid_agent.memory.db import COLUMNS, Database, entry_of
from hybrid_agent.memory.embed import Embedder
from hybrid_agent.memory.index import VectorIndex
from hybrid_agent.memory.rank import domain_match, freshness, success
from hybrid_agent.memory.records import Hit, Kind

KINDS: tuple[Kind, ...] = ("note", "skill")
CHUNK = 4096
SAVE_EVERY = 1024  # so many new entries make a saved index worth writing again
_LIGHT = "e.id, e.domain, e.used, e.wins, e.losses, v.vector"


class Finder:
    """Searches. Not locked: the store does that."""

    def __init__(
        self, database: Database, config: MemoryConfig, embedder: Embedder, clock: Callable[[], float]
    ) -> None:
        self._db, self._config, self._embedder, self._clock = database, config, embedder, clock
        self._index: dict[Kind, VectorIndex] = {}
        self._saved: dict[Kind, int] = {}
        self._seen = -1

    def check_embedder(self, reembed: bool) -> None:
        """The stored vectors must be this embedder's, or are made anew.

        Raises:
            InputError: they are another's.
        """
        stored = self._db.meta("embedder")
        if not stored and self._db.mode == "write":
            with self._db.writing():
                self._db.set_meta("embedder", self._embedder.name)
        elif stored and stored != self._embedder.name and reembed:
            self.rebuild()
        elif stored and stored != self._embedder.name:
            fix = "name that embedder again, or embed everything anew: hybrid-agent memory rebuild"
            raise InputError(f"made with the embedder {stored}", where=str(self._db.file), field="embedder", fix=fix)

    def search(self, query: str, k: int, kind: Kind, domain: str) -> list[Hit]:
        """See `ColdMemory.search`."""
        if k < 1:
            raise InputError(f"k is {k}", field="k", fix="at least 1")
        self._refresh()
        config, now = self._config, self._clock()
        vector = self._embedder.embed([query[: config.max_note_chars]])[0]
        near = self._index[kind].search(vector, max(config.index.pool, 2 * k))
        if not near or not vector.any():
            return []
        marks = ",".join("?" * len(near))
        rows = self._db.rows(
            f"SELECT {_LIGHT} FROM entries e JOIN vectors v USING(id)"
            f" WHERE e.id IN ({marks}) AND e.status = 'promoted' AND e.expires > ? AND e.kind = ?",
            (*near, now, kind),
        )
        if not rows:
            return []
        stored = np.frombuffer(b"".join(row[5] for row in rows), np.float16).reshape(len(rows), -1)
        sims = stored.astype(np.float32) @ vector
        scored = []
        for (entry, where, used, wins, losses, _), sim in zip(rows, sims, strict=True):
            parts = {
                "similarity": max(0.0, min(1.0, float(sim))),
                "freshness": freshness(now - used, config),
                "success": success(wins, losses, config),
                "domain": domain_match(where, domain, config),
            }
            score = math.prod(parts.values())
            if score >= config.least_score:
                scored.append((score, entry, parts))
        scored.sort(key=lambda each: (-each[0], each[1]))
        best = scored[:k]
        marks = ",".join("?" * len(best))
        full = {
            row[0]: entry_of(row)
            for row in self._db.rows(f"SELECT {COLUMNS} FROM entries WHERE id IN ({marks})", [e for _, e, _ in best])
        }
        return [Hit(entry=full[entry], score=score, **parts) for score, entry, parts in best if entry in full]

    def stats(self) -> dict[str, Any]:
        """The state of each index."""
        self._refresh()
        return {kind: {"kind": self._index[kind].kind, "vectors": len(self._index[kind])} for kind in KINDS}

    def rebuild(self) -> None:
        """Embed all entries again, and start the indexes anew."""
        with self._db.writing():
            rows = self._db.rows("SELECT id, text FROM entries")
            for begin in range(0, len(rows), CHUNK):
                part = rows[begin : begin + CHUNK]
                vectors = self._embedder.embed([text for _, text in part]).astype(np.float16)
                for (entry, _), vector in zip(part, vectors, strict=True):
                    self._db.run("UPDATE vectors SET vector = ? WHERE id = ?", (vector.tobytes(), entry))
            self._db.set_meta("embedder", self._embedder.name)
        for kind in KINDS:
            indexes.forget(self._file(kind))
        self._index, self._seen = {}, -1
        self._refresh()

    def save(self) -> None:
        """Write what has grown enough."""
        if self._db.mode != "write":
            return
        for kind, index in self._index.items():
            if index.kind == "hnsw" and len(index) - self._saved.get(kind, 0) >= SAVE_EVERY:
                # A cache that cannot be written costs time, no memory.
                with contextlib.suppress(OSError, RuntimeError):
                    index.save(self._file(kind), self._stamp())
                self._saved[kind] = len(index)

    def _refresh(self) -> None:
        """Take in what was promoted since, by whichever process."""
        newest = int(self._db.meta("seq", "0"))
        if newest == self._seen:
            return
        for kind in KINDS:
            if kind not in self._index:
                loaded = VectorIndex.load(self._file(kind), self._embedder.dim, self._config.index, self._stamp())
                self._index[kind], self._saved[kind] = loaded, len(loaded)
                if self._mostly_dead(kind):
                    self._index[kind] = VectorIndex(self._embedder.dim, self._config.index)
                    self._saved[kind] = 0
            self._catch_up(kind)
        self._seen = newest

    def _mostly_dead(self, kind: Kind) -> bool:
        alive = self._db.rows("SELECT count(*) FROM entries WHERE status = 'promoted' AND kind = ?", (kind,))[0][0]
        return len(self._index[kind]) - int(alive) > self._config.index.stale * max(int(alive), CHUNK)

    def _catch_up(self, kind: Kind) -> None:
        index = self._index[kind]
        for part in _chunks(
            self._db.each(
                "SELECT e.seq, e.id, v.vector FROM entries e JOIN vectors v USING(id)"
                " WHERE e.kind = ? AND e.seq > ? AND e.status = 'promoted' ORDER BY e.seq",
                (kind, index.seq),
            )
        ):
            vectors = np.frombuffer(b"".join(row[2] for row in part), np.float16).reshape(len(part), -1)
            index.add(np.array([row[1] for row in part], np.int64), vectors.astype(np.float32))
            index.seq = part[-1][0]

    def _file(self, kind: Kind) -> Path:
        return self._db.file.with_name(f"index-{kind}.faiss")

    def _stamp(self) -> dict[str, Any]:
        graph = self._config.index
        return {"embedder": self._embedder.name, "links": graph.links, "build_effort": graph.build_effort}


def _chunks(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    part: list[tuple[Any, ...]] = []
    for row in rows:
        part.append(row)
        if len(part) == CHUNK:
            yield part
            part = []
    if part:
        yield part
