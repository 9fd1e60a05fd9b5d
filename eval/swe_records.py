"""What a prediction run keeps beside its file, so that a kill loses nothing.

preds.jsonl                        the predictions, whole and in the data set's order after every instance
preds.runs/settings.json           what decides a patch; a run with other settings does not mix into it
preds.runs/<instance>/record.json  written last: the instance is done
preds.runs/<instance>/trace.json   how the patch came about, with its evidence
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import ValidationError

from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import write_json
from hybrid_agent.swe.bench.dataset import Row
from hybrid_agent.swe.bench.predictions import Prediction, read_predictions, write_predictions
from hybrid_agent.types import Record

State = Literal[
    "patch",  # a patch that applies to the base commit
    "does_not_apply",  # a patch that `git apply` refuses there; it is kept as it is
    "empty",  # the agent found none
    "error",  # the machinery failed; the next run tries again
]
RECORD, TRACE, SETTINGS = "record.json", "trace.json", "settings.json"
PROMPT = ("repo", "base_commit", "problem_statement", "test_patch", "FAIL_TO_PASS", "test_cmd")


class InstanceRecord(Record):
    """The outcome for one instance. `row` is the hash of what the agent was given; `reason` is for people."""

    instance_id: str
    row: str
    state: State
    patch: str = ""
    reason: str = ""
    status: str = ""
    test_runs: int = 0
    tokens: int = 0
    seconds: float = 0.0


def row_hash(row: Row) -> str:
    """SHA-256 of what an instance gives to an agent."""
    kept = json.dumps({name: row.get(name) for name in PROMPT}, sort_keys=True, default=str)
    return hashlib.sha256(kept.encode()).hexdigest()[:16]


class PredictionRun:
    """The folder of one `--out`; held by one process at a time."""

    def __init__(self, out: Path, model: str, settings: Mapping[str, Any], order: Sequence[str], *, restart: bool):
        """Open or go on with a run.

        Args:
            out: the predictions file, `.jsonl`.
            model: `model_name_or_path` of every prediction.
            settings: what decides a patch beside the row.
            order: every id of the data set in its order.
            restart: throw away what is there.

        Raises:
            InputError: another process works on it, or it was made with other settings.
        """
        if out.suffix != ".jsonl":
            raise InputError(
                "the predictions file must end in .jsonl", where="--out", fix=f"{out.with_suffix('.jsonl')}"
            )
        self.out, self.model = out, model
        self.folder = folder_of(out)
        self._place = {instance: number for number, instance in enumerate(order)}
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self.folder / ".lock", out)
        try:
            if restart:
                self._clear()
            self._settle(dict(settings))
            self.records = read_records(self.folder)
            self._file = self._kept()
        except BaseException:
            self.close()
            raise

    def done(self, row: Row) -> bool:
        """True if the instance needs no further work."""
        instance = row["instance_id"]
        record = self.records.get(instance)
        if record is None:
            return instance in self._file  # made without a record, by another tool perhaps
        return record.state != "error" and record.row == row_hash(row)

    def instance(self, instance: str) -> Path:
        """The folder of an instance."""
        return self.folder / instance

    def add(self, record: InstanceRecord) -> None:
        """Take in the record that a worker has stored."""
        self.records[record.instance_id] = record
        self._file.pop(record.instance_id, None)

    def write(self) -> None:
        """Write the predictions file: one line for every instance that has been tried."""
        found = dict(self._file)
        found.update({i: Prediction(i, self.model, record.patch) for i, record in self.records.items()})
        last = len(self._place)
        names = sorted(found, key=lambda instance: (self._place.get(instance, last), instance))
        write_predictions(self.out, [found[name] for name in names])

    def close(self) -> None:
        """Let another process in."""
        self._lock.close()

    def _kept(self) -> dict[str, Prediction]:
        if not self.out.is_file() or not self.out.read_bytes().strip():
            return {}
        found = read_predictions(self.out).by_id
        others = sorted({p.model for p in found.values()} - {self.model})
        if others:
            raise InputError(
                f"holds predictions of {', '.join(others)}", where=str(self.out), fix="give another --out, or --restart"
            )
        return {instance: p for instance, p in found.items() if instance not in self.records}

    def _settle(self, settings: dict[str, Any]) -> None:
        path = self.folder / SETTINGS
        wanted = {"model": self.model, **settings}
        if path.is_file():
            had = json.loads(path.read_text(encoding="utf-8"))
            changed = [
                f"{k}: {had.get(k)!r}, now {wanted.get(k)!r}" for k in wanted | had if had.get(k) != wanted.get(k)
            ]
            if changed:
                raise InputError(
                    "made with other settings: " + "; ".join(changed),
                    where=str(self.folder),
                    fix="give another --out, or --restart to begin anew",
                )
        else:
            write_json(path, wanted)

    def _clear(self) -> None:
        self.out.unlink(missing_ok=True)
        for entry in self.folder.iterdir():
            if entry.is_dir() and ((entry / RECORD).is_file() or (entry / TRACE).is_file()):
                shutil.rmtree(entry)
        (self.folder / SETTINGS).unlink(missing_ok=True)


def folder_of(out: Path) -> Path:
    """Where the records of a predictions file lie."""
    return out.with_suffix(".runs")


def read_records(folder: Path) -> dict[str, InstanceRecord]:
    """The records of a run by instance.

    Raises:
        InputError: a record that is not one.
    """
    found = {}
    for path in sorted(folder.glob(f"*/{RECORD}")):
        try:
            record = InstanceRecord.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise InputError(f"not a record: {str(error).splitlines()[0]}", where=str(path), fix="remove it") from None
        found[record.instance_id] = record
    return found


def store(folder: Path, record: InstanceRecord, trace: Mapping[str, Any]) -> None:
    """Write an instance's trace, then its record."""
    write_json(folder / TRACE, trace)
    write_json(folder / RECORD, record.model_dump(mode="json"))


def count(records: Iterable[InstanceRecord]) -> dict[str, int]:
    """How many of each state."""
    found: dict[str, int] = {}
    for record in records:
        found[record.state] = found.get(record.state, 0) + 1
    return found


def _locked(path: Path, out: Path) -> IO[str]:
    handle = path.open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise InputError("another process is writing it", where=str(out), fix="wait for it or end it") from None
    return handle
