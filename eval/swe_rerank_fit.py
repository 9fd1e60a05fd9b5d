"""Fit the energy that `hybrid-agent rerank` ships with: python -m eval.swe_rerank_fit [corpus=FILE] [write=true]

Every pool of the corpus counts twice, with and without what the tests said, since predictions files often come without
their repositories. Figures are for repositories that were held out. With `write=true` the weights replace those in
hybrid_agent/swe/rerank/weights.py.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hybrid_agent.cli.exits import guarded
from hybrid_agent.cli.rerank import show_gains
from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import write_text
from hybrid_agent.swe.rerank.choice import gains
from hybrid_agent.swe.rerank.energy import (
    PatchEnergy,
    Pool,
    fit,
    held_out_energies,
    held_out_probabilities,
    prior_energy,
)
from hybrid_agent.swe.rerank.features import NAMES, Evidence, pool_features

CORPUS = "runs/rerank/corpus.jsonl"
WEIGHTS = Path(__file__).resolve().parents[1] / "hybrid_agent" / "swe" / "rerank" / "weights.py"


@dataclass(frozen=True)
class Corpus:
    """The same pools with all evidence, and with the patch and the statement alone."""

    seen: list[Pool]
    blind: list[Pool]

    @property
    def both(self) -> list[Pool]:
        """All of them."""
        return self.seen + self.blind


def read_corpus(path: Path) -> Corpus:
    """The pools of a corpus file.

    Raises:
        InputError: there is none.
    """
    if not path.is_file():
        raise InputError("no such file", where=str(path), fix="make it: python -m eval.swe_rerank_corpus")
    corpus = Corpus([], [])
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        patches = [each["patch"] for each in record["candidates"]]
        evidence = [
            Evidence(**{**each["evidence"], "symbols": tuple(each["evidence"]["symbols"])})
            for each in record["candidates"]
        ]
        labels = np.array([each["resolved"] for each in record["candidates"]], dtype=bool)
        for pools, told in ((corpus.seen, evidence), (corpus.blind, None)):
            pools.append((pool_features(patches, record["statement"], told), labels, record["repo"]))
    return corpus


def show(corpus: Corpus) -> None:
    """Held-out figures, with and without evidence, fitted and with the starting weights."""
    energies, chances = held_out_energies(corpus.both), held_out_probabilities(corpus.both)
    half = len(corpus.seen)
    start = prior_energy()
    for title, pools, part in (
        ("with the repository and its visible tests", corpus.seen, slice(None, half)),
        ("with the patch and the statement alone", corpus.blind, slice(half, None)),
    ):
        features, labels = [pool[0] for pool in pools], [pool[1] for pool in pools]
        show_gains(f"{title}, repositories held out", gains(features, energies[part], chances[part], labels))
        first = [start.energies(each) for each in features]
        print(f"(starting weights: {gains(features, first, chances[part], labels).shares['energy']})")


def source_of(energy: PatchEnergy) -> str:
    """The module that holds an energy."""
    rows = "\n".join(f'    "{name}": {weight},' for name, weight in zip(NAMES, energy.weights, strict=True))
    return f'''"""The fitted energy that ships with the package; made by eval.swe_rerank_fit."""

from __future__ import annotations

from hybrid_agent.swe.rerank.energy import PatchEnergy
from hybrid_agent.swe.rerank.features import NAMES

WEIGHTS = {{
{rows}
}}


def shipped() -> PatchEnergy:
    """The energy in use unless another is named."""
    fitted_on = "{energy.fitted_on}"
    weights = tuple(WEIGHTS[name] for name in NAMES)
    return PatchEnergy(weights, {energy.offset}, {energy.slope}, fitted_on, {energy.tested})
'''


def main(arguments: Sequence[str]) -> None:
    """Fit, show, and perhaps write."""
    options = dict(word.partition("=")[::2] for word in arguments)
    corpus = read_corpus(Path(options.get("corpus", CORPUS)))
    show(corpus)
    patches = sum(len(labels) for _, labels, _ in corpus.seen)
    energy = fit(corpus.both, f"{len(corpus.seen)} bugs of task_packs/swe_mini, {patches} patches")
    for name, weight in zip(NAMES, energy.weights, strict=True):
        print(f"{name:15}{weight:8.3f}")
    print(f"p = sigmoid({energy.offset} - {energy.slope} E); where tests were run: {energy.tested}")
    if options.get("write") == "true":
        write_text(WEIGHTS, source_of(energy))
        print(f"written: {WEIGHTS}")


if __name__ == "__main__":
    guarded(lambda: main(sys.argv[1:]))
