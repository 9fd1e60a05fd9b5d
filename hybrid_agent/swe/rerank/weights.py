"""The fitted energy that ships with the package; made by eval.swe_rerank_fit."""

from __future__ import annotations

from hybrid_agent.swe.rerank.energy import PatchEnergy
from hybrid_agent.swe.rerank.features import NAMES

WEIGHTS = {
    "empty": -4.0004,
    "malformed": -3.0,
    "applies": 2.0,
    "parses": 1.5,
    "no_code": -3.0067,
    "touches_tests": -1.0,
    "lines": 0.0188,
    "files": -0.2997,
    "hunks": -0.0015,
    "debris": -0.5,
    "same": 1.0051,
    "likeness": 1.181,
    "same_files": 0.6338,
    "statement": 1.0148,
    "names_file": 0.3538,
    "names_symbol": 0.4992,
    "broken": -0.7554,
    "clean": 1.104,
    "fixed": 2.0,
}


def shipped() -> PatchEnergy:
    """The energy in use unless another is named."""
    fitted_on = "34 bugs of task_packs/swe_mini, 261 patches"
    weights = tuple(WEIGHTS[name] for name in NAMES)
    return PatchEnergy(weights, -2.7497, 1.1957, fitted_on, (-10.8264, 1.8297))
