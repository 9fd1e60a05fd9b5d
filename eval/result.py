"""One task's result, as it is stored (one JSON line a task)."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from hybrid_agent.config.explain import explain
from hybrid_agent.errors import InputError
from hybrid_agent.types import Record


class FailedCheck(Record):
    """A judge's check that did not hold."""

    check: str
    detail: str = ""


class TaskResult(Record):
    """What happened with one task.

    `success` is the judge's word (all checks pass), `verified` the agent's own. `infra` marks trouble that was
    not the agent's: such a result is masked. `segment_ms` holds one entry a turn: planning, decoding, scoring.
    `destructive_outside` counts destructive calls that ran although the task did not ask for them. `tokens` and
    `forced` count those of all candidates. `ks` is the number of candidates asked for, one entry a turn; `overruled`
    counts turns in which another than the first (greedy) candidate was taken, `early` those that ended on the margin,
    `cancelled` candidates that were not finished then, `vetoed` candidates stopped by their energy. `experts` counts
    the turns that each expert wrote, `drafted` and `accepted` guessed tokens (speculation).
    """

    task_id: str
    pack: str
    family: str
    split: str
    goal: str
    success: bool
    verified: bool
    status: str
    summary: str = ""
    infra: bool = False
    turns: int = 0
    tokens: int = 0
    forced: int = 0
    invalid: int = 0
    denied: int = 0
    destructive: int = 0
    destructive_outside: int = 0
    ks: tuple[int, ...] = ()
    overruled: int = 0
    early: int = 0
    cancelled: int = 0
    vetoed: int = 0
    experts: dict[str, int] = Field(default_factory=dict)
    drafted: int = 0
    accepted: int = 0
    segment_ms: tuple[float, ...] = ()
    tool_ms: tuple[float, ...] = ()
    episode_ms: float = 0.0
    failed_checks: tuple[FailedCheck, ...] = ()
    trace: str = ""


def read_results(path: Path) -> dict[str, TaskResult]:
    """Results by task id; the last line of an id counts, a torn last line is dropped.

    Raises:
        InputError: a line is not a result; names it.
    """
    results: dict[str, TaskResult] = {}
    if not path.is_file():
        return results
    whole = path.read_bytes().rpartition(b"\n")[0]
    for number, line in enumerate(whole.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            result = TaskResult.model_validate_json(line)
        except ValidationError as error:
            raise explain(error, TaskResult, where=f"{path}:{number}") from None
        results[result.task_id] = result
    return results


__all__ = ["FailedCheck", "InputError", "TaskResult", "read_results"]
