"""Labelled candidates: what the energy model learns from. One JSON line a context.

A context is one window with several candidate calls, each labelled by what happened when it was executed.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, TextIO, cast

from pydantic import Field, ValidationError

from hybrid_agent.errors import InputError
from hybrid_agent.types import Record, Segment, Verdict, Window

Label = Literal["pass", "plausible_fail", "policy_violation", "flaky", "infra_failure"]
Stratum = Literal["gold", "sampled", "near_miss", "wrong_state", "hazard", "plan", "code_mutant"]
Domain = Literal["code", "shell", "editor"]


class Candidate(Record):
    """One executed candidate.

    `segment` carries text, logprob, entropy and low as the decoder gave them; of what it did not write (any stratum but
    `sampled`), as it reads that text. `verdict` is the gate's answer before execution; `detail` says what was seen.
    """

    segment: Segment
    label: Label
    stratum: Stratum
    verdict: Verdict | None = None
    detail: str = ""


class Context(Record):
    """One window and its candidates. `group` ties contexts of one task together (splits are by group)."""

    id: str
    task_id: str
    pack: str
    intents: tuple[str, ...]
    group: str
    domain: Domain
    window: Window
    candidates: tuple[Candidate, ...] = Field(min_length=1)


def read_contexts(path: Path) -> Iterator[Context]:
    """Read a contexts file (.jsonl or .jsonl.gz).

    Raises:
        InputError: no such file, or a line that is not a context (names the line).
    """
    if not path.is_file():
        raise InputError("no such contexts file", where=str(path), fix="make one: hybrid-agent traces build")
    with _opened(path, "rt") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield Context.model_validate_json(line)
            except ValidationError as error:
                what = error.errors(include_url=False)[0]
                field = ".".join(str(part) for part in what["loc"])
                raise InputError(what["msg"], where=f"{path}:{number}", field=field, fix="build it anew") from None


def write_contexts(path: Path, contexts: Iterable[Context]) -> int:
    """Write a contexts file (gzip if it ends in .gz); returns how many."""
    count = 0
    with _opened(path, "wt") as out:
        for context in contexts:
            out.write(context.model_dump_json(exclude_defaults=True) + "\n")
            count += 1
    return count


class _Packed(gzip.GzipFile):
    """A gzip file being written, without name and time in its header; closes the file beneath it."""

    def __init__(self, path: Path) -> None:
        self._beneath = path.open("wb")
        super().__init__(filename="", mode="wb", fileobj=self._beneath, mtime=0)

    def close(self) -> None:
        """Finish the stream and the file."""
        super().close()
        self._beneath.close()


def _opened(path: Path, mode: Literal["rt", "wt"]) -> TextIO:
    """The file as text, through gzip if its name ends in .gz (equal contexts give equal bytes: no name, no time)."""
    if path.suffix == ".gz" and mode == "wt":
        return io.TextIOWrapper(_Packed(path), encoding="utf-8")
    if path.suffix == ".gz":
        return cast(TextIO, gzip.open(path, mode, encoding="utf-8"))
    return cast(TextIO, path.open(mode, encoding="utf-8"))
