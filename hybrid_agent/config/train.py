"""Schema of `configs/train.yaml`: one training stage."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from hybrid_agent.config.fanout import FanoutConfig
from hybrid_agent.config.model import AnyModel, HfModelConfig
from hybrid_agent.config.optim import ProfileConfig
from hybrid_agent.config.stages.aoe import AoeConfig
from hybrid_agent.config.stages.ebm import EbmConfig
from hybrid_agent.config.stages.gate import GateConfig
from hybrid_agent.config.stages.hrm import HrmConfig
from hybrid_agent.config.stages.rl import RlConfig
from hybrid_agent.config.stages.sft import SftConfig
from hybrid_agent.config.tracking import TrackingConfig
from hybrid_agent.types import Record

Stage = Annotated[AoeConfig | EbmConfig | GateConfig | HrmConfig | RlConfig | SftConfig, Field(discriminator="name")]


class TrainConfig(Record):
    """`fresh` starts a new attempt even if the last one was left unfinished."""

    stage: Stage
    model: AnyModel
    profile: ProfileConfig
    tracking: TrackingConfig = TrackingConfig()
    fanout: FanoutConfig = FanoutConfig()
    name: str = Field(default="tiny", min_length=1)
    seed: int = 0
    runs: str = "runs"
    fresh: bool = False

    @model_validator(mode="before")
    @classmethod
    def _model_without_kind(cls, values: Any) -> Any:
        """Configs and manifests from before there were several kinds of models speak of a tiny one."""
        model = values.get("model") if isinstance(values, dict) else None
        if isinstance(model, dict) and "kind" not in model:
            return {**values, "model": {"kind": "tiny", **model}}
        return values

    @model_validator(mode="after")
    def _fits(self) -> TrainConfig:
        if isinstance(self.stage, SftConfig) and isinstance(self.model, HfModelConfig):
            if self.stage.optim.kind == "muon":
                raise ValueError("stage.optim.kind=muon is for models made from nothing: use stage=sft_lora, or adamw")
            if self.stage.tokenizer is not None:
                raise ValueError("a pretrained model keeps its own tokenizer: set stage.tokenizer to null")
        return self


SCHEMA = TrainConfig
