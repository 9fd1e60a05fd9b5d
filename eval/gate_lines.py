"""The lines of a release gate: what is measured, the thresholds at each level, and which level is reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from rich.console import Console
from rich.table import Table

from hybrid_agent.config.gates import Level, LevelsConfig, ThresholdsConfig

LEVELS: tuple[Level, ...] = get_args(Level)
# Line -> title, how it is shown, and when a value is good enough.
AT_LEAST, AT_MOST, BELOW = "at least", "at most", "below"
LINES = {
    "os_success": ("OS success", "%", AT_LEAST),
    "code_success": ("code pass@1", "%", AT_LEAST),
    "segment_p95_s": ("p95 a segment", "s", AT_MOST),
    "destructive_outside": ("destructive outside the task", "", AT_MOST),
    "rollback": ("rollback", "%", AT_LEAST),
    "scorer_auc": ("energy model AUC", "auc", AT_LEAST),
    "human_overrides": ("human overrides", "%", BELOW),
}


@dataclass(frozen=True)
class Measured:
    """A figure (None: not measured) with what it rests on."""

    value: float | None
    basis: str


@dataclass(frozen=True)
class Line:
    """One line of the gate."""

    key: str
    measured: Measured
    thresholds: LevelsConfig

    @property
    def reached(self) -> Level | None:
        """The highest level such that it and all below are reached."""
        found: Level | None = None
        for level in LEVELS:
            if not self.passes(level):
                break
            found = level
        return found

    def passes(self, level: Level) -> bool:
        """Whether the figure is good enough; a figure that is not there never is."""
        value, threshold = self.measured.value, getattr(self.thresholds, level)
        if value is None:
            return False
        rule = LINES[self.key][2]
        return bool(
            value >= threshold if rule == AT_LEAST else value <= threshold if rule == AT_MOST else value < threshold
        )

    def missing(self, level: Level) -> float | None:
        """How much better the figure would have to be; 0 if it is good enough, None if there is none."""
        if self.measured.value is None:
            return None
        return 0.0 if self.passes(level) else abs(getattr(self.thresholds, level) - self.measured.value)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "line": self.key,
            "value": self.measured.value,
            "basis": self.measured.basis,
            "thresholds": self.thresholds.model_dump(),
            "reached": self.reached,
            "missing": {level: self.missing(level) for level in LEVELS},
        }


def lines(measured: dict[str, Measured], thresholds: ThresholdsConfig) -> list[Line]:
    """All lines in their order; what was not measured is not reached."""
    absent = Measured(None, "not measured")
    return [Line(key, measured.get(key, absent), getattr(thresholds, key)) for key in LINES]


def show(found: Sequence[Line], level: Level, console: Console) -> None:
    """The table, what each figure rests on, and how far the line is from prod."""
    table = Table("", "measured", *LEVELS, level + "?", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for line in found:
        title, unit, rule = LINES[line.key]
        sign = {AT_LEAST: ">=", AT_MOST: "<=", BELOW: "<"}[rule]
        table.add_row(
            title,
            shown(line.measured.value, unit),
            *(f"{sign} {shown(getattr(line.thresholds, each), unit)}" for each in LEVELS),
            "pass" if line.passes(level) else "FAIL",
        )
    console.print(table)
    for line in found:
        title, unit, _ = LINES[line.key]
        far = line.missing("prod")
        reached = "prod reached" if line.passes("prod") else f"prod: {shown(far, unit)} short"
        prod = "no figure" if far is None else reached
        console.print(f"{title}: {line.measured.basis}; {prod}", soft_wrap=True)


def shown(value: float | None, unit: str) -> str:
    """A figure as people read it."""
    if value is None:
        return "-"
    if unit == "%":
        return f"{100 * value:.1f} %"
    return f"{value:.2f} s" if unit == "s" else f"{value:.3f}" if unit == "auc" else f"{value:.0f}"
