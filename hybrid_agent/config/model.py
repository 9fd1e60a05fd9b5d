"""Shape of the tiny decoder, and Hugging Face models to go on from. Loads without torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from hybrid_agent.types import Record


class ModelConfig(Record):
    """A Llama-architecture decoder with tied embeddings, made from nothing.

    `look_back` heads of the first layer start out looking 1, 2, ... tokens back.
    """

    kind: Literal["tiny"] = "tiny"
    vocab_size: int = Field(default=1024, ge=300)
    d_model: int = Field(default=160, ge=8)
    layers: int = Field(default=4, ge=1)
    heads: int = Field(default=4, ge=1)
    kv_heads: int | None = Field(default=None, ge=1)
    d_mlp: int = Field(default=432, ge=8)
    context: int = Field(default=1024, ge=64)
    rope_theta: float = Field(default=10000.0, gt=0)
    init_std: float = Field(default=0.02, gt=0)
    look_back: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> ModelConfig:
        if self.d_model % self.heads or (self.d_model // self.heads) % 2:
            raise ValueError("d_model / heads must be an even whole number")
        if self.look_back > (self.kv_heads or self.heads):
            raise ValueError("look_back cannot be more than the heads (or kv_heads)")
        if self.heads % (self.kv_heads or self.heads):
            raise ValueError("heads must be a multiple of kv_heads")
        return self


class LoraSettings(Record):
    """Low-rank adapters (Hu et al. 2021): W + (alpha / r) B A on the linear layers whose names end in one of
    `targets` (`all-linear`: every one but the language head)."""

    r: int = Field(default=16, ge=1, le=512)
    alpha: float = Field(default=32.0, gt=0)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"


Number = int | float | bool | str | None


class HfModelConfig(Record):
    """A pretrained model to train further. Attention kernels and gradient checkpointing are the profile's.

    Attributes:
        path: a folder saved by `save_pretrained`, a run of ours, or the id of a hub repository.
        revision: of the hub repository; null = its newest.
        dtype: of the weights; `auto` is bf16 on a GPU (fp32 where all of them are trained in plain torch), fp32 on the
            CPU.
        context: tokens of the longest training sequence.
        lora: null trains all weights.
        quantize: `nf4` keeps the frozen weights in 4 bits (QLoRA, Dettmers et al. 2023); GPU only, needs `lora`.
        save: `adapter` (with the name of its base) or `merged`; without `lora` always the whole model.
        architecture: its published config, in Hugging Face's names, so that it can be counted without its files.
        parameters: how many it has, as published; a count that differs is an error.
    """

    kind: Literal["hf"]
    path: str = Field(min_length=1)
    revision: str | None = None
    dtype: Literal["auto", "fp32", "bf16"] = "auto"
    context: int = Field(default=4096, ge=64)
    lora: LoraSettings | None = LoraSettings()
    quantize: Literal["nf4"] | None = None
    save: Literal["adapter", "merged"] = "adapter"
    architecture: dict[str, Number | list[Number]] | None = None
    parameters: int | None = Field(default=None, ge=1)

    @field_validator("architecture")
    @classmethod
    def _named(cls, value: dict[str, object] | None) -> dict[str, object] | None:
        if value is not None and not isinstance(value.get("model_type"), str):
            raise ValueError("model_type is missing (llama, qwen2, modernbert, ...)")
        return value

    @model_validator(mode="after")
    def _trains(self) -> HfModelConfig:
        if self.quantize is not None and self.lora is None:
            raise ValueError("weights in 4 bits cannot be trained themselves: quantize needs lora")
        return self


AnyModel = Annotated[ModelConfig | HfModelConfig, Field(discriminator="kind")]
