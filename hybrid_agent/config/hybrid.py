"""What of the hybrid is switched on, and the thresholds that spend its compute. Loads without torch.

`HybridConfig()` is the preset `auto`: every part that is there is used; without a scorer the agent decodes greedily.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from hybrid_agent.config.explain import explain
from hybrid_agent.errors import InputError
from hybrid_agent.types import Record

TUNED = "hybrid.json"


def _switch(value: Any) -> Any:
    # YAML reads a bare on/off as true/false.
    return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value


Switch = Annotated[Literal["on", "off", "auto"], BeforeValidator(_switch)]
Mode = Literal["auto", "greedy", "sample", "logprob", "mean_logprob", "energy", "adaptive"]
Share = Annotated[float, Field(ge=0, le=1)]


class Thresholds(Record):
    """When to stop, when to go on, and how far (design.md, section 5).

    The greedy call is enough if its `entropy` (nats) is at most `tau_entropy`, the log-probability of its least
    likely choice at least `tau_low`, and its calibrated probability, if it is scored, at least `tau_p`. A risk
    above `tau_risk` doubles `k_base`, up to `k_max`; so does the planner's wish to deliberate, if `heed` says that it
    counts. A turn ends early when the best energy leads the second by `margin` with at least `min_scored` candidates
    scored (None: never). `veto_p` is the calibrated probability below which a call that may change something is
    vetoed (None: the scorer's own, 0: no veto). Candidates are ranked by energy - `lm_weight` * log-probability.
    `prior_weight` is the exponent of the planner's tool prior, `alpha` the strength of logit shaping. `depth` is how
    many experts may share in the candidates after the greedy one; `route` off leaves all writing to the decoder itself.
    """

    k_base: int = Field(default=4, ge=1, le=64)
    k_max: int = Field(default=8, ge=1, le=64)
    temperature: float = Field(default=0.3, gt=0, le=5)
    temperature_high: float = Field(default=1.0, gt=0, le=5)
    tau_entropy: float = Field(default=0.3, ge=0)
    tau_low: float = Field(default=-0.4, le=0)
    tau_p: Share = 0.5
    tau_risk: Share = 0.6
    heed: bool = True
    margin: float | None = Field(default=2.0, ge=0)
    min_scored: int = Field(default=2, ge=2, le=64)
    veto_p: Share | None = None
    lm_weight: float = Field(default=0.0, ge=0, le=10)
    prior_weight: float = Field(default=0.3, ge=0, le=10)
    alpha: float = Field(default=0.0, ge=0, le=10)
    depth: int = Field(default=2, ge=1, le=8)
    route: bool = True

    def risky(self, risk: float, deliberate: bool) -> bool:
        """Does what the planner says of a turn call for more candidates?"""
        return risk > self.tau_risk or (self.heed and deliberate)


class Overrides(Record):
    """Thresholds set by hand; what is left out is taken from hybrid.json, else from the defaults."""

    k_base: int | None = Field(default=None, ge=1, le=64)
    k_max: int | None = Field(default=None, ge=1, le=64)
    temperature: float | None = Field(default=None, gt=0, le=5)
    temperature_high: float | None = Field(default=None, gt=0, le=5)
    tau_entropy: float | None = Field(default=None, ge=0)
    tau_low: float | None = Field(default=None, le=0)
    tau_p: Share | None = None
    tau_risk: Share | None = None
    heed: bool | None = None
    margin: float | None = Field(default=None, ge=0)
    min_scored: int | None = Field(default=None, ge=2, le=64)
    veto_p: Share | None = None
    lm_weight: float | None = Field(default=None, ge=0, le=10)
    prior_weight: float | None = Field(default=None, ge=0, le=10)
    alpha: float | None = Field(default=None, ge=0, le=10)
    depth: int | None = Field(default=None, ge=1, le=8)
    route: bool | None = None


EVERYTHING = Overrides(route=True, alpha=1.0)  # no part that is there is left idle


class HybridConfig(Record):
    """Parts and modes.

    `mode`: `greedy` takes the greedy call, `sample` one drawn at `temperature`; `logprob`, `mean_logprob`
    and `energy` draw `k` candidates and take the most probable, the most probable per choice, or the one of least
    energy; `adaptive` lets the scheduler decide after the greedy call; `auto` is `adaptive` with a scorer and `greedy`
    without.
    A part that is `on` must be there, `auto` uses it if it is. `scheduler` off draws `k` candidates every turn.
    `constrained` off is free-form decoding: no grammar, no spans. `early_exit` off scores all candidates.
    `draw` says how candidates after the greedy one differ (`hybrid_agent.types.Budget`).
    """

    mode: Mode = "auto"
    planner: Switch = "auto"
    scorer: Switch = "auto"
    experts: Switch = "auto"
    draft: Switch = "auto"
    shaping: Switch = "auto"
    gate: Switch = "auto"
    veto: bool = True
    early_exit: bool = True
    constrained: bool = True
    k: int = Field(default=4, ge=1, le=64)
    draw: Literal["sample", "branch", "rename"] = "rename"
    set: Overrides = Overrides()


def thresholds(config: HybridConfig, folder: Path | None = None) -> Thresholds:
    """The thresholds in force: by hand, else tuned (`folder`/hybrid.json), else the defaults.

    Raises:
        InputError: hybrid.json is damaged.
    """
    tuned = read_tuned(folder) if folder is not None else Thresholds()
    given = tuned.model_copy(update=config.set.model_dump(exclude_none=True))
    off = {"margin": None} if not config.early_exit else {}
    return given.model_copy(update=off | ({} if config.veto else {"veto_p": 0.0}))


def read_tuned(folder: Path) -> Thresholds:
    """The thresholds of `folder`/hybrid.json; the defaults if there is none.

    Raises:
        InputError: it is damaged.
    """
    file = folder / TUNED
    if not file.is_file():
        return Thresholds()
    try:
        return Thresholds.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise explain(error, Thresholds, where=str(file)) from None
    except OSError as error:
        raise InputError(f"cannot read it: {error.strerror}", where=str(file), fix="tune again") from None
