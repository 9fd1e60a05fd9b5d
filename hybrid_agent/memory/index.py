"""Nearest vectors: compared one by one while they are few, through a FAISS HNSW graph when they are many.

An index holds nothing that SQLite does not: it can be thrown away at any time.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.config.memory import IndexConfig
from hybrid_agent.memory.embed import Vectors
from hybrid_agent.runs.atomic import write_atomic, write_json

Ids = NDArray[np.int64]


class VectorIndex:
    """Ids and unit vectors of one kind of entry.

    Without FAISS (extra `memory`) every search compares all vectors, which is exact and slow beyond some 100,000.

    Attributes:
        seq: the last promotion that is in it.
    """

    def __init__(self, dim: int, config: IndexConfig) -> None:
        self.dim, self.config, self.seq = dim, config, 0
        self._ids: Ids = np.zeros(0, np.int64)
        self._rows: Vectors = np.zeros((0, dim), np.float32)
        self._count = 0
        self._graph: Any = None

    def __len__(self) -> int:
        return self._count

    @property
    def kind(self) -> str:
        """`exact` or `hnsw`."""
        return "hnsw" if self._graph is not None else "exact"

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """Append; an id may come again with another vector."""
        need = self._count + len(ids)
        if need > len(self._ids):
            self._ids = np.resize(self._ids, max(need, 2 * len(self._ids), 64)) if self._count else _empty(need)
        self._ids[self._count : need] = ids
        if self._graph is None:
            if need > len(self._rows):
                grown = np.zeros((max(need, 2 * len(self._rows), 64), self.dim), np.float32)
                grown[: self._count] = self._rows[: self._count]
                self._rows = grown
            self._rows[self._count : need] = vectors
            self._count = need
            if need > self.config.exact_below and has_faiss():
                self._graph = _graph(self.dim, self.config)
                self._graph.add(self._rows[:need])
                self._rows = np.zeros((0, self.dim), np.float32)
        else:
            self._graph.add(np.ascontiguousarray(vectors, np.float32))
            self._count = need

    def search(self, vector: Vectors, count: int) -> list[int]:
        """Ids of about the `count` nearest, nearest first, each once."""
        count = min(count, self._count)
        if count == 0:
            return []
        if self._graph is not None:
            _, found = self._graph.search(np.ascontiguousarray(vector.reshape(1, -1), np.float32), count)
            places = found[0][found[0] >= 0]
        else:
            sims = self._rows[: self._count] @ vector.reshape(-1)
            some = np.argpartition(-sims, count - 1)[:count]
            places = some[np.argsort(-sims[some], kind="stable")]
        return list(dict.fromkeys(int(each) for each in self._ids[places]))

    def save(self, file: Path, stamp: dict[str, Any]) -> None:
        """Write graph and ids atomically, the stamp last. A small index is not worth a file."""
        if self._graph is None:
            return
        faiss = _faiss()
        write_atomic(file, lambda temp: faiss.write_index(self._graph, str(temp)))
        write_atomic(_ids_file(file), lambda temp: _write_ids(temp, self._ids[: self._count]))
        size = file.stat().st_size
        write_json(_stamp_file(file), {**stamp, "seq": self.seq, "count": self._count, "bytes": size})

    @classmethod
    def load(cls, file: Path, dim: int, config: IndexConfig, stamp: dict[str, Any]) -> VectorIndex:
        """The saved index; an empty one if there is none, or if what is there does not fit."""
        index = cls(dim, config)
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RuntimeError):
            known = json.loads(_stamp_file(file).read_text())
            fits = all(known.get(key) == value for key, value in stamp.items())
            if not fits or known["bytes"] != file.stat().st_size or not has_faiss():
                return index
            graph = _faiss().read_index(str(file))
            ids = np.fromfile(_ids_file(file), np.int64)
            if graph.ntotal != known["count"] or len(ids) != known["count"] or graph.d != dim:
                return index
            graph.hnsw.efSearch = config.search_effort
            index._graph, index._ids, index._count, index.seq = graph, ids, len(ids), int(known["seq"])
        return index


def has_faiss() -> bool:
    """Is the extra `memory` installed?"""
    return importlib.util.find_spec("faiss") is not None


def forget(file: Path) -> None:
    """Remove a saved index."""
    for each in (_stamp_file(file), _ids_file(file), file):
        each.unlink(missing_ok=True)


def _graph(dim: int, config: IndexConfig) -> Any:
    faiss = _faiss()
    # Half precision: the order of the nearest is made exact from SQLite's vectors afterwards.
    graph = faiss.IndexHNSWSQ(dim, faiss.ScalarQuantizer.QT_fp16, config.links)
    graph.hnsw.efConstruction = config.build_effort
    graph.hnsw.efSearch = config.search_effort
    graph.train(np.zeros((1, dim), np.float32))
    return graph


def _faiss() -> Any:
    return importlib.import_module("faiss")  # an extra: the type checker must not need it


def _empty(size: int) -> Ids:
    return np.zeros(max(size, 64), np.int64)


def _write_ids(file: Path, ids: Ids) -> None:
    ids.tofile(file)


def _ids_file(file: Path) -> Path:
    return file.with_suffix(".ids")


def _stamp_file(file: Path) -> Path:
    return file.with_suffix(".json")
