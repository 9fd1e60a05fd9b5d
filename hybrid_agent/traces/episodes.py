"""The index of whole episodes: which trace is of which task, and what the judge said. One JSON line an episode."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from hybrid_agent.errors import InputError
from hybrid_agent.traces.contexts import Label
from hybrid_agent.traces.provenance import EPISODES
from hybrid_agent.types import Record, Split


class EpisodeEntry(Record):
    """One stored episode.

    `trace` is relative to the index. `how` is `greedy` or the temperature. `label` is the judge's: `pass` means that
    all its checks hold, `flaky` that the same calls gave another result when they were made again.
    """

    trace: str
    task_id: str
    pack: str
    split: Split
    intents: tuple[str, ...]
    group: str
    how: str
    temperature: float
    seed: int
    label: Label
    status: str
    verified: bool
    turns: int
    tokens: int
    denied: int
    invalid: int
    detail: str = ""


def read_index(path: Path) -> Iterator[EpisodeEntry]:
    """Read the index of a folder (or an index file).

    Raises:
        InputError: no such file, or a line that is not an entry.
    """
    file = path / EPISODES if path.is_dir() else path
    if not file.is_file():
        fix = "make one: hybrid-agent traces build what=episodes"
        raise InputError("no index of episodes", where=str(file), fix=fix)
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            yield EpisodeEntry.model_validate_json(line)
        except ValidationError as error:
            what = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in what["loc"])
            raise InputError(what["msg"], where=f"{file}:{number}", field=field, fix="build it anew") from None
