"""Schema of `configs/rollouts.yaml`: labelled candidates or whole episodes, from tasks run in the sandbox."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hybrid_agent.config.fanout import FanoutConfig
from hybrid_agent.types import Record, Split

Temperature = Annotated[float, Field(gt=0, le=3)]


class CountsConfig(Record):
    """How many candidates of each kind a context gets, beside the gold call and the `k` sampled ones.

    `near` also counts code mutants where a call carries Python code (up to `code`). `flaky` is a share of contexts.
    """

    near: int = Field(default=4, ge=0, le=64)
    code: int = Field(default=4, ge=0, le=64)
    wrong_state: int = Field(default=2, ge=0, le=64)
    hazard: int = Field(default=2, ge=0, le=64)
    plan: int = Field(default=4, ge=0, le=64)
    flaky: float = Field(default=0.05, ge=0, le=1)


class TurnSharesConfig(Record):
    """The share of turns of each kind that become contexts (endings are all alike)."""

    plan: float = Field(default=0.5, ge=0, le=1)
    act: float = Field(default=1.0, ge=0, le=1)
    done: float = Field(default=0.5, ge=0, le=1)
    finish: float = Field(default=0.05, ge=0, le=1)
    ask: float = Field(default=1.0, ge=0, le=1)


class RolloutsConfig(Record):
    """One build. `packs` says how many episodes of each; `first_seed` starts beyond what a decoder was trained on.

    `split=train` makes tasks from seeds; another split takes the stored tasks (`val` to tune, test splits to report).
    A context is sampled at `at_once` of the temperatures (drawn anew for each), `k` samples in all, and `branches`
    leave the greedy text at one of its choices.
    `out` is the folder of the result; a build that was killed goes on where it stopped.
    """

    what: Literal["contexts", "episodes"] = "contexts"
    packs: dict[str, Annotated[int, Field(ge=0)]]
    split: Split = "train"
    first_seed: int = Field(default=1_000_000, ge=0)
    wordings: int = Field(default=4, ge=1, le=32)
    decoder: Annotated[str, Field(min_length=1)] = "tiny"
    k: int = Field(default=6, ge=0, le=64)
    branches: int = Field(default=4, ge=0, le=64)
    temperatures: tuple[Temperature, ...] = (0.8, 1.2, 1.6)
    at_once: int = Field(default=1, ge=1, le=8)
    greedy: bool = True
    counts: CountsConfig = CountsConfig()
    turns: TurnSharesConfig = TurnSharesConfig()
    executions: int = Field(default=2, ge=2, le=10)
    call_timeout_s: float = Field(default=5.0, gt=0, le=60)
    seed: int = 0
    shard: int = Field(default=20, ge=1)
    workers: int = Field(default=2, ge=1, le=256)
    fanout: FanoutConfig = FanoutConfig()
    runs: str = "runs"
    out: Annotated[str, Field(min_length=1)] = "runs/rollouts/contexts"


SCHEMA = RolloutsConfig
