"""The planner as it is served: state of one episode, a control for each segment."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from safetensors.torch import load_file, save

from hybrid_agent.config.stages.hrm import PlannerConfig
from hybrid_agent.errors import InputError
from hybrid_agent.planner.calibration import Calibration, read_record
from hybrid_agent.planner.model import PlannerNet, risk_within
from hybrid_agent.planner.state import VERSION, begins, features, ticks
from hybrid_agent.runs.atomic import write_atomic, write_json
from hybrid_agent.types import Control, Record, Window

CONFIG, WEIGHTS, CALIBRATION = "config.json", "model.safetensors", "calibration.json"


class PlannerFile(Record):
    """`planner/config.json`: sizes, the version of the features, and the names that the priors are over."""

    features: int = VERSION
    planner: PlannerConfig
    tools: tuple[str, ...]
    experts: tuple[str, ...]


class HrmPlanner:
    """A trained planner following one episode; `step` is called once a segment.

    A new goal, or planning from the start, begins a new episode by itself; `reset` does so at once.
    """

    def __init__(self, file: PlannerFile, net: PlannerNet, calibration: Calibration | None = None) -> None:
        self.file, self.net, self.calibration = file, net.eval().requires_grad_(False), calibration or Calibration()
        self.reset()

    @classmethod
    def load(cls, folder: Path) -> HrmPlanner:
        """Read `config.json`, `model.safetensors` and `calibration.json`.

        Raises:
            InputError: a file is missing, does not fit the others, or is of another version.
        """
        file = cast(PlannerFile, read_record(folder / CONFIG, PlannerFile))
        if file.features != VERSION:
            raise InputError(
                f"made for features {file.features}, this version computes {VERSION}",
                where=str(folder / CONFIG),
                field="features",
                fix="train it anew: stage=hrm",
            )
        net = PlannerNet(file.planner, len(file.tools), len(file.experts))
        try:
            weights = load_file(str(folder / WEIGHTS))
            net.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
        except Exception as error:  # safetensors raises its own type, of no public base
            what = str(error).splitlines()[0]
            raise InputError(f"not this planner's weights: {what}", where=str(folder / WEIGHTS)) from None
        return cls(file, net, cast(Calibration, read_record(folder / CALIBRATION, Calibration)))

    def save(self, folder: Path) -> list[Path]:
        """Write what `load` reads (weights in fp16); returns the files."""
        folder.mkdir(parents=True, exist_ok=True)
        weights = {name: t.detach().to("cpu", torch.float16).contiguous() for name, t in self.net.state_dict().items()}
        write_json(folder / CONFIG, self.file.model_dump(mode="json"))
        write_json(folder / CALIBRATION, self.calibration.model_dump(mode="json"))
        data = save(weights)
        write_atomic(folder / WEIGHTS, lambda temp: cast(None, temp.write_bytes(data)))
        return [folder / CONFIG, folder / WEIGHTS, folder / CALIBRATION]

    def reset(self) -> None:
        """Forget the episode."""
        config = self.file.planner
        self._previous: Window | None = None
        self._since = 0
        self._sum = torch.zeros(1, config.width)
        self._state = torch.zeros(1, config.hidden)
        self._plan = torch.zeros(1, config.hidden)

    @property
    def tool_marginal(self) -> dict[str, float]:
        """How often each tool is right overall; what the decoder divides the prior by."""
        return self.calibration.tool_marginal

    @property
    def plan(self) -> torch.Tensor:
        """The plan embedding g in force, (hidden,)."""
        return self._plan[0]

    @torch.inference_mode()
    def step(self, window: Window) -> Control:
        """The control for the next segment. Priors are plain probabilities; risk is calibrated."""
        if begins(self._previous, window):
            self.reset()
        config, net = self.file.planner, self.net
        found = features(window, config)
        index, value = torch.from_numpy(found.index), torch.from_numpy(found.value)
        s = net.embed(index, value, torch.zeros(1, dtype=torch.long))
        flat = config.variant == "flat"
        if not flat and ticks(self._previous, window, self._since, config):
            self._state = net.tick(s, self._sum / max(1, self._since), self._state)
            self._plan = net.to_plan(self._state)
            self._since, self._sum = 0, torch.zeros_like(self._sum)
        self._previous = window
        self._since += 1
        self._sum = self._sum + s
        out = net.work(s, None if flat else self._plan)[-1]
        risk = self.calibration.risk(float(risk_within(out.hazard)[0, -1]))
        deliberate = self.calibration.deliberate(float(out.deliberate.sigmoid()[0]))
        return Control(
            tool_prior=dict(zip(self.file.tools, out.tool.softmax(-1)[0].tolist(), strict=True)),
            expert_prior=dict(zip(self.file.experts, out.expert.softmax(-1)[0].tolist(), strict=True)),
            risk=risk,
            deliberate=deliberate > self.calibration.deliberate_above,
        )
