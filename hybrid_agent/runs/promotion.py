"""Which bundle serves: a journal of promotions, and a pointer that is derived from it.

ROOT/promotions.jsonl   one line an event, only ever added to; the truth
ROOT/serving.json       the bundle that serves now; written after the journal, mended from it after a kill in between
ROOT/bundles/HASH/      promoted bundles as they were (hard links where possible), so that a rollback finds them
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal

from pydantic import ValidationError

from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import file_hash, write_json
from hybrid_agent.runs.manifest import MANIFEST, read_manifest
from hybrid_agent.types import Record

POINTER, JOURNAL, KEPT = "serving.json", "promotions.jsonl", "bundles"
SHIPPED = "shipped"
COMMAND = "python -m eval.canary"


class Served(Record):
    """A bundle that serves: `shipped` or its folder (relative to the pointer's, where it lies below it), and the
    SHA-256 of its manifest."""

    bundle: str
    manifest: str

    def folder(self, root: Path) -> Path | None:
        """Where it lies; None for the shipped one."""
        return None if self.bundle == SHIPPED else root / self.bundle


class Event(Record):
    """One line of the journal. `start` is what served before the first promotion; `record` the run of the canary."""

    number: int
    what: Literal["start", "promoted", "refused", "rolled_back"]
    bundle: Served
    against: str | None = None
    record: str | None = None
    reasons: tuple[str, ...] = ()
    at: str


class Pointer(Record):
    """What serving.json holds. `number` is the event that put it there."""

    format: Literal[1] = 1
    serving: Served
    number: int
    record: str | None = None


class Promotions:
    """The journal of a folder, locked while it is open: `with Promotions(root) as book`.

    Raises (on entering):
        InputError: the journal is damaged.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def __enter__(self) -> Promotions:
        self.root.mkdir(parents=True, exist_ok=True)
        self._file = (self.root / JOURNAL).open("a+b")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            self._drop_torn_line()
            self.events = read_events(self.root)
            self._point()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def serving(self) -> Served | None:
        """What serves now; None if nothing was ever promoted."""
        stack = _stack(self.events)
        return stack[-1].bundle if stack else None

    def promote(self, bundle: Served, *, start: Served, record: str | None = None) -> None:
        """Let a bundle serve from now on. `start` is what serves if nothing was promoted before."""
        if self.serving is None:
            self._add("start", start)
        against = self.serving
        assert against is not None
        self._add("promoted", bundle, against=against.manifest, record=record)

    def refuse(self, bundle: Served, *, against: str, reasons: Iterable[str], record: str | None = None) -> None:
        """Note that a bundle was not promoted, and why."""
        self._add("refused", bundle, against=against, record=record, reasons=tuple(reasons))

    def roll_back(self) -> Served:
        """Let the bundle serve that served before the last promotion.

        Raises:
            InputError: there is none, or it is no longer what it was.
        """
        stack = _stack(self.events)
        if len(stack) < 2:
            raise InputError("there is no promotion to take back", where=str(self.root / JOURNAL))
        before = stack[-2].bundle
        checked(before, self.root)
        self._add("rolled_back", before, against=stack[-1].bundle.manifest)
        return before

    def keep(self, folder: Path, digest: str) -> Served:
        """A copy of a bundle's files under the root: hard links where the file system allows.

        Raises:
            InputError: a file is not the one that the manifest was written for.
        """
        target = self.root / KEPT / digest[:16]
        if not (target / MANIFEST).is_file():
            manifest = read_manifest(folder)
            temp = target.with_name(f".{target.name}.{os.getpid()}")
            shutil.rmtree(temp, ignore_errors=True)
            for name in (*manifest.files, MANIFEST):
                (temp / name).parent.mkdir(parents=True, exist_ok=True)
                _link(folder / name, temp / name)
            shutil.rmtree(target, ignore_errors=True)  # what a killed copy left
            temp.rename(target)
        return Served(bundle=target.relative_to(self.root).as_posix(), manifest=digest)

    def _add(
        self,
        what: Literal["start", "promoted", "refused", "rolled_back"],
        bundle: Served,
        *,
        against: str | None = None,
        record: str | None = None,
        reasons: tuple[str, ...] = (),
    ) -> None:
        event = Event(
            number=len(self.events) + 1,
            what=what,
            bundle=bundle,
            against=against,
            record=record,
            reasons=reasons,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        self._file.write(event.model_dump_json().encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.events.append(event)
        self._point()

    def _point(self) -> None:
        """Make the pointer say what the journal says."""
        stack = _stack(self.events)
        if not stack:
            return
        top = stack[-1]
        wanted = Pointer(serving=top.bundle, number=top.number, record=top.record)
        try:
            there: Pointer | None = read_pointer(self.root / POINTER)
        except InputError:
            there = None
        if there != wanted:
            write_json(self.root / POINTER, wanted.model_dump())

    def _drop_torn_line(self) -> None:
        """A kill in the middle of a write leaves half a line: it never counted."""
        self._file.seek(0)
        data = self._file.read()
        whole = data.rpartition(b"\n")[0]
        keep = len(whole) + 1 if b"\n" in data else 0
        if keep != len(data):
            self._file.truncate(keep)


def read_events(root: Path) -> list[Event]:
    """The journal, oldest first; a torn last line is not yet an event.

    Raises:
        InputError: a line is damaged.
    """
    path = root / JOURNAL
    if not path.is_file():
        return []
    events = []
    for number, line in enumerate(path.read_bytes().rpartition(b"\n")[0].split(b"\n"), 1):
        if not line:
            continue
        try:
            events.append(Event.model_validate_json(line))
        except ValidationError as error:
            what = error.errors(include_url=False)[0]["msg"]
            raise InputError(what, where=f"{path}:{number}", fix="restore the journal") from None
    return events


def read_pointer(file: Path) -> Pointer:
    """What serves, by its pointer file.

    Raises:
        InputError: nothing was promoted yet, or the file is damaged.
    """
    if not file.is_file():
        fix = f"promote one: {COMMAND} candidate=BUNDLE; or use decoder=tiny, the shipped one"
        raise InputError("no bundle was promoted yet", where=str(file), fix=fix)
    try:
        return Pointer.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(first["msg"], where=str(file), field=field, fix=f"mend it: {COMMAND} --history") from None


def checked(served: Served, root: Path) -> Path | None:
    """The folder of a bundle that serves; None for the shipped one. Its manifest is the one that was promoted.

    Raises:
        InputError: it is gone or was replaced.
    """
    folder = served.folder(root)
    if folder is None:
        return None
    file = folder / MANIFEST
    fix = f"restore it, or go back: {COMMAND} --rollback"
    if not file.is_file():
        raise InputError("the promoted bundle is gone", where=str(folder), fix=fix)
    if file_hash(file) != served.manifest:
        raise InputError("this is not the bundle that was promoted", where=str(folder), fix=fix)
    return folder


def _stack(events: Iterable[Event]) -> list[Event]:
    """The promotions in force, oldest first."""
    stack: list[Event] = []
    for event in events:
        if event.what in ("start", "promoted"):
            stack.append(event)
        elif event.what == "rolled_back":
            stack.pop()
    return stack


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
