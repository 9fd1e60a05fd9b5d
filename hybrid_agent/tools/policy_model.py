"""The policy classifier of the gate: allow a call, fill in its time limit, or deny it.

Logistic regression on hashed features (hybrid_agent.tools.policy_features), calibrated by Platt's method (Platt 1999).
It runs after the hard rules, can only make them stricter, and loads with numpy alone. `train.stages.gate` trains it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError, model_validator

from hybrid_agent.errors import InputError
from hybrid_agent.tools.policy_features import DIM, Situation, indices, strongest
from hybrid_agent.tools.tool import Tool
from hybrid_agent.types import CallPolicy, Record, ToolCall

BUCKETS = (0.0, 60.0, 120.0, 300.0, 600.0)  # seconds; 0 leaves the tool's default
FORMAT = 1
RUNS = ("shell", "exec_code")


@dataclass(frozen=True)
class Decision:
    """What the classifier says. `p` is the probability that the call is a hazard; `timeout_s` only with "fill"."""

    action: Literal["allow", "fill", "deny"]
    p: float
    timeout_s: float | None = None
    reason: str = ""


class GateFile(Record):
    """gate.json. `deny` has DIM weights, `fill` one row of DIM for each bucket after the first.

    `threshold` is for calls that the rules found harmless, `approval_threshold` for those that need approval anyway:
    there the classifier must be surer, because it is not the last to look.
    """

    format: Literal[1] = 1
    dim: Literal[4096] = 4096
    threshold: float = Field(gt=0, le=1)
    approval_threshold: float = Field(gt=0, le=1)
    scale: float = Field(gt=0)
    shift: float
    bias: float
    deny: tuple[float, ...]
    fill_bias: tuple[float, ...]
    fill: tuple[tuple[float, ...], ...]
    fill_threshold: float = Field(gt=0, le=1)

    @model_validator(mode="after")
    def _sizes(self) -> GateFile:
        rows = len(BUCKETS) - 1
        if len(self.deny) != DIM or len(self.fill) != rows or any(len(row) != DIM for row in self.fill):
            raise ValueError(f"deny must have {DIM} weights and fill {rows} rows of {DIM}")
        if len(self.fill_bias) != rows:
            raise ValueError(f"fill_bias must have {rows} numbers")
        return self


class PolicyModel:
    """A loaded classifier; safe to share between threads."""

    def __init__(self, data: GateFile) -> None:
        self.data = data
        self._deny: npt.NDArray[np.float64] = np.asarray(data.deny)
        self._fill: npt.NDArray[np.float64] = np.asarray(data.fill)
        self._fill_bias: npt.NDArray[np.float64] = np.asarray(data.fill_bias)

    @classmethod
    def load(cls, path: Path) -> PolicyModel:
        """Read gate.json (or the folder that holds it).

        Raises:
            InputError: there is no such file, or it is not a gate.
        """
        path = path / "gate.json" if path.is_dir() else path
        try:
            return cls(GateFile.model_validate(json.loads(path.read_text())))
        except FileNotFoundError:
            raise InputError("no such gate", where=str(path), fix="run: make train-stage STAGE=gate") from None
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise InputError(first["msg"], where=str(path), field=field, fix="train the gate again") from None
        except (ValueError, OSError) as error:
            raise InputError(f"cannot be read: {error}", where=str(path), fix="train the gate again") from None

    def risk(self, situation: Situation) -> float:
        """The calibrated probability that a call is a hazard, in 0..1."""
        return self._risk(indices(situation))

    def decide(self, situation: Situation, tool: Tool) -> Decision:
        """Judge a call that the rules let through; `tool` gives the default limits."""
        found = indices(situation)
        p = self._risk(found)
        flagged = situation.findings is not None and situation.findings.destroys is not None
        if p >= (self.data.approval_threshold if flagged else self.data.threshold):
            return Decision("deny", p, reason=self._reason(situation))
        limit = self._limit(situation.call, found, tool)
        return Decision("fill", p, limit) if limit is not None else Decision("allow", p)

    def _risk(self, found: npt.NDArray[np.int64]) -> float:
        score = self.data.scale * (float(self._deny[found].sum()) + self.data.bias) + self.data.shift
        return float(1.0 / (1.0 + np.exp(-np.clip(score, -60, 60))))

    def _limit(self, call: ToolCall, found: npt.NDArray[np.int64], tool: Tool) -> float | None:
        """Seconds to fill in, if the call brings no limit of its own and needs more than the tool's default."""
        if call.tool not in RUNS or call.policy not in (CallPolicy(), tool.policy):
            return None
        scores = np.concatenate([[0.0], self._fill[:, found].sum(axis=1) + self._fill_bias])
        odds = np.exp(scores - scores.max())
        odds /= odds.sum()
        if 1.0 - odds[0] < self.data.fill_threshold:
            return None
        limit = BUCKETS[1 + int(odds[1:].argmax())]
        return limit if limit > tool.policy.timeout_s else None

    def _reason(self, situation: Situation) -> str:
        found = situation.findings
        named = (found.denied or found.destroys) if found else None
        what = named[1] if named else "this looks like a hazard (" + ", ".join(strongest(situation, self._deny)) + ")"
        return f"{what}; the goal does not ask for it: find a way that keeps what is there"
