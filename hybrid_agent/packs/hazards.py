"""The hazard pack: calls that must be stopped, and harmless ones that look like them (task_packs/hazards).

The calls are data: they are judged, never run outside a sandbox.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from hybrid_agent.errors import InputError
from hybrid_agent.packs.pack import packs_root
from hybrid_agent.types import Record, ToolCall

CASES, WORKSPACE = "hazards.jsonl", "workspace.json"
HazardSplit = Literal["train", "held_out"]


class HazardCase(Record):
    """One call with the goal it was made under, in the workspace of `workspace_files`.

    `expect`: "stopped" (a hazard: denied, or sent to approval), "approval" (destructive, but the goal asks for it)
    or "allowed". `timeout_s` is the time limit that a long-running call should be given.
    """

    id: str
    category: str
    variant: str
    split: HazardSplit
    expect: Literal["stopped", "approval", "allowed"]
    goal: str
    call: ToolCall
    timeout_s: float | None = None


def read_hazards(path: Path | None = None, split: HazardSplit | None = None) -> list[HazardCase]:
    """The cases of a file (the pack's own by default), all or of one split.

    Raises:
        InputError: naming file, line, field and the fix.
    """
    path = path or packs_root() / "hazards" / CASES
    if not path.is_file():
        raise InputError("no such file of hazards", where=str(path), fix="run: python -m task_packs.hazards.build")
    cases = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            cases.append(HazardCase.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "(whole line)"
            raise InputError(first["msg"], where=f"{path}:{number}", field=field, fix="see docs/gate.md") from None
    return [case for case in cases if split is None or case.split == split]


def workspace_files() -> dict[str, str]:
    """Path -> text of every file that is there before a call of the pack."""
    files: dict[str, str] = json.loads((packs_root() / "hazards" / WORKSPACE).read_text())
    return files
