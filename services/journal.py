"""What a session's calls did, kept on disk, so that a call which is sent twice acts once.

A line is written before a call acts and another when it is done. A key with both has its observation; one with the
first only was cut off by the service's death, and what it may have done is known to be after its snapshot.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_agent.errors import SandboxError
from hybrid_agent.types import Observation, Verdict


@dataclass(frozen=True)
class Begun:
    """A call that was started. `call` is its JSON; `snapshot` was taken before it, if it may change anything; `verdict`
    is what the gate had said."""

    call: str
    snapshot: str | None
    verdict: Verdict | None = None


class Journal:
    """The calls of one session. Not for use by several threads at once.

    Args:
        path: a file of lines; made if it is not there.

    Raises:
        SandboxError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begun: dict[str, Begun] = {}
        self._done: dict[str, Observation] = {}
        self.plan: tuple[Sequence[str], int] = ((), 0)
        try:
            lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
            for at, line in enumerate(lines):
                if not line.endswith(b"\n"):  # cut off in the middle of writing: it was never answered
                    os.truncate(path, sum(len(one) for one in lines[:at]))
                    break
                self._read(json.loads(line))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SandboxError(f"the session's journal is damaged: {error}") from None

    def done(self, key: str) -> Observation | None:
        """What the call of that key said, if it was done."""
        return self._done.get(key)

    def begun(self, key: str) -> Begun | None:
        """The call of that key, if it was started."""
        return self._begun.get(key)

    def acting(self) -> list[Begun]:
        """The calls that could change something, in order."""
        return [begun for begun in self._begun.values() if begun.snapshot is not None]

    def forget_after(self, acting: int) -> None:
        """Forget all but the first `acting` calls that could change something, and what came after them."""
        seen = 0
        for key, begun in list(self._begun.items()):
            seen += begun.snapshot is not None
            if seen > acting:
                self._write({"forget": key})

    def begin(self, key: str, begun: Begun) -> None:
        """About to act."""
        row: dict[str, Any] = {"begin": key, "call": begun.call, "snapshot": begun.snapshot}
        if begun.verdict is not None:
            row["verdict"] = begun.verdict.model_dump(mode="json")
        self._write(row)

    def end(self, key: str, observation: Observation, plan: tuple[Sequence[str], int]) -> None:
        """It has acted; `plan` are the steps of the plan now, and how many are done."""
        row = {"end": key, "observation": observation.model_dump(mode="json")}
        if (tuple(plan[0]), plan[1]) != (tuple(self.plan[0]), self.plan[1]):
            row["plan"] = [list(plan[0]), plan[1]]
        self._write(row)

    def _write(self, row: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=True, separators=(",", ":")) + "\n")
        self._read(row)

    def _read(self, row: dict[str, Any]) -> None:
        if "begin" in row:
            verdict = Verdict.model_validate(row["verdict"]) if "verdict" in row else None
            self._begun[row["begin"]] = Begun(row["call"], row["snapshot"], verdict)
            return
        if "forget" in row:
            self._begun.pop(row["forget"], None)
            self._done.pop(row["forget"], None)
            return
        self._done[row["end"]] = Observation.model_validate(row["observation"])
        if "plan" in row:
            self.plan = tuple(row["plan"][0]), row["plan"][1]
