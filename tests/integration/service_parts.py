"""A small random scorer and planner, to serve beside the shipped decoder."""

from __future__ import annotations

from pathlib import Path

import torch

from hybrid_agent.config.stages.hrm import PlannerConfig
from hybrid_agent.planner.hrm import HrmPlanner, PlannerFile
from hybrid_agent.planner.model import PlannerNet
from hybrid_agent.scorer.calibration import Calibration, Head
from hybrid_agent.scorer.energy import CALIBRATION, ScorerConfig, save_model
from hybrid_agent.scorer.model import EnergyModel
from hybrid_agent.traces.domains import DOMAINS, EXPERTS

TOOLS = ("exec_code", "shell", "fs", "editor", "plan", "finish", "ask")


def random_scorer(folder: Path, threshold: float = 0.05) -> Path:
    """A features-only energy model that depends on the gate's verdicts too."""
    torch.manual_seed(5)
    model = EnergyModel(None, hidden=16, dropout=0.0).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.4)
    save_model(folder, model, ScorerConfig(hidden=16), None)
    head = Head(energies=(-3.0, 3.0), passes=(0.95, 0.2), threshold=threshold)
    (folder / CALIBRATION).write_text(Calibration(heads=dict.fromkeys(DOMAINS, head)).model_dump_json())
    return folder


def random_planner(folder: Path) -> Path:
    """A small planner with random weights."""
    torch.manual_seed(6)
    config = PlannerConfig(width=16, hidden=16, blocks=1, passes=1, words=64)
    HrmPlanner(PlannerFile(planner=config, tools=TOOLS, experts=EXPERTS), PlannerNet(config, 7, len(EXPERTS))).save(
        folder
    )
    return folder
