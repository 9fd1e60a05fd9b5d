"""Data-parallel ranks of one run: each takes its own batches, gradients are averaged, all else is equal everywhere.

On two cores, two ranks of one thread train faster than one rank of two threads: small models leave much of a step
serial.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import nn


@dataclass(frozen=True)
class Ranks:
    """Which rank this process is. Alone (the default) every method does nothing."""

    rank: int = 0
    world: int = 1

    @classmethod
    def from_environment(cls) -> Ranks:
        """Join the group that torchrun set up, if there is one."""
        world = int(os.environ.get("WORLD_SIZE", "1"))
        if world == 1:
            return cls()
        if not dist.is_initialized():
            dist.init_process_group("gloo", timeout=timedelta(hours=12))  # others wait while rank 0 builds the corpus
        return cls(dist.get_rank(), world)

    @classmethod
    @contextmanager
    def launch(cls, world: int, arguments: Sequence[str]) -> Iterator[None]:
        """Become rank 0 of `world` and start the others with the same arguments; they end with us.

        Does nothing for a world of 1, or when somebody else (torchrun) has made the ranks already.
        """
        if world == 1 or "WORLD_SIZE" in os.environ:
            yield
            return
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        shared = {"WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        os.environ.update(shared, RANK="0")
        command = [sys.executable, "-m", "train.run", *arguments]
        others = [subprocess.Popen(command, env={**os.environ, "RANK": str(rank)}) for rank in range(1, world)]
        failed = True
        try:
            yield
            failed = False
        finally:
            for other in others:
                if failed:
                    other.terminate()
                try:
                    other.wait(timeout=60)
                except subprocess.TimeoutExpired:
                    other.kill()
            for key in (*shared, "RANK"):
                os.environ.pop(key, None)

    @property
    def first(self) -> bool:
        """True for the rank that writes files and talks to people."""
        return self.rank == 0

    def wait(self) -> None:
        """Until every rank is here."""
        if self.world > 1:
            dist.barrier()

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
