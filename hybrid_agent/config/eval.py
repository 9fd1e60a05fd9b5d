"""Schema of `configs/eval.yaml`: one evaluation run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hybrid_agent.config.fanout import FanoutConfig
from hybrid_agent.config.hybrid import HybridConfig
from hybrid_agent.config.part_overrides import PartOverrides
from hybrid_agent.config.tracking import TrackingConfig
from hybrid_agent.types import Record, Split

TestSplit = Split | Literal["test"]


class SuiteConfig(Record):
    """One suite: a task pack and its test splits."""

    name: str = Field(min_length=1, pattern=r"^[\w-]+$")
    pack: str = Field(min_length=1, pattern=r"^[\w-]+$")
    splits: tuple[Split, ...] = Field(default=("test_names", "test_paraphrase", "test_composition"), min_length=1)


class EvalConfig(PartOverrides):
    """`split=test` means all test splits of the suite. `limit` counts tasks per split. `workers=0`: one per core.

    `scorer` to `tuned` name a run or a folder to take that part from, in place of the one beside the decoder.
    `memory` is a folder whose skills the agent may use; it is only read.
    """

    suite: SuiteConfig
    hybrid: HybridConfig = HybridConfig()
    split: TestSplit = "test"
    limit: int | None = Field(default=None, ge=1)
    family: str | None = None
    decoder: Annotated[str, Field(min_length=1)] = "tiny"
    memory: str | None = None
    runs: str = "runs"
    sandbox: Literal["bubblewrap", "docker", "none"] = "bubblewrap"
    workers: int = Field(default=0, ge=0, le=256)
    fanout: FanoutConfig = FanoutConfig()
    seed: int = 0
    max_steps: int | None = Field(default=None, ge=1)
    attempts: int = Field(default=2, ge=1, le=5)
    task_timeout_s: float = Field(default=120.0, gt=0, le=3600)
    out: str = "runs"
    resume: bool = True
    tracking: TrackingConfig = TrackingConfig()


SCHEMA = EvalConfig
