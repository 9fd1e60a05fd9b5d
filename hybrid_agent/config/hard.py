"""Schema of `configs/hard.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from hybrid_agent.errors import InputError
from hybrid_agent.types import Record


class HardConfig(Record):
    """What of `data` goes to `out`.

    `by=sequence`: those that `decoder` gets wrong with `weight` times their weight, and a share of the `others` as they
    are. `by=wording`: a `sample` is looked at, and all sequences of a wording are kept by how often it goes wrong:
    `others` of them if never, all from a quarter on; their weight is up to `weight` times what it was.
    """

    data: str | None = None
    out: str | None = None
    decoder: str = Field(default="bundle", min_length=1)
    by: Literal["sequence", "wording"] = "sequence"
    sample: float = Field(default=0.25, gt=0, le=1)
    weight: float = Field(default=3.0, gt=0, le=100)
    others: float = Field(default=0.25, ge=0, le=1)
    batch_tokens: int = Field(default=8192, ge=256)
    threads: int = Field(default=0, ge=0, le=256)
    seed: int = 0
    runs: str = "runs"

    def files(self) -> tuple[Path, Path]:
        """(data, out).

        Raises:
            InputError: one is not given, they are the same, or `out` is no place for sequences.
        """
        if self.data is None or self.out is None:
            raise InputError("nothing given", field="data" if self.data is None else "out", fix="data=FILE out=FILE")
        data, out = Path(self.data), Path(self.out)
        if not out.name.endswith((".jsonl", ".jsonl.gz")):
            raise InputError("must end in .jsonl or .jsonl.gz", where=str(out), field="out")
        if data.resolve() == out.resolve():
            raise InputError("is the data itself", where=str(out), field="out", fix="choose another file")
        return data, out


SCHEMA = HardConfig
