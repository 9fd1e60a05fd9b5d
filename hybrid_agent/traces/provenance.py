"""What a folder of labelled rollouts was made from; written beside the data, last.

FOLDER/contexts.jsonl.gz | index.jsonl    the data
FOLDER/provenance.json                    this record; without it the build is not complete
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import file_hash, write_json
from hybrid_agent.types import Record, Split

PROVENANCE, CONTEXTS, EPISODES = "provenance.json", "contexts.jsonl.gz", "index.jsonl"
FORMAT = 1


class Provenance(Record):
    """`seeds` maps packs to [first, stop); `counts` are label counts by domain and stratum; `files` holds hashes."""

    format: int = FORMAT
    what: str
    split: Split
    decoder: str
    decoder_hash: str
    packs: dict[str, str]
    seeds: dict[str, tuple[int, int]] = Field(default_factory=dict)
    seed: int = 0
    code_hash: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    counts: dict[str, dict[str, dict[str, int]]] = Field(default_factory=dict)
    records: int = 0
    left_out: dict[str, int] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)


def write_provenance(folder: Path, provenance: Provenance, files: Sequence[str]) -> Provenance:
    """Hash the files and write the record, as the last act of a build."""
    full = provenance.model_copy(update={"files": {name: file_hash(folder / name) for name in sorted(files)}})
    write_json(folder / PROVENANCE, full.model_dump(mode="json"))
    return full


def read_provenance(path: Path) -> Provenance:
    """The record of a folder (or of a data file in it).

    Raises:
        InputError: the build is not complete, or the record is damaged.
    """
    file = (path if path.is_dir() else path.parent) / PROVENANCE
    if not file.is_file():
        raise InputError(
            "no provenance.json: this build is not complete", where=str(file.parent), fix="run the same build again"
        )
    try:
        return Provenance.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(first["msg"], where=str(file), field=field, fix="build it anew") from None


def data_file(path: Path, *, splits: Sequence[Split] | None = None) -> Path:
    """The contexts file of a folder (a file is taken as it is), if its split is one of those allowed.

    Training passes `splits=("train",)`, tuning adds `val`; test splits are for reports alone.

    Raises:
        InputError: no such data, or it was made from another split.
    """
    file = path / CONTEXTS if path.is_dir() else path
    if not file.is_file():
        raise InputError("no such contexts file", where=str(file), fix="make one: hybrid-agent traces build")
    if splits is not None:
        split = read_provenance(path).split
        if split not in splits:
            allowed = " or ".join(splits)
            raise InputError(f"made from the split {split}", where=str(path), fix=f"use data of {allowed} here")
    return file
