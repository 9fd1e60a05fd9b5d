"""From a specification to a loaded hybrid: decoder, scorer, planner, scheduler and gate, each of them optional.

Parts are imported only when they are loaded, so that commands which need none of them start fast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from hybrid_agent.agent.select import Rank, SelectOptions
from hybrid_agent.assemble.decoders import make_decoder
from hybrid_agent.assemble.parts import HybridSpec
from hybrid_agent.assemble.priors import RelativePlanner
from hybrid_agent.planner.schedule import Scheduler
from hybrid_agent.protocols import Decoder, Planner, Scorer
from hybrid_agent.protocols import Scheduler as AnyScheduler
from hybrid_agent.tools.policy_model import PolicyModel
from hybrid_agent.tools.toolbox import LocalToolbox
from hybrid_agent.types import Budget, ToolCall, Verdict

VETO_P = 0.05  # where a scorer has no limits of its own

LOADERS = {
    "scorer": ("hybrid_agent.scorer.energy", "EnergyScorer"),
    "planner": ("hybrid_agent.planner.hrm", "HrmPlanner"),
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
    gate: PolicyModel | None = None
    spec: HybridSpec | None = None


def make_hybrid(spec: HybridSpec) -> Hybrid:
    """Load every part (seconds).

    Raises:
        InputError: a part is damaged, or does not work with this decoder.
    """
    scorer = load_part("scorer", spec.parts)
    return Hybrid(
        decoder=load_decoder(spec),
        scorer=scorer,
        planner=load_planner(spec),
        scheduler=make_scheduler(spec),
        select=select_options(spec, _veto(scorer, spec.rules.veto_p) if scorer is not None else None),
        budget=turn_budget(spec),
        gate=load_gate(spec),
        spec=spec,
    )


def load_decoder(spec: HybridSpec) -> Decoder:
    """The decoder with what belongs inside it: draft, shaping, experts.

    Raises:
        InputError: it is not there, damaged, or a part does not fit it.
    """
    config = spec.config
    inside = {name: path for name, path in spec.parts.items() if name in ("draft", "shaping", "experts")}
    # The scheduler asks for the greedy call by itself; where all candidates are drawn at once it is one of them.
    return make_decoder(
        spec.decoder,
        inside,
        greedy_first=spec.mode != "adaptive",
        constrained=config.constrained,
        prior_weight=spec.rules.prior_weight,
    )


def load_planner(spec: HybridSpec) -> RelativePlanner | None:
    """The planner with relative priors, if it is one of the parts."""
    planner = load_part("planner", spec.parts)
    return RelativePlanner(planner, planner.tool_marginal) if planner is not None else None


def make_scheduler(spec: HybridSpec) -> Scheduler | None:
    """The scheduler; None where the number of candidates is fixed."""
    return Scheduler(spec.rules, draft="draft" in spec.parts) if spec.mode == "adaptive" else None


def load_gate(spec: HybridSpec) -> PolicyModel | None:
    """The gate's classifier, if it is one of the parts."""
    return PolicyModel.load(spec.parts["gate"]) if "gate" in spec.parts else None


def select_options(spec: HybridSpec, veto: float | Callable[[str], float] | None) -> SelectOptions:
    """How candidates are ranked and when a turn ends early."""
    rules = spec.rules
    rank: Rank = spec.mode if spec.mode in ("logprob", "mean_logprob") else "energy"
    return SelectOptions(
        rank=rank,
        lm_weight=rules.lm_weight,
        margin=rules.margin,
        min_scored=rules.min_scored,
        veto=veto,
        temperature_high=rules.temperature_high,
    )


def turn_budget(spec: HybridSpec) -> Budget:
    """Candidates, temperature and token limit of a turn where there is no scheduler."""
    rules = spec.rules
    fixed = spec.config.k if spec.mode in ("logprob", "mean_logprob", "energy") else 1
    return Budget(
        k=fixed,
        draw="sample" if spec.mode == "sample" else spec.config.draw,
        temperature=rules.temperature if fixed > 1 or spec.mode == "sample" else 0.0,
        speculate="draft" in spec.parts,
        shaping=rules.alpha if "shaping" in spec.parts else 0.0,
    )


def look_ahead(hybrid: Hybrid, toolbox: LocalToolbox) -> Callable[[ToolCall], bool]:
    """Let the scorer see what this episode's gate would say; returns whether a call may change something.

    A call that a person will be asked about counts as approved: the answer is the person's, not the scorer's.
    """

    def seen(call: ToolCall) -> Verdict:
        verdict = toolbox.preview(call)
        return verdict.model_copy(update={"approval": "granted"}) if verdict.approval == "needed" else verdict

    scorer: Any = hybrid.scorer
    if hasattr(scorer, "judge"):
        scorer.judge = seen
    return lambda call: toolbox.preview(call).state_changing


def _veto(scorer: Any, limit: float | None) -> float | Callable[[str], float] | None:
    """By hand or tuned; else the scorer's own limit for the call's domain."""
    if limit is not None:
        return limit or None
    head = getattr(scorer, "head", None)
    return (lambda text: float(head(text).threshold)) if head is not None else VETO_P


def load_part(name: str, parts: Mapping[str, Path]) -> Any:
    """The scorer or the planner among the parts; None if it is not one of them.

    Raises:
        InputError: it is damaged.
    """
    if name not in parts:
        return None
    module, part = LOADERS[name]
    return getattr(import_module(module), part).load(parts[name])
