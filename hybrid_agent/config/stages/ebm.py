"""Schema of `configs/stage/ebm.yaml`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from hybrid_agent.config.optim import LengthConfig, OptimConfig
from hybrid_agent.types import Record


class StrataConfig(Record):
    """Share of each kind of failing candidate in the loss, whatever its share in the data (weights of candidates
    change by at most a factor of 4). `sampled_positives`: at least this share of the passing ones is the decoder's
    own, or the model learns who wrote a call."""

    sampled: float = Field(default=0.5, ge=0)
    near: float = Field(default=0.2, ge=0)
    wrong_state: float = Field(default=0.15, ge=0)
    hazard: float = Field(default=0.15, ge=0)
    sampled_positives: float = Field(default=0.5, ge=0, le=1)


class EbmConfig(Record):
    """The energy model.

    `contexts` is a file of labelled candidates, or the folder that `hybrid-agent traces build` made.
    `trunk`: `decoder` starts from the weights of the run `decoder` (a run such as sft/tiny, a bundle's folder, or
    `bundle` for the shipped one), `hf:PATH` from any Hugging Face folder or hub id, `none` uses features
    only. `trunk_architecture` is that model's published config, to plan with before its files are there. `packed` rows
    hold a prefix once with all its candidates; the trunk must take a four-dimensional attention mask (decoders do).
    `linear_start` begins with the feature weights of a logistic regression.
    """

    name: Literal["ebm"] = "ebm"
    contexts: str = Field(default="runs/rollouts/contexts", min_length=1)
    decoder: str = "bundle"
    trunk: str = "decoder"
    trunk_architecture: dict[str, Any] | None = None
    packed: bool = True
    context: int | None = Field(default=None, ge=64)
    hidden: int = Field(default=64, ge=1)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    feature_dropout: float = Field(default=0.3, ge=0, lt=1)
    linear_start: bool = True
    val_share: float = Field(default=0.1, gt=0, lt=0.5)
    calibration_share: float = Field(default=0.15, gt=0, lt=0.5)
    strata: StrataConfig = StrataConfig()
    bce: float = Field(default=0.5, ge=0)
    energy: float = Field(default=0.01, ge=0)
    kl: float = Field(default=0.1, ge=0)
    over_veto: float = Field(default=0.01, gt=0, lt=1)
    veto_cap: float = Field(default=0.5, gt=0, lt=1)
    optim: OptimConfig = OptimConfig(ema=0.999)
    length: LengthConfig

    @field_validator("trunk")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in ("decoder", "none") and not (value.startswith("hf:") and len(value) > 3):
            raise ValueError("must be decoder, none or hf:PATH")
        return value
