"""The fitted energy that ships with the package. Written by `python -m eval.swe_rerank_fit`."""

from __future__ import annotations

from hybrid_agent.swe.rerank.energy import PatchEnergy, prior_energy


def shipped() -> PatchEnergy:
    """The energy in use unless another is named."""
    return prior_energy()
