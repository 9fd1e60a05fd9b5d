"""What a trained planner's raw numbers mean: isotonic knots, the deliberation threshold, the tools' marginal."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, ValidationError, model_validator

from hybrid_agent.config.explain import explain
from hybrid_agent.errors import InputError
from hybrid_agent.types import Record


class Knots(Record):
    """A non-decreasing map of [0, 1] into itself, linear between knots (isotonic regression; no knots: identity)."""

    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _goes_up(self) -> Knots:
        if len(self.x) != len(self.y):
            raise ValueError("x and y differ in length")
        if list(self.x) != sorted(self.x) or list(self.y) != sorted(self.y):
            raise ValueError("x and y must not go down")
        return self

    def __call__(self, p: float) -> float:
        """The calibrated probability of a raw one."""
        if not self.x:
            return p
        at = bisect.bisect_left(self.x, p)
        if at == 0:
            return self.y[0]
        if at == len(self.x):
            return self.y[-1]
        x0, x1, y0, y1 = self.x[at - 1], self.x[at], self.y[at - 1], self.y[at]
        return y0 + (y1 - y0) * (p - x0) / (x1 - x0) if x1 > x0 else y1


class Calibration(Record):
    """`planner/calibration.json`.

    `tool_marginal` is how often each tool is right overall: the decoder divides the prior by it. `deliberate` is
    set when its calibrated probability exceeds `deliberate_above`.
    """

    risk: Knots = Knots()
    deliberate: Knots = Knots()
    deliberate_above: float = Field(default=0.5, ge=0, le=1)
    tool_marginal: dict[str, float] = Field(default_factory=dict)
    fitted_on: int = 0


def read_record(path: Path, schema: type[Record]) -> Record:
    """A JSON file as one record.

    Raises:
        InputError: the file is missing or does not fit; names the field.
    """
    try:
        return schema.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read it: {error.strerror}", where=str(path), fix="train it: stage=hrm") from None
    except ValidationError as error:
        raise explain(error, schema, where=str(path)) from None


def knots_of(x: Sequence[float], y: Sequence[float]) -> Knots:
    """Knots from fitted points, rounded for storage."""
    return Knots(x=tuple(round(float(v), 6) for v in x), y=tuple(round(float(v), 6) for v in y))
