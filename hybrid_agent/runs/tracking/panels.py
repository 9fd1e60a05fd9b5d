"""The panels of the dashboard, as data: W&B and TensorBoard show the same ones.

A run shows only in panels whose figures it logged: training stages in the first sections, evaluations in the last.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Panel:
    """One plot over steps: the figures named, all whose name begins with `family` and a slash, and all whose name
    ends with a slash and `last`.

    `agent/` figures come from evaluations; their step is the number of tasks done.
    """

    title: str
    metrics: tuple[str, ...] = ()
    family: str | None = None
    last: str | None = None
    log: bool = False

    @property
    def patterns(self) -> tuple[str, ...]:
        """Regular expressions that match the names of its figures, and no others."""
        named = tuple(f"^{name}$" for name in self.metrics)
        family = (f"^{self.family}/.*$",) if self.family else ()
        return named + family + ((f"^.+/{self.last}$",) if self.last else ())

    def shows(self, name: str) -> bool:
        """Whether a figure belongs here."""
        return any(re.match(pattern, name) for pattern in self.patterns)


SECTIONS: dict[str, tuple[Panel, ...]] = {
    "Agent": (
        Panel("Success, share of tasks", ("agent/success",)),
        Panel("Time to a call, p95 (ms)", ("agent/segment_p95_ms", "agent/segment_p50_ms")),
        Panel("Veto hits, candidates", ("agent/vetoed", "agent/denied", "agent/destructive_outside")),
        Panel("Routing shares of the experts", family="agent/routing"),
        Panel("Speculation: accepted share of drafted tokens", ("agent/accept_rate",)),
        Panel("Candidates a turn", ("agent/mean_k",)),
    ),
    "Training": (
        Panel("Loss", ("loss", "val_loss"), log=True),
        Panel("Exact calls on held-out data", ("exact",), family="exact"),
        Panel("Gradient norm", ("grad_norm",), log=True),
        Panel("Learning rate", ("lr",)),
        Panel("Throughput, tokens a second", ("tokens_s",)),
        Panel("MFU", ("mfu",)),
    ),
    "Energy model": (
        Panel("Calibration error (ECE) of each head", family="ece"),
        Panel("Calibration error before calibration", family="ece_raw"),
        Panel("AUC of each head", family="auc"),
        Panel("Right calls vetoed, share of each head", family="over_veto"),
        Panel("Parts of the loss", ("ranking", "bce", "kl")),
    ),
    "Planner and gate": (
        Panel("Right tool and expert", ("tool_acc", "expert_acc")),
        Panel("Risk and deliberation, AUC", ("risk_auc", "deliberate_auc")),
        Panel("Calibration error (ECE)", ("risk_ece", "deliberate_ece", "gate_ece")),
    ),
    "Shaping": (Panel("Figures of each strength", family="shaping"),),
    "Reinforcement": (
        Panel("Pass rate and reward", ("pass_rate", "reward", "greedy")),
        Panel("KL and entropy", ("kl", "entropy")),
        Panel("Ratio and clipped share", ("ratio", "clipped")),
    ),
    "Experts": (
        Panel("Loss of each adapter", last="loss", log=True),
        Panel("Exact calls of each adapter, the slice's own", last="exact"),
        Panel("Exact calls of each system", family="systems"),
        Panel("Routing shares of the training data", family="routing"),
    ),
}


SAMPLES = ("samples", "traces")  # tables: what models wrote, what agents did


def tensorboard_layout() -> dict[str, dict[str, tuple[str, list[str]]]]:
    """The sections in the form that `SummaryWriter.add_custom_scalars` takes."""
    return {
        section: {panel.title: ("Multiline", list(panel.patterns)) for panel in panels}
        for section, panels in SECTIONS.items()
    }
