"""From predictions files to one chosen patch for each instance."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import write_json
from hybrid_agent.swe.bench.predictions import Prediction
from hybrid_agent.swe.rerank.choice import Gains, best, gains
from hybrid_agent.swe.rerank.energy import PatchEnergy, Pool, fit, held_out_energies, held_out_probabilities
from hybrid_agent.swe.rerank.features import NAMES, Evidence, pool_features
from hybrid_agent.swe.rerank.pools import Candidate, Labels, Pools

Floats = NDArray[np.float64]
Looker = Callable[[Mapping[str, Any], Sequence[str]], list[Evidence]]


@dataclass(frozen=True)
class Ranked:
    """One instance: its candidates with figures, energies and probabilities; `chosen` is the place of the best."""

    instance_id: str
    candidates: Sequence[Candidate]
    features: Floats
    energies: Floats
    probabilities: Floats
    labels: NDArray[np.bool_] | None = None
    evidence: Sequence[Evidence] = field(default_factory=tuple)

    @property
    def chosen(self) -> int:
        """The candidate of least energy."""
        return best(self.energies)

    def as_json(self) -> list[dict[str, Any]]:
        """One object a candidate."""
        return [
            {
                **candidate.prediction.as_json(),
                "file": candidate.source,
                "energy": round(float(self.energies[n]), 6),
                "p": round(float(self.probabilities[n]), 6),
                "chosen": n == self.chosen,
                **({"resolved": bool(self.labels[n])} if self.labels is not None else {}),
                "features": {name: round(float(v), 4) for name, v in zip(NAMES, self.features[n], strict=True) if v},
            }
            for n, candidate in enumerate(self.candidates)
        ]


def rank(
    pools: Pools,
    energy: PatchEnergy,
    rows: Mapping[str, Mapping[str, Any]] | None = None,
    look: Looker | None = None,
    labels: Labels | None = None,
    workers: int = 1,
) -> list[Ranked]:
    """Score every candidate of every instance.

    Args:
        pools: candidates by instance.
        energy: the model.
        rows: of the data set by instance, for statements and repositories.
        look: gathers evidence in the repository.
        labels: kept with the candidates; never used for the scores.
        workers: instances that are looked at together.
    """

    def seen(instance: str) -> list[Evidence] | None:
        row = (rows or {}).get(instance)
        return look(row, [each.prediction.patch for each in pools[instance]]) if look and row else None

    with ThreadPoolExecutor(workers) as threads:
        told = dict(zip(pools, threads.map(seen, pools), strict=True))
    found = []
    for instance, candidates in pools.items():
        evidence = told[instance]
        statement = str((rows or {}).get(instance, {}).get("problem_statement") or "")
        features = pool_features([candidate.prediction.patch for candidate in candidates], statement, evidence)
        known = [(labels or {}).get((candidate.source, instance)) for candidate in candidates]
        marks = None if any(mark is None for mark in known) else np.array(known, dtype=bool)
        scored = (energy.energies(features), energy.probabilities(features))
        found.append(Ranked(instance, candidates, features, *scored, marks, tuple(evidence or ())))
    return found


def chosen_predictions(ranked: Sequence[Ranked], model: str) -> list[Prediction]:
    """The best patch of each instance under one model name."""
    return [Prediction(each.instance_id, model, each.candidates[each.chosen].prediction.patch) for each in ranked]


def labelled_gains(ranked: Sequence[Ranked]) -> Gains | None:
    """How good the choice was, over the instances whose candidates all have labels; None without any."""
    known = [(each, each.labels) for each in ranked if each.labels is not None]
    if not known:
        return None
    return gains(
        [each.features for each, _ in known],
        [each.energies for each, _ in known],
        [each.probabilities for each, _ in known],
        [labels for _, labels in known],
    )


def pools_of(ranked: Sequence[Ranked], repo_of: Mapping[str, str] | None = None) -> list[Pool]:
    """Labelled pools for a fit; instances of one repository are held out together."""
    return [
        (each.features, each.labels, (repo_of or {}).get(each.instance_id) or each.instance_id.rpartition("-")[0])
        for each in ranked
        if each.labels is not None
    ]


def fitted(pools: Sequence[Pool], note: str) -> tuple[PatchEnergy, Gains]:
    """An energy fitted on all pools, and its gains with every repository held out in turn.

    Raises:
        InputError: no instance has both a candidate that resolves it and one that does not.
    """
    if not any(labels.any() and not labels.all() for _, labels, _ in pools):
        raise InputError(
            "no instance has both a resolving and a failing candidate", where="--labels", fix="label more predictions"
        )
    if len({group for _, _, group in pools}) < 2:
        raise InputError("all labels are of one repository", where="--labels", fix="label instances of another one too")
    found = gains(
        [features for features, _, _ in pools],
        held_out_energies(pools),
        held_out_probabilities(pools),
        [labels for _, labels, _ in pools],
    )
    return fit(pools, note), found


def save_energy(path: Path, energy: PatchEnergy) -> None:
    """Write an energy as JSON."""
    weights = dict(zip(NAMES, energy.weights, strict=True))
    body = {
        "format": 1,
        "weights": weights,
        "offset": energy.offset,
        "slope": energy.slope,
        "fitted_on": energy.fitted_on,
        "tested": energy.tested,
    }
    write_json(path, body)


def load_energy(path: Path) -> PatchEnergy:
    """Read what `save_energy` wrote.

    Raises:
        InputError: another file, or one of other figures.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if body["format"] != 1 or set(body["weights"]) != set(NAMES):
            raise InputError("made for other figures", where=str(path), field="weights", fix="fit it again with --fit")
        weights = tuple(float(body["weights"][name]) for name in NAMES)
        tested = (float(body["tested"][0]), float(body["tested"][1])) if body["tested"] else None
        return PatchEnergy(weights, float(body["offset"]), float(body["slope"]), str(body["fitted_on"]), tested)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        raise InputError("not an energy", where=str(path), fix="make one with hybrid-agent rerank --fit") from None
