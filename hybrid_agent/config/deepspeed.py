"""Schemas of `configs/deepspeed/*.yaml` and of a profile's `launch`. They load without DeepSpeed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from hybrid_agent.types import Record


class ZeroConfig(Record):
    """ZeRO-3: weights, gradients and optimizer states are spread over the ranks.

    `offload_optimizer` and `offload_weights` keep theirs in host memory. Sizes of buckets count elements: larger ones
    make fewer, longer messages and take more memory. Weights of at most `persist_below` elements stay whole on every
    rank, and so do all weights of a model of at most `whole_below` elements: then only gradients and optimizer states
    are spread, ranks may call its layers in different order, and one rank alone can use it. `init_sharded` loads
    pretrained decoders so that no rank ever holds the whole model.
    """

    offload_optimizer: Literal["none", "cpu"] = "none"
    offload_weights: Literal["none", "cpu"] = "none"
    pin_memory: bool = True
    overlap_comm: bool = True
    reduce_bucket_size: int = Field(default=50_000_000, ge=1)
    prefetch_bucket_size: int = Field(default=50_000_000, ge=0)
    persist_below: int = Field(default=100_000, ge=0)
    whole_below: int = Field(default=400_000_000, ge=0)
    sub_group_size: int = Field(default=1_000_000_000, ge=1)
    max_live_parameters: int = Field(default=1_000_000_000, ge=0)
    init_sharded: bool = False


class LaunchConfig(Record):
    """Who starts the ranks when nobody has yet (no WORLD_SIZE in the environment).

    `local`: this process and its own children. `torchrun`: torch's launcher, on every one of `nodes` machines, which
    meet at `rendezvous` (host:port). `deepspeed`: DeepSpeed's launcher, on this machine, or on one of several, from
    which it reaches the first `nodes` of `hostfile` by pdsh and ssh.
    """

    kind: Literal["local", "torchrun", "deepspeed"] = "local"
    nodes: int = Field(default=1, ge=1)
    rendezvous: str | None = Field(default=None, pattern=r"^[^:\s]+:\d+$")
    hostfile: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> LaunchConfig:
        if self.kind == "local" and self.nodes > 1:
            raise ValueError("kind=local starts ranks on this machine only: use torchrun or deepspeed")
        if self.kind == "deepspeed" and self.nodes > 1 and self.hostfile is None:
            raise ValueError("kind=deepspeed needs hostfile=PATH for several nodes")
        return self
