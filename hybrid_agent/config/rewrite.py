"""Commands that read a file of sequences and write another one."""

from __future__ import annotations

from pathlib import Path

from hybrid_agent.errors import InputError
from hybrid_agent.types import Record


class RewriteConfig(Record):
    """`data` is read, `out` is written."""

    data: str | None = None
    out: str | None = None

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
