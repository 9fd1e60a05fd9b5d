"""How soon the fix comes up: candidates in the order of the energy, of the operators, and at random.

    python -m train.mutants split=held count=430 seed=1      # the mutants, with what their tests say (slow)
    python -m eval.patch_order mutants=runs/mutants/held

Measured is the place of the first candidate that gives back the original module's syntax tree: the number of candidate
test runs until then, if no earlier candidate passes (one may, so this is an upper bound; the runs that look at
the unchanged code come on top). Suspicion of lines comes from real runs of the modules' own tests. Packages are those
never seen in training. Mutants whose inverse is not among the candidates count as never fixed in the shares and are
left out of means and medians. The operator order takes suspicious lines one after the other and operators in their
order on each. Intervals are 95 %, from a bootstrap over packages.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.swe.edits import Edit
from hybrid_agent.swe.energy import EditEnergy, load_energy
from hybrid_agent.swe.search import Queue
from train.patch_cases import Case, cases

Floats = NDArray[np.float64]
DRAWS = 20  # random orders of each mutant
RESAMPLES = 1000
WITHIN = (20, 60)
ORDERS = ("energy", "operator", "random")


def energy_place(case: Case, energy: EditEnergy) -> float:
    """Place of the fix in the order that the patch loop follows when no try teaches it anything."""
    values = energy.of(case.rows.astype(np.float32), case.operators)
    edits = [Edit("m", (), operator, int(line)) for operator, line in zip(case.operators, case.lines, strict=True)]
    places = {id(each): at for at, each in enumerate(edits)}
    queue = Queue(edits, values)
    for place in range(1, len(edits) + 1):
        taken = queue.take()
        assert taken is not None
        if case.fixes[places[id(taken)]]:
            return place
        queue.learn(taken, helped=False)
    return float("inf")


def operator_place(case: Case) -> float:
    """Place of the fix among the candidates as they are made."""
    return float(np.flatnonzero(case.fixes)[0] + 1)


def random_places(case: Case, rng: np.random.Generator) -> Floats:
    """Places of the fix in random orders."""
    count, fixes = len(case.fixes), int(case.fixes.sum())
    return np.array([rng.choice(count, fixes, replace=False).min() + 1 for _ in range(DRAWS)], np.float64)


def measure(found: list[Case], energy: EditEnergy) -> dict[str, Any]:
    """Everything the report says."""
    rng = np.random.default_rng(0)
    rows: dict[str, list[Floats]] = {}
    for case in found:
        places = np.full((len(ORDERS), DRAWS), np.nan)
        if case.fixes.any():
            places[0], places[1], places[2] = energy_place(case, energy), operator_place(case), random_places(case, rng)
        rows.setdefault(case.package, []).append(places)
    groups = [np.stack(rows[name]) for name in sorted(rows)]  # package: mutants x orders x draws
    report: dict[str, Any] = {
        "mutants": len(found), "packages": len(groups), "reachable": sum(bool(case.fixes.any()) for case in found),
        "candidates": float(np.mean([len(case.fixes) for case in found])), "orders": {},
    }  # fmt: skip
    for at, order in enumerate(ORDERS):
        report["orders"][order] = {
            "mean": interval(groups, lambda x, o=at: np.nanmean(x[:, o])),
            "median": interval(groups, lambda x, o=at: np.nanmedian(x[:, o])),
            **{f"within_{n}": interval(groups, lambda x, o=at, n=n: np.mean(x[:, o] <= n)) for n in WITHIN},
        }
    for at, other in ((2, "random"), (1, "operator")):
        for name, of in (("mean", np.nanmean), ("median", np.nanmedian)):
            figure = interval(groups, lambda x, f=of, o=at: f(x[:, 0]) / f(x[:, o]))
            report[f"energy_over_{other}_{name}"] = figure
    return report


def interval(groups: list[Floats], figure: Callable[[Floats], Any]) -> list[float]:
    """A figure with the ends of its interval: packages are drawn with all their mutants."""
    rng = np.random.default_rng(0)
    drawn = [
        figure(np.concatenate([groups[at] for at in rng.integers(len(groups), size=len(groups))]))
        for _ in range(RESAMPLES)
    ]
    low, high = np.nanquantile(drawn, (0.025, 0.975))
    return [round(float(figure(np.concatenate(groups))), 3), round(float(low), 3), round(float(high), 3)]


def table(report: dict[str, Any]) -> str:
    """The report for people."""
    head = f"{report['mutants']} mutants of {report['packages']} packages; "
    head += f"the fix is among the candidates of {report['reachable']}"
    lines = [head, f"candidates a mutant: {report['candidates']:.0f}", ""]
    lines.append(f"{'order':10}{'mean':>24}{'median':>24}{'fixed in 20':>24}{'fixed in 60':>24}")
    for order, row in report["orders"].items():
        cells = "".join(f"{_shown(row[name]):>24}" for name in ("mean", "median", "within_20", "within_60"))
        lines.append(f"{order:10}{cells}")
    lines.append("")
    lines += [f"{name}: {_shown(report[name])}" for name in report if name.startswith("energy_over")]
    return "\n".join(lines)


def _shown(value: list[float]) -> str:
    return f"{value[0]:.3g} [{value[1]:.3g}, {value[2]:.3g}]"


def main() -> None:
    """Measure and print; also written as JSON."""
    given = dict(each.partition("=")[::2] for each in sys.argv[1:])
    energy = load_energy()
    folder = Path(given.get("mutants", "runs/mutants/held"))
    found = list(cases(folder, energy.shared, int(given.get("most", "1500"))))
    seen = {case.package for case in found} & set(energy.trained_on["packages"])
    if seen:
        raise SystemExit(f"trained on: {', '.join(sorted(seen))}; these cannot be measured on")
    report = measure(found, energy)
    print(table(report))
    out = Path(given.get("out", "runs/mutants/patch_order.json"))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
