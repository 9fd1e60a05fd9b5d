"""Data-parallel ranks of one run: each takes its own batches, gradients are averaged, all else is equal everywhere.

On two cores, two ranks of one thread train faster than one rank of two threads: small models leave much of a step
serial.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import nn

TIMEOUT = timedelta(hours=12)  # others wait while rank 0 builds the corpus


@dataclass(frozen=True)
class Ranks:
    """Which rank this process is. Alone (the default) every method does nothing."""

    rank: int = 0
    world: int = 1

    @classmethod
    def from_environment(cls, device: str = "cpu") -> Ranks:
        """Join the group that a launcher set up, if there is one; later calls find it joined.

        Numbers that ranks agree on travel over gloo, tensors on a GPU over NCCL.
        """
        world = int(os.environ.get("WORLD_SIZE", "1"))
        if device == "cuda":
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        if world == 1:
            return cls()
        if not dist.is_initialized():
            dist.init_process_group("cpu:gloo,cuda:nccl" if device == "cuda" else "gloo", timeout=TIMEOUT)
        return cls(dist.get_rank(), world)

    @staticmethod
    def leave() -> None:
        """Leave the group, when all are done: left to the end of the process, its threads may abort it."""
        if dist.is_initialized():
            dist.destroy_process_group()

    def join_alone(self) -> None:
        """Make a group of one, for code that cannot do without a group."""
        if not dist.is_initialized():
            backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
            dist.init_process_group(backend, store=dist.HashStore(), rank=0, world_size=1)

    @property
    def first(self) -> bool:
        """True for the rank that writes files and talks to people."""
        return self.rank == 0

    def wait(self) -> None:
        """Until every rank is here."""
        if self.world > 1:
            dist.all_reduce(torch.zeros(1))  # a barrier would use the GPU where there is one

    @torch.no_grad()
    def average_gradients(self, model: nn.Module) -> None:
        """Replace each gradient by its mean over the ranks (one message for all of them)."""
        if self.world == 1:
            return
        grads = [p.grad for p in model.parameters() if p.grad is not None]
        flat = torch.cat([g.reshape(-1) for g in grads])
        dist.all_reduce(flat)
        flat /= self.world
        for grad, mean in zip(grads, flat.split([g.numel() for g in grads]), strict=True):
            grad.copy_(mean.view_as(grad))

    def most(self, *values: float) -> list[float]:
        """The largest of each value over the ranks: clocks and stop requests must be agreed on."""
        if self.world == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor, op=dist.ReduceOp.MAX)
        return tensor.tolist()

    def total(self, *values: float) -> list[float]:
        """Sum of each value over the ranks."""
        if self.world == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor)
        return tensor.tolist()
