"""Schema of `configs/fanout/*.yaml`: over what independent work is spread."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from hybrid_agent.types import Record


class FanoutConfig(Record):
    """Worker processes of this machine (`local`), or actors of a Ray cluster (`ray`, extra [cluster]).

    `workers` is how many (null: as the command's own `workers`; 0: one per core, of the whole cluster with Ray).
    `address` is that of a running cluster (`auto`: the one of this machine; null: a small one is started and ended
    again). `gpus` is each Ray worker's share. `retries` is how often an item is tried again after its worker died or
    the machinery failed. `straggler_s`: an item that runs for longer gets a second copy once a worker has nothing
    else to do, and the first result counts (null: never).
    """

    kind: Literal["local", "ray"] = "local"
    workers: int | None = Field(default=None, ge=0, le=4096)
    address: str | None = Field(default=None, pattern=r"^(auto|[\w.\-\[\]:]+:\d+)$")
    gpus: float = Field(default=0.0, ge=0, le=16)
    retries: int = Field(default=2, ge=0, le=20)
    straggler_s: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> FanoutConfig:
        if self.kind == "local" and (self.address is not None or self.gpus):
            raise ValueError("address and gpus are for fanout=ray")
        return self

    def over(self, workers: int) -> FanoutConfig:
        """With a number of workers, if it has none of its own."""
        return self if self.workers is not None else self.model_copy(update={"workers": workers})
