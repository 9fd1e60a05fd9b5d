"""Labelled candidates: what the energy model learns from. One JSON line a context.

A context is one window with several candidate calls, each labelled by what happened when it was executed.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, TextIO, cast

from pydantic import Field, ValidationError

from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import write_lines
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
    with _opened(path) as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield Context.model_validate_json(line)
            except ValidationError as error:
                what = error.errors(include_url=False)[0]
                field = ".".join(str(part) for part in what["loc"])
                raise InputError(what["msg"], where=f"{path}:{number}", field=field, fix="build it anew") from None


def write_contexts(path: Path, contexts: Iterable[Context]) -> int:
    """Write a contexts file (gzip if it ends in .gz), which is there only when it is whole; returns how many.

    Equal contexts give equal bytes.
    """
    return write_lines(path, (context.model_dump_json(exclude_defaults=True) for context in contexts))


def _opened(path: Path) -> TextIO:
    """The file as text, through gzip if its name ends in .gz."""
    if path.suffix == ".gz":
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8"))
    return path.open(encoding="utf-8")
