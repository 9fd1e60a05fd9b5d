"""Real services in this process, on real sockets; a small random scorer and planner beside the shipped decoder."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from hybrid_agent.config.serve import ServeConfig
from hybrid_agent.config.stages.hrm import PlannerConfig
from hybrid_agent.planner.hrm import HrmPlanner, PlannerFile
from hybrid_agent.planner.model import PlannerNet
from hybrid_agent.scorer.calibration import Calibration, Head
from hybrid_agent.scorer.energy import CALIBRATION, ScorerConfig, save_model
from hybrid_agent.scorer.model import EnergyModel
from hybrid_agent.traces.domains import DOMAINS, EXPERTS
from services.clients import Services
from services.load import load_serve, start_service
from services.server import Running

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


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name."""
    folder = Path(tempfile.mkdtemp(prefix="ha-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Farm:
    """Services of one config; `stop` one or `start` it again."""

    def __init__(self, base: Path, *overrides: str) -> None:
        self.base = base
        self.overrides = [f"runs={base / 'runs'}", f"services.sockets={base / 's'}", *overrides]
        self.config: ServeConfig = load_serve(self.overrides)
        self.running: dict[str, Running] = {}
        self.services = Services.from_config(self.config)

    def start(self, *names: str) -> Farm:
        for name in names:
            self.running[name] = start_service(name, self.config)  # type: ignore[arg-type]
        return self

    def stop(self, name: str) -> None:
        self.running.pop(name).drain()

    def close(self) -> None:
        self.services.close()
        for name in list(self.running):
            self.stop(name)


@contextlib.contextmanager
def farm(*names: str, overrides: Sequence[str] = ()) -> Iterator[Farm]:
    with short_folder() as base:
        made = Farm(base, *overrides)
        try:
            yield made.start(*names)
        finally:
            made.close()
