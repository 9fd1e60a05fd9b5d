"""Schema of `configs/train.yaml`: one training stage."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hybrid_agent.config.model import ModelConfig
from hybrid_agent.config.optim import ProfileConfig
from hybrid_agent.config.stages.aoe import AoeConfig
from hybrid_agent.config.stages.ebm import EbmConfig
from hybrid_agent.config.stages.gate import GateConfig
from hybrid_agent.config.stages.hrm import HrmConfig
from hybrid_agent.config.stages.rl import RlConfig
from hybrid_agent.config.stages.sft import SftConfig
from hybrid_agent.types import Record

Stage = Annotated[AoeConfig | EbmConfig | GateConfig | HrmConfig | RlConfig | SftConfig, Field(discriminator="name")]


class TrainConfig(Record):
    """`fresh` starts a new attempt even if the last one was left unfinished."""

    stage: Stage
    model: ModelConfig
    profile: ProfileConfig
    name: str = Field(default="tiny", min_length=1)
    seed: int = 0
    runs: str = "runs"
    fresh: bool = False


SCHEMA = TrainConfig
