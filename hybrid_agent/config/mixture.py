"""Schema of `stage.mixture` and `stage.stream`: what a streamed training run reads, and how."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from hybrid_agent.types import Record

Format = Literal["sequences", "episodes", "contexts", "messages", "completion", "text"]


class SourceConfig(Record):
    """One source. `path` is a JSONL file (.jsonl, .jsonl.gz), else what `datasets` reads: a folder, a .parquet,
    .arrow or .json file, or a hub id (with `subset`, `revision`, `split`).

    `weight` is its share of the records drawn, beside the other sources' weights. `columns` says what the fields of
    the format are called in the data, e.g. `{messages: conversations}`. `kind` names it in figures.
    """

    path: str = Field(min_length=1)
    format: Format = "sequences"
    weight: float = Field(default=1.0, gt=0)
    kind: str = ""
    split: str = "train"
    subset: str | None = None
    revision: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)


class ScreenConfig(Record):
    """What counts as contaminated (see train.ngrams). `against` names packs (their test splits) and SWE-bench rows
    (file, folder, hub id or alias).

    Runs of `words` words are compared. A record goes if it holds `share` of those of a held-out text, or as many as
    `run` words copied in one piece have; of a solution it takes `whole`. Shorter texts must be there in full; those
    under `least` words are not looked for. Runs that `common` or more held-out texts share say nothing.
    """

    against: tuple[str, ...] = Field(min_length=1)
    words: int = Field(default=13, ge=3, le=100)
    share: float = Field(default=0.3, gt=0, le=1)
    run: int = Field(default=32, ge=3)
    whole: float = Field(default=0.9, gt=0, le=1)
    least: int = Field(default=6, ge=1)
    common: int = Field(default=10, ge=2)

    @model_validator(mode="after")
    def _fits(self) -> ScreenConfig:
        if self.run < self.words:
            raise ValueError("run cannot be shorter than words")
        return self


class StreamConfig(Record):
    """How a mixture is read. `block` records are shuffled, packed and batched together: memory, quality of the shuffle
    and the work done again on a resume grow with it.

    With `pack` rows of `row_tokens` (0: the model's context) are filled with several sequences that do not see each
    other. `val_share` of the stage holds records out by a hash of their text; at most `val_records` are kept.
    """

    block: int = Field(default=2048, ge=1)
    pack: bool = True
    row_tokens: int = Field(default=0, ge=0)
    val_records: int = Field(default=512, ge=1)
    decontaminate: ScreenConfig | None = None
