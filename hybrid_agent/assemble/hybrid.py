"""From a specification to a loaded hybrid: decoder, scorer, planner, scheduler and gate, each of them optional.

Parts are imported only when they are loaded, so that commands which need none of them start fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from hybrid_agent.agent.select import Rank, SelectOptions
from hybrid_agent.assemble.decoders import make_decoder
from hybrid_agent.assemble.parts import HybridSpec
from hybrid_agent.errors import InputError
from hybrid_agent.planner.schedule import Scheduler
from hybrid_agent.protocols import Decoder, Planner, Scorer
from hybrid_agent.protocols import Scheduler as AnyScheduler
from hybrid_agent.tools import registry
from hybrid_agent.tools.rules import judge
from hybrid_agent.types import Budget, ToolCall

LOADERS = {
    "scorer": ("hybrid_agent.scorer.energy", "EnergyScorer"),
    "planner": ("hybrid_agent.planner.hrm", "HrmPlanner"),
    "gate": ("hybrid_agent.tools.policy_model", "PolicyModel"),
}


@dataclass
class Hybrid:
    """The parts of an agent, loaded. With a decoder alone it decodes greedily.

    Attributes:
        budget: candidates, temperature and token limit of a turn when there is no scheduler; the seed is the episode's.
        gate: the policy classifier, if any.
        spec: what it was made from, if it was.
    """

    decoder: Decoder
    scorer: Scorer | None = None
    planner: Planner | None = None
    scheduler: AnyScheduler | None = None
    select: SelectOptions = field(default_factory=SelectOptions)
    budget: Budget = field(default_factory=Budget)
    gate: Any = None
    spec: HybridSpec | None = None


def make_hybrid(spec: HybridSpec) -> Hybrid:
    """Load every part (seconds).

    Raises:
        InputError: a part is damaged, or does not work with this decoder.
    """
    config, rules = spec.config, spec.rules
    adaptive = spec.mode == "adaptive"
    decoder = _decoder(spec, greedy_first=not adaptive)
    rank: Rank = "energy" if spec.mode in ("greedy", "energy", "adaptive") else spec.mode  # type: ignore[assignment]
    fixed = config.k if spec.mode in ("logprob", "mean_logprob", "energy") else 1
    return Hybrid(
        decoder=decoder,
        scorer=_load("scorer", spec.parts),
        planner=_load("planner", spec.parts),
        scheduler=Scheduler(rules, draft="draft" in spec.parts) if adaptive else None,
        select=SelectOptions(
            rank=rank,
            lm_weight=rules.lm_weight,
            margin=rules.margin,
            min_scored=rules.min_scored,
            veto_p=rules.veto_p,
            temperature_high=rules.temperature_high,
        ),
        budget=Budget(
            k=fixed,
            temperature=rules.temperature if fixed > 1 else 0.0,
            speculate="draft" in spec.parts,
            shaping=rules.alpha if "shaping" in spec.parts else 0.0,
            expert_depth=2 if fixed > 1 else 1,
        ),
        gate=_load("gate", spec.parts),
        spec=spec,
    )


def state_changing(call: ToolCall) -> bool:
    """Do the rules say that this call may change something? False for a call that they cannot even read."""
    try:
        return judge(registry.parse_args(call.tool, call.args)).state_changing
    except InputError:
        return False


def _load(name: str, parts: Mapping[str, Path]) -> Any:
    if name not in parts:
        return None
    module, part = LOADERS[name]
    return getattr(import_module(module), part).load(parts[name])


def _decoder(spec: HybridSpec, greedy_first: bool) -> Decoder:
    config = spec.config
    # The scheduler asks for the greedy call by itself; where all candidates are drawn at once it is one of them.
    return make_decoder(
        spec.decoder, greedy_first=greedy_first, constrained=config.constrained, prior_weight=config.prior_weight
    )
