"""Shape of the tiny decoder. Loads without torch."""

from __future__ import annotations

from pydantic import Field, model_validator

from hybrid_agent.types import Record


class ModelConfig(Record):
    """A Llama-architecture decoder with tied embeddings.

    `look_back` heads of the first layer start out looking 1, 2, ... tokens back.
    """

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
