"""How weights are held and stepped: here plain torch, every rank with all of them; in `train.zero` spread over ranks.

The training loop (train/engine.py) is the same for both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import nn
from torch.func import functional_call

from hybrid_agent.config.optim import OptimConfig, ProfileConfig
from train.checkpoint import load_newest, save_checkpoint
from train.optim import Average, Optimizers
from train.ranks import Ranks

T = TypeVar("T")


@dataclass(frozen=True)
class Loss:
    """What a loss function returns: the scalar to descend, tokens processed, and values to log."""

    value: torch.Tensor
    tokens: int
    logs: dict[str, float]


class Backend(Protocol):
    """Forward, backward, step, save, load, gather.

    Attributes:
        together: evaluation and saving need every rank; else the first can do them alone.
        whole: every rank holds all weights between steps, so one of them can use the model by itself.
    """

    together: bool
    whole: bool

    def descend(self, work: Callable[[], Loss], share: float) -> Loss:
        """One micro-batch: the forward pass `work`, then the backward pass of its value times `share`."""
        ...

    def step(self, scale: float, number: int) -> float:
        """Update number `number` (from 1) with every learning rate times `scale`.

        Returns the norm of the gradient before clipping; one that is not finite means that nothing was changed.
        """
        ...

    def look(self, work: Callable[[], T]) -> T:
        """The result of `work`, which may use the model, with the averaged weights if there are any."""
        ...

    def averaged(self, *inputs: Any) -> Any:
        """What the model makes of `inputs` by its averaged weights, in eval mode and without gradients."""
        ...

    def save(self, folder: Path, step: int, state: dict[str, Any]) -> None:
        """Write a complete checkpoint of `state` and of all that is trained."""
        ...

    def load(self, folder: Path) -> dict[str, Any] | None:
        """Go back to the newest complete checkpoint and return its state; None if there is none."""
        ...

    def finish(self) -> None:
        """Leave the model as an ordinary one with its final weights, the averaged ones if there are any."""
        ...


class TorchBackend:
    """Implements `Backend`: the ranks hold equal weights and average their gradients."""

    together, whole = False, True

    def __init__(self, model: nn.Module, optim: OptimConfig, ranks: Ranks) -> None:
        self.model, self.clip, self.ranks = model, optim.clip, ranks
        self.optimizers = Optimizers(model, optim)
        self.average = Average(model, optim.ema) if optim.ema else None

    def descend(self, work: Callable[[], Loss], share: float) -> Loss:
        loss = work()
        (loss.value if share == 1 else loss.value * share).backward()
        return Loss(loss.value.detach(), loss.tokens, loss.logs)

    def step(self, scale: float, number: int) -> float:
        self.ranks.average_gradients(self.model)
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), self.clip))
        if math.isfinite(norm):
            self.optimizers.step(scale)
            if self.average:
                self.average.update(self.model, number)
        return norm

    def look(self, work: Callable[[], T]) -> T:
        with self._averaged():
            return work()

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        if self.average:
            self.average.swap(self.model)
        yield
        if self.average:
            self.average.swap(self.model)

    @torch.no_grad()
    def averaged(self, *inputs: Any) -> Any:
        assert self.average is not None
        names = [name for name, _ in self.model.named_parameters()]
        weights = dict(zip(names, self.average.weights, strict=True))
        self.model.eval()
        found = functional_call(self.model, weights, inputs)
        self.model.train()
        return found

    def save(self, folder: Path, step: int, state: dict[str, Any]) -> None:
        if not self.ranks.first:  # their states are equal
            return
        own = {
            "model": self.model.state_dict(),
            "optimizers": self.optimizers.state_dict(),
            "average": self.average.weights if self.average else None,
        }
        save_checkpoint(folder, step, {**own, **state})

    def load(self, folder: Path) -> dict[str, Any] | None:
        state = load_newest(folder)
        if state is not None:
            self.model.load_state_dict(state["model"])
            self.optimizers.load_state_dict(state["optimizers"])
            if self.average:
                self.average.weights = state["average"]
        return state

    def finish(self) -> None:
        if self.average:
            self.average.swap(self.model)


def make_backend(model: nn.Module, optim: OptimConfig, profile: ProfileConfig, ranks: Ranks) -> Backend:
    """The backend that the profile asks for.

    Raises:
        InputError: DeepSpeed is asked for and not installed, or cannot do what the config wants.
    """
    if profile.deepspeed is None:
        return TorchBackend(model, optim, ranks)
    from train.zero.backend import ZeroBackend  # DeepSpeed takes seconds to import

    return ZeroBackend(model, optim, profile, ranks)


@contextmanager
def loading(profile: ProfileConfig, ranks: Ranks) -> Iterator[None]:
    """Around `from_pretrained`, in a place that the first rank reaches before the others, who wait for it: where the
    profile has each rank load its share of the weights only, all come here together, and then the others wait again.
    """
    if profile.deepspeed is None or not profile.deepspeed.init_sharded:
        yield
        return
    from train.zero.settings import sharded_init

    if ranks.first:
        ranks.wait()
    with sharded_init(profile, ranks):
        yield
    if not ranks.first:
        ranks.wait()
