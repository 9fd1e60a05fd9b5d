"""Endless readers of one source each, whose position is small and exact.

A cursor is {"epoch": times read through, "record": records read since, ...}: for lines with the byte at which the next
one starts, for a data set with the state that `datasets` keeps of it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Protocol, cast

from hybrid_agent.config.mixture import SourceConfig
from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.traces.provenance import EPISODES

WHOLE = 1 << 28  # bytes of a file that are hashed; of a larger one only its ends
LINES = (".jsonl", ".jsonl.gz")
FILES = {".parquet": "parquet", ".arrow": "arrow", ".json": "json", ".csv": "csv"}
IN_FOLDER = {"episodes": EPISODES, "contexts": "contexts.jsonl.gz"}

Cursor = dict[str, Any]


class Reader(Protocol):
    """Where records come from, over and over again."""

    def next(self) -> tuple[Mapping[str, Any], str]:
        """The next record and where it stands; begins again at the end."""
        ...

    def cursor(self) -> Cursor:
        """The present position, JSON-able."""
        ...

    def seek(self, cursor: Cursor) -> None:
        """Go to a position."""
        ...


def open_reader(source: SourceConfig) -> Reader:
    """The reader for a source.

    Raises:
        InputError: there is nothing to read at its path.
    """
    path = lines_file(source)
    if path is not None:
        return LineReader(path)
    return DatasetReader(source)


def lines_file(source: SourceConfig) -> Path | None:
    """The JSONL file that a source names (in a folder of traces: its index); None if `datasets` is to read it.

    Raises:
        InputError: it names a file that is not there.
    """
    path = Path(source.path).expanduser()
    if source.format in IN_FOLDER and path.is_dir():
        path = path / IN_FOLDER[source.format]
    if source.path.endswith(LINES) or source.format in IN_FOLDER:
        if not path.is_file():
            raise InputError("no such data file", where=str(path), field="stage.mixture")
        return path
    return None


class LineReader:
    """Records of a JSONL file, plain or gzip."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.epoch = self.record = self.offset = 0
        self._file: IO[bytes] | None = None

    def next(self) -> tuple[Mapping[str, Any], str]:
        """The next line that is not blank.

        Raises:
            InputError: it is not a JSON object, or the file has none at all.
        """
        if self._file is None:
            self._file = self._open()
            self._file.seek(self.offset)
        while True:
            line = self._file.readline()
            if not line:
                if self.record == 0:
                    raise InputError("no record in it", where=str(self.path), field="stage.mixture")
                self.epoch, self.record, self.offset = self.epoch + 1, 0, 0
                self._file.seek(0)
                continue
            self.offset += len(line)
            if not line.strip():
                continue
            self.record += 1
            where = f"{self.path}: record {self.record}"
            try:
                found = json.loads(line)
            except ValueError as error:
                raise InputError(f"not JSON: {error}", where=where, fix="write one JSON object a line") from None
            if not isinstance(found, dict):
                raise InputError("not a JSON object", where=where, fix="write one JSON object a line")
            return found, where

    def cursor(self) -> Cursor:
        """Epoch, record and byte (of the unpacked file)."""
        return {"epoch": self.epoch, "record": self.record, "offset": self.offset}

    def seek(self, cursor: Cursor) -> None:
        """Go to a cursor of a reader of the same file."""
        self.epoch, self.record, self.offset = cursor["epoch"], cursor["record"], cursor["offset"]
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> IO[bytes]:
        if self.path.suffix == ".gz":
            return cast(IO[bytes], gzip.open(self.path, "rb"))
        return self.path.open("rb")


class DatasetReader:
    """Records of anything that `datasets` reads, streamed."""

    def __init__(self, source: SourceConfig) -> None:
        self.name = source.path
        self._open = dataset_opener(source)
        self._data = self._open()
        self.epoch = self.record = 0
        self._sought: Cursor | None = None
        self._rows: Iterator[Mapping[str, Any]] = iter(self._data)

    def next(self) -> tuple[Mapping[str, Any], str]:
        """The next row.

        Raises:
            InputError: the data set is empty.
        """
        row = next(self._rows, None)
        if row is None:
            if self.record == 0:
                raise InputError("no record in it", where=self.name, field="stage.mixture")
            self.epoch, self.record, self._data = self.epoch + 1, 0, self._open()
            self._rows = iter(self._data)
            row = next(self._rows)
        self.record, self._sought = self.record + 1, None
        return row, f"{self.name}: record {self.record}"

    def cursor(self) -> Cursor:
        """Epoch, record, and the state of the data set itself."""
        if self._sought is not None:  # a data set tells a state that it was given only once it has gone on from it
            return self._sought
        state = json.loads(json.dumps(self._data.state_dict())) if self.record else None
        return {"epoch": self.epoch, "record": self.record, "state": state}

    def seek(self, cursor: Cursor) -> None:
        """Go to a cursor of a reader of the same data set."""
        self.epoch, self.record, self._data = cursor["epoch"], cursor["record"], self._open()
        self._sought = dict(cursor)
        if cursor["state"] is not None:
            self._data.load_state_dict(cursor["state"])
        self._rows = iter(self._data)


def dataset_opener(source: SourceConfig) -> Callable[[], Any]:
    """A function that opens the data set of a source at its beginning, as an `IterableDataset`.

    Raises:
        InputError: `datasets` is not installed, or cannot open it.
    """
    try:
        import datasets
    except ImportError:
        raise InputError("this source needs `datasets`", where=source.path, fix="install the extra [train]") from None
    path = Path(source.path).expanduser()
    try:
        if (path / "state.json").is_file():
            stored = datasets.load_from_disk(str(path))
            return cast(Callable[[], Any], stored.to_iterable_dataset)
        if (path / "dataset_dict.json").is_file():
            stored = datasets.load_from_disk(str(path))[source.split]
            return cast(Callable[[], Any], stored.to_iterable_dataset)

        def load() -> Any:
            if path.suffix in FILES:
                files = {source.split: str(path)}
                return datasets.load_dataset(FILES[path.suffix], data_files=files, split=source.split, streaming=True)
            return datasets.load_dataset(
                source.path, source.subset, split=source.split, revision=source.revision, streaming=True
            )

        load()  # a mistake is reported now and not in the middle of a run
    except Exception as error:  # `datasets` raises anything from OSError to pandas' own
        what = f"`datasets` cannot open it: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
        raise InputError(what, where=source.path, field="stage.mixture", fix="check path, split and subset") from None
    return load


def fingerprint(source: SourceConfig) -> str:
    """What identifies the content of a source.

    A file by its hash (one of more than 256 MB by size and its two ends), a folder by those of its files, a hub id by
    its name, subset, split and revision.
    """
    path = lines_file(source) or Path(source.path).expanduser()
    if path.is_file():
        return _of_file(path)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return hashlib.sha256("\n".join(f"{f.relative_to(path)} {_of_file(f)}" for f in files).encode()).hexdigest()
    return json.dumps([source.path, source.subset, source.split, source.revision])


def _of_file(path: Path) -> str:
    size = path.stat().st_size
    if size <= WHOLE:
        return file_hash(path)
    with path.open("rb") as handle:
        digest = hashlib.sha256(str(size).encode() + handle.read(WHOLE // 2))
        handle.seek(-WHOLE // 2, os.SEEK_END)
        digest.update(handle.read())
    return digest.hexdigest()
